/** Root is needed to make namespaces, control groups and mounts, and to install packages. */

const isRoot = process.getuid?.() === 0;

/** The same command with root's rights: as it is for root, by sudo without a question for others. */
export function privileged(command: readonly string[]): readonly [string, ...string[]] {
  const [program = '', ...rest] = command;
  return isRoot ? [program, ...rest] : ['sudo', '-n', program, ...rest];
}

/** The command as a line for the user to type. */
export function privilegedLine(command: readonly string[]): string {
  const words = isRoot ? command : ['sudo', ...command];
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}
