#!/usr/bin/env node
/**
 * The command line: one file a command. It owns what a terminal shows and the exit codes;
 * all work is done by the folders below.
 */
import { Command, CommanderError } from 'commander';
import { Problem } from '../problem.ts';
import { connectCommand } from './connect.ts';
import { dapCommand } from './dap.ts';
import { daemonCommand, helperCommand } from './own-processes.ts';
import { restoreCommand } from './restore.ts';
import { runCommand } from './run.ts';
import { statusCommand } from './status.ts';
import { reportProblem } from './terminal.ts';
import { version } from './version.ts';

const program = new Command('kubernetes-local')
  .description('Debug one microservice on this computer while it lives in the cluster.')
  .version(version)
  .showSuggestionAfterError()
  .showHelpAfterError('(add --help for the options)')
  .enablePositionalOptions()
  .exitOverride();

for (const command of [
  dapCommand(),
  connectCommand(),
  runCommand(),
  statusCommand(),
  restoreCommand(),
  daemonCommand(),
  helperCommand(),
]) {
  // Sub-commands do not inherit it when they are made elsewhere.
  program.addCommand(command.exitOverride().showHelpAfterError('(add --help for the options)'), {
    hidden: command.name() === 'daemon' || command.name() === 'helper',
  });
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // commander has said what is wrong; its own exit code for that is 1, ours for bad input is 2.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.exitCode = reportProblem(Problem.from(error));
  }
}
