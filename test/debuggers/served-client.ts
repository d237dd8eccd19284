/** Clients of served.ts for tests: each is ended when its test is over, however that went. */
import { fileURLToPath } from 'node:url';
import { afterEach } from 'vitest';
import { DapClient } from '../dap-client.ts';

const served = fileURLToPath(new URL('served.ts', import.meta.url));

const clients = new Set<DapClient>();
afterEach(async () => {
  for (const client of clients) {
    client.endInput();
    client.kill('SIGKILL');
    await client.exited;
  }
  clients.clear();
});

/** Starts our debug adapter with these options of served.ts. */
export function startServed(options: readonly string[], env?: NodeJS.ProcessEnv): DapClient {
  const client = DapClient.spawn([process.execPath, served, ...options], env && { env });
  clients.add(client);
  return client;
}
