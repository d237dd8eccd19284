/** Answers the kubelet: ready as long as the reaper can read what it looks at. */
import { once } from 'node:events';
import { createServer } from 'node:http';

/** Milliseconds after the last look that succeeded. An undo in between takes a minute at most. */
const patience = 120_000;

/** Serves at the port; the function that it resolves with says that a look has succeeded. */
export async function serveHealth(port: number): Promise<() => void> {
  let last: number | undefined;
  const server = createServer((request, response) => {
    request.resume();
    const ready = last !== undefined && performance.now() - last < patience;
    response.writeHead(ready ? 200 : 503).end();
  });
  await once(server.listen(port), 'listening');
  return () => {
    last = performance.now();
  };
}
