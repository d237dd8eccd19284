/** The privileged helper as a program of its own: `workstation-helper.ts helper ARGUMENT [IDLE]`, IDLE in milliseconds. */
import { runHelper } from '../../adapter/network/helper/helper.ts';

const [, , , argument = '', idle] = process.argv;
await runHelper(argument, idle === undefined ? {} : { idle: Number(idle) });
// As the command does: connections that it carries must not keep it.
process.exit();
