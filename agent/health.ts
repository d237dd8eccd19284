/** What the kubelet asks. `/live`: the process runs. `/ready`: traffic to the pod reaches the workstation. */
import { createServer, type Server } from 'node:http';
import type { Readiness } from './readiness.ts';

/** The kubelet's own limit is at least 1 s; holding the answer makes a pod ready the moment its tunnel stands. */
const holdLimit = 800;

/** An HTTP server, not listening yet. */
export function createHealthServer(readiness: Readiness): Server {
  return createServer({ keepAlive: false }, (request, response) => {
    const answer = (code: number, text: string): void => {
      response.writeHead(code, { 'content-type': 'text/plain', connection: 'close' }).end(`${text}\n`);
    };
    if (request.url === '/live') answer(200, 'live');
    else if (request.url === '/ready') {
      readiness
        .wait(holdLimit)
        .then((ready) => answer(ready ? 200 : 503, ready ? 'ready' : 'no workstation is connected'));
    } else answer(404, 'not found');
  });
}
