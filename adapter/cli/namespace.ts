import { Command } from 'commander';
import { runHolder } from '../network/namespace/holder.ts';

/** `namespace ARGUMENT`: holds a private network; started by the daemon, never by a user. */
export function namespaceCommand(): Command {
  return new Command('namespace')
    .description('the process that holds a private network of Linux; started by the daemon')
    .argument('<argument>')
    .action(async (argument: string) => {
      await runHolder(argument);
      process.exit();
    });
}
