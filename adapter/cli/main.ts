#!/usr/bin/env -S node --
/**
 * The command line: one file a command. It owns what a terminal shows and the exit codes;
 * all work is done by the folders below.
 */
import { Command, CommanderError, type OutputConfiguration } from 'commander';
import { Problem } from '../problem.ts';
import { version } from '../version.ts';
import { beginReplay } from './begun-replay.ts';
import { commandLog } from './command-log.ts';
import { type ErrorFormat, formatUsageError } from './error-format.ts';
import { reportProblem, showNotice, tellProblemsAs } from './terminal.ts';

/** Loaded when needed: the privileged helper must run no more code than its own, and each command start fast. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  init: async () => (await import('./init.ts')).initCommand(),
  dap: async () => (await import('./dap.ts')).dapCommand(),
  connect: async () => (await import('./connect.ts')).connectCommand(),
  disconnect: async () => (await import('./disconnect.ts')).disconnectCommand(),
  run: async () => (await import('./run.ts')).runCommand(),
  status: async () => (await import('./status.ts')).statusCommand(),
  env: async () => (await import('./env.ts')).envCommand(),
  config: async () => (await import('./config.ts')).configCommand(),
  diagnose: async () => (await import('./diagnose.ts')).diagnoseCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand(),
  restore: async () => (await import('./restore.ts')).restoreCommand(),
  trace: async () => (await import('./trace.ts')).traceCommand(),
};
const ownProcesses: typeof commands = {
  daemon: async () => (await import('./daemon.ts')).daemonCommand(),
  helper: async () => (await import('./helper.ts')).helperCommand(),
  namespace: async () => (await import('./namespace.ts')).namespaceCommand(),
  replay: async () => (await import('./replay.ts')).replayCommand(),
};

/** Those that nearly always begin a session. */
const connecting: ReadonlySet<string> = new Set(['connect', 'run']);

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `kubernetes-local needs Node 22.19 or later; this is ${process.version}, ${process.execPath}.\n`,
  );
  process.exit(2);
}

/** What commander says itself looks like any other problem. */
const output: OutputConfiguration = {
  outputError: (text, write) => write(formatUsageError(text, process.argv.slice(2))),
};
const program = new Command('kubernetes-local')
  .description('Debug one microservice on this computer while it lives in the cluster.')
  .version(version)
  .showSuggestionAfterError()
  .showHelpAfterError('(add --help for the options)')
  .enablePositionalOptions()
  .configureOutput(output)
  .exitOverride();

const [, , name = '', ...rest] = process.argv;
// It loads beside this command, which has its options and the kubeconfig to read before it knows the session.
if (connecting.has(name) && !rest.includes('--help')) (await import('./own-daemons.ts')).ownDaemons.prepare();
const wanted = commands[name] ?? ownProcesses[name];
for (const load of wanted ? [wanted] : Object.values(commands)) {
  // Sub-commands do not inherit these when they are made elsewhere.
  const command = (await load()).exitOverride().configureOutput(output);
  program.addCommand(command.showHelpAfterError('(add --help for the options)'));
}

program.hook('preAction', async (_, action) => {
  const { errorFormat } = action.opts<{ errorFormat?: ErrorFormat }>();
  if (errorFormat !== undefined) tellProblemsAs(errorFormat);
  // `restore` does it itself, while the user looks on.
  if (!(name in commands) || name === 'restore') return;
  const text = await beginReplay();
  // The debug adapter tells its client, for nobody reads its standard error.
  if (text !== undefined && name !== 'dap') showNotice({ level: 'info', text });
});
try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has said what is wrong; its own exit code for that is 1, ours for bad input is 2.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    // A process of our own tells its starter, which has a log.
    process.exitCode = reportProblem(Problem.from(error), name in ownProcesses ? undefined : commandLog);
  }
}
