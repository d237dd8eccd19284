import { Command } from 'commander';
import { runDaemon } from '../session/daemon/daemon-process.ts';
import { ownProgram } from './program.ts';

/** `daemon KEY`: the session daemon; started by a client, never by a user. */
export function daemonCommand(): Command {
  return new Command('daemon')
    .description('the process that owns a session; started by the other commands')
    .argument('<key>')
    .action(async (key: string) => {
      await runDaemon(key, ownProgram());
      // A library's idle socket must not keep a finished daemon alive.
      process.exit();
    });
}
