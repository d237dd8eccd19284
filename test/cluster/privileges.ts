/** Root is needed to make namespaces, control groups and mounts, and to install packages. */

import { ClusterError } from './error.ts';
import { run } from './run.ts';

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

/** Fails with the line to type if root's rights cannot be had without a question. */
export async function ensurePrivileges(signal?: AbortSignal): Promise<void> {
  if (isRoot) return;
  await run(['sudo', '-n', 'true'], { signal }).catch((error: unknown) => {
    throw new ClusterError("The cluster's namespaces need root's rights. Run once: sudo --validate", { cause: error });
  });
}
