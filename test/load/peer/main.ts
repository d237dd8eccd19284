/**
 * Both ends of the load: `serve JSON` listens and prints its ports, `ask JSON` is the client and prints what it has found, or
 * says on standard error what was wrong. It runs here as it is, and in pods as one bundled file.
 */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { type Ask, askSchema, type Findings, type Ports, serveSchema } from './asks.ts';
import { askBytes } from './bytes.ts';
import { askEnds, askSpeaksFirst } from './ends.ts';
import { createSpeaker, createTaskServer } from './server.ts';
import { askSlow } from './slow.ts';
import { askStorm } from './storm.ts';
import { createHttp1Server, createHttp2Server, createTlsServer, createWebSocketServer } from './web.ts';
import { askHttp1, askHttp2, askTls, askWebSocket } from './web-client.ts';

const [command, json = ''] = process.argv.slice(2);
if (command === 'serve') await serve(json);
else if (command === 'ask') await ask(json);
else throw new Error('use: serve JSON, or ask JSON');

async function serve(json: string): Promise<void> {
  const { address, ports, tls } = serveSchema.parse(JSON.parse(json));
  const bound: Ports = {
    tasks: await listen(createTaskServer(), address, ports.tasks),
    speaker: await listen(createSpeaker(), address, ports.speaker),
    http1: await listen(createHttp1Server(), address, ports.http1),
    http2: await listen(createHttp2Server(), address, ports.http2),
    tls: tls === undefined ? ports.tls : await listen(createTlsServer(tls), address, ports.tls),
    websocket: await listen(createWebSocketServer(), address, ports.websocket),
  };
  process.once('SIGTERM', () => process.exit());
  console.log(JSON.stringify(bound));
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  server.listen({ host, port, backlog: 1024 });
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('no port');
  return bound.port;
}

async function ask(json: string): Promise<void> {
  try {
    console.log(JSON.stringify(await find(askSchema.parse(JSON.parse(json)))));
    process.exit();
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
}

function find(ask: Ask): Promise<Findings> {
  const say = (text: string) => console.error(text);
  switch (ask.ask) {
    case 'bytes':
      return askBytes(ask, say);
    case 'storm':
      return askStorm(ask, say);
    case 'slow':
      return askSlow(ask, say);
    case 'ends':
      return askEnds(ask);
    case 'speaks-first':
      return askSpeaksFirst(ask);
    case 'http1':
      return askHttp1(ask);
    case 'http2':
      return askHttp2(ask);
    case 'tls':
      return askTls(ask);
    case 'websocket':
      return askWebSocket(ask);
  }
}
