/** The command that starts this very program again: the daemon and the privileged helper are processes of it. */
export function ownProgram(): readonly string[] {
  const [, script] = process.argv;
  if (script === undefined) throw new Error('started without a script');
  return [process.execPath, ...process.execArgv, script];
}
