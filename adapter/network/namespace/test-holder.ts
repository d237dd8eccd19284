/** Stands for our program in tests: the daemon starts its holders as `PROGRAM namespace ARGUMENT`. */
import { runHolder } from './holder.ts';

await runHolder(process.argv[3] ?? '');
process.exit();
