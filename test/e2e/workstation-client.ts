/**
 * A client of the privileged helper as a process of its own, to be killed: `workstation-client.ts SESSION ENTRIES [MANNER]`.
 * Prints the helper's pid and how it got its privileges when the names are set, and ends with its standard input.
 * MANNER: `careless` kills itself as soon as it has asked; `listen=ADDRESS:PORT` offers its own greeting there.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { silentLog } from '../../adapter/diagnostics/log.ts';
import { startHelper } from '../../adapter/network/helper/helper-client.ts';
import { Problem } from '../../adapter/problem.ts';

const [, , session = '', entries = '[]', manner = ''] = process.argv;
const signal = AbortSignal.timeout(60_000);
try {
  await using helper = await startHelper({
    log: silentLog,
    command: [process.execPath, join(import.meta.dirname, 'workstation-helper.ts')],
    consent: async () => 'granted',
    signal,
  });
  const change = helper.setHosts(session, JSON.parse(entries), signal);
  if (manner === 'careless') process.kill(process.pid, 'SIGKILL');
  await change;
  const [, address, port] = /^listen=(.*):(\d+)$/.exec(manner) ?? [];
  if (address !== undefined) {
    const greeting = createServer((socket) => socket.end(`from user ${process.getuid?.()}`)).listen(0, '127.0.0.1');
    await once(greeting, 'listening');
    const bound = greeting.address();
    const dial = () => connect(typeof bound === 'object' ? (bound?.port ?? 0) : 0, '127.0.0.1');
    await helper.listen({ address, port: Number(port), dial, onError: console.error, signal });
  }
  console.log(`${helper.pid} ${helper.elevation}`);
  process.stdin.resume();
  await Promise.race([once(process.stdin, 'end'), helper.closed]);
} catch (error) {
  console.log(JSON.stringify(Problem.from(error)));
  process.exitCode = 1;
}
// A greeting that still listens must not keep it.
process.exit();
