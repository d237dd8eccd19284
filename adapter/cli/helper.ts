import { Command } from 'commander';
import { runHelper } from '../network/helper/helper.ts';

/** `helper ARGUMENT`: the privileged helper; started by the daemon, never by a user. */
export function helperCommand(): Command {
  return new Command('helper')
    .description('the privileged process that edits the hosts file and listens on low ports; started by the daemon')
    .argument('<argument>')
    .action(async (argument: string) => {
      await runHelper(argument);
      process.exit();
    });
}
