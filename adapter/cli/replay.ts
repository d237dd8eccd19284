import { Command } from 'commander';
import { FileLog } from '../diagnostics/log.ts';
import { replay, replayLogPath } from '../session/undo/replay.ts';
import { ownProgram } from './program.ts';

/** `replay`: undoes what interrupted sessions left; started by the other commands, never by a user. */
export function replayCommand(): Command {
  return new Command('replay')
    .description('the process that undoes what interrupted sessions left; started by the other commands')
    .action(async () => {
      using log = new FileLog(replayLogPath(), 'replay');
      await replay(ownProgram(), log);
      // A library's idle socket must not keep it alive.
      process.exit();
    });
}
