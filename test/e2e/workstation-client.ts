/**
 * A client of the privileged helper as a process of its own, to be killed: `workstation-client.ts SESSION ENTRIES [careless]`.
 * Prints the helper's pid when the names are set and ends with its standard input; a careless one kills itself as soon as it has asked.
 */
import { once } from 'node:events';
import { join } from 'node:path';
import { silentLog } from '../../adapter/diagnostics/log.ts';
import { startHelper } from '../../adapter/network/helper/helper-client.ts';
import { Problem } from '../../adapter/problem.ts';

const [, , session = '', entries = '[]', manner] = process.argv;
const signal = AbortSignal.timeout(60_000);
try {
  await using helper = await startHelper({
    log: silentLog,
    command: [process.execPath, join(import.meta.dirname, 'workstation-helper.ts')],
    signal,
  });
  const change = helper.setHosts(session, JSON.parse(entries), signal);
  if (manner === 'careless') process.kill(process.pid, 'SIGKILL');
  await change;
  console.log(helper.pid);
  process.stdin.resume();
  await Promise.race([once(process.stdin, 'end'), helper.closed]);
} catch (error) {
  console.log(JSON.stringify(Problem.from(error)));
  process.exitCode = 1;
}
