/** The log of a command in a terminal: that of its session, as soon as it has one. */

import { join } from 'node:path';
import { ProcessLog } from '../diagnostics/process-log.ts';
import { logsFolder } from '../session/state-folder.ts';

/** Nothing is written, and no file is made, before something has to be said. */
export const commandLog = new ProcessLog('command', () => join(logsFolder(), 'command-line.log'));
