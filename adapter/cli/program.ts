/** The command that starts this very program again: the daemon and the privileged helper are processes of it. */
export function ownProgram(): readonly string[] {
  const [, script] = process.argv;
  if (script === undefined) throw new Error('started without a script');
  const command = [process.execPath, ...process.execArgv, script];
  // An editor that is a Node only if it is told so; sudo would drop a variable that is not in the command.
  const isEditor = process.versions.electron !== undefined && process.platform !== 'win32';
  return isEditor ? ['/usr/bin/env', 'ELECTRON_RUN_AS_NODE=1', ...command] : command;
}
