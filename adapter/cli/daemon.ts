import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { keyFromInput } from '../session/announcement.ts';
import { runDaemon } from '../session/daemon/daemon-process.ts';
import { ownProgram } from './program.ts';

/** `daemon KEY`: the session daemon; started by a client, never by a user. */
export function daemonCommand(): Command {
  return new Command('daemon')
    .description('the process that owns a session; started by the other commands')
    .argument('<key>', `of the session; ${keyFromInput}: a line of standard input`)
    .action(async (named: string) => {
      const key = named === keyFromInput ? await keyOfInput() : named;
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
