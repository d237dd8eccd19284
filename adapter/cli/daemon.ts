import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { runDaemon } from '../session/daemon/daemon-process.ts';
import { ownProgram } from './program.ts';

/** `daemon`: the session daemon; started by a client, which says the session's key on standard input, never by a user. */
export function daemonCommand(): Command {
  return new Command('daemon')
    .description('the process that owns a session; started by the other commands')
    .action(async () => {
      const key = await keyOfInput();
      if (key !== undefined) await runDaemon(key, ownProgram());
      // A library's idle socket must not keep a finished daemon alive.
      process.exit();
    });
}

/** Undefined if it ends without one: nobody needs this daemon. */
async function keyOfInput(): Promise<string | undefined> {
  for await (const line of createInterface({ input: process.stdin })) {
    process.stdin.destroy();
    return /^[0-9a-f]+$/.exec(line)?.[0];
  }
  return undefined;
}
