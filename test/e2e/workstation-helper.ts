/** The privileged helper as a program of its own: `workstation-helper.ts helper ARGUMENT`. */
import { runHelper } from '../../adapter/network/helper/helper.ts';

const [, , , argument = ''] = process.argv;
await runHelper(argument);
