/** `node test/debuggers/main.ts`: installs the debuggers that the tests drive, and prints where they are. */
import { showProgress } from '../cluster/progress.ts';
import { realDebuggers } from './install.ts';

const progress = showProgress(process.stderr);
const { adapters, go, ...programs } = await realDebuggers(progress.show);
progress[Symbol.dispose]();
const lines = { ...adapters, ...programs, go: go.program };
for (const [name, command] of Object.entries(lines)) {
  console.log(`${name.padEnd(10)} ${typeof command === 'string' ? command : command.join(' ')}`);
}
