import { once } from 'node:events';
import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { silentLog } from '../diagnostics/log.ts';
import { Api } from './api.ts';
import { readImageEnvironment } from './image-environment.ts';

const never = new AbortController().signal;
const place = { namespace: 'shop', pod: 'cart-1', container: 'cart' };
const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };

interface Stage {
  /** The container's state, as in the pod's status. */
  readonly state?: object;
  /** An HTTP status with which `/exec` is refused. */
  readonly refuses?: number;
  readonly protocol?: string;
  /** Runs a command in the container. */
  run?(command: readonly string[], socket: WebSocket): void;
}

/** An API server with one pod. */
async function serve({ state = running, refuses, protocol = 'v5.channel.k8s.io', run }: Stage) {
  const commands: string[] = [];
  const server = createServer((_request, response) => {
    const spec = { containers: [{ name: 'cart', image: 'shop/cart:1' }] };
    const status = { phase: 'Running', containerStatuses: [{ name: 'cart', state, ready: true, restartCount: 0 }] };
    const metadata = { name: 'cart-1', namespace: 'shop', uid: 'u', resourceVersion: '1' };
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify({ kind: 'Pod', metadata, spec, status }));
  });
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => protocol });
  server.on('upgrade', (request, socket, head) => {
    const url = new URL(request.url ?? '/', 'http://fake');
    expect(url.pathname).toBe('/api/v1/namespaces/shop/pods/cart-1/exec');
    expect(url.searchParams.get('container')).toBe('cart');
    expect(request.headers['sec-websocket-protocol']).toBe('v5.channel.k8s.io,v4.channel.k8s.io');
    const command = url.searchParams.getAll('command');
    commands.push(command.join(' '));
    if (refuses !== undefined) {
      const body = JSON.stringify({ kind: 'Status', message: 'pods "cart-1" is forbidden: no' });
      socket.end(`HTTP/1.1 ${refuses} No\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
      return;
    }
    sockets.handleUpgrade(request, socket, head, (accepted) => run?.(command, accepted));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the fake server does not listen');
  const url = `http://127.0.0.1:${address.port}`;
  const api = new Api(url, { apply: async () => 0, refresh: () => false }, silentLog);
  const names = { context: 'fake', namespace: 'shop', user: 'anna', version: 'v1.35.4' };
  return {
    cluster: { ...names, server: url, log: silentLog, api },
    commands,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function say(socket: WebSocket, channel: number, data: string | Buffer): void {
  socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(data)]));
}

function end(socket: WebSocket, status: object): void {
  say(socket, 3, JSON.stringify({ kind: 'Status', ...status }));
  socket.close(1000);
}

const notFound = { status: 'Failure', message: 'exec: "cat": executable file not found in $PATH' };

test('the environment of a process of the container, without what is declared', async () => {
  await using server = await serve({
    protocol: 'v4.channel.k8s.io',
    run: (_command, socket) => {
      say(socket, 1, '');
      say(socket, 1, 'APP=1\0GREET');
      say(socket, 1, 'ING=hello\0');
      end(socket, { status: 'Success' });
    },
  });
  expect(await readImageEnvironment(server.cluster, place, ['GREETING'], never)).toEqual({
    variables: [{ name: 'APP', value: '1', origin: 'image shop/cart:1', secret: false }],
    notes: [],
  });
  expect(server.commands).toEqual(['cat /proc/self/environ']);
});

test('the next command is tried if one is not there, or fails after some output', async () => {
  await using server = await serve({
    run: ([program], socket) => {
      if (program === '/usr/bin/env') {
        say(socket, 1, 'APP=1\0');
        end(socket, { status: 'Success' });
      } else {
        say(socket, 1, 'WRONG=1\0');
        say(socket, 2, 'complaint');
        end(socket, notFound);
      }
    },
  });
  const { variables } = await readImageEnvironment(server.cluster, place, [], never);
  expect(variables.map(({ name }) => name)).toEqual(['APP']);
  // Both others at once: each costs several round trips.
  expect(server.commands[0]).toBe('cat /proc/self/environ');
  expect(server.commands.slice(1).sort()).toEqual(['/busybox/cat /proc/self/environ', '/usr/bin/env -0']);
});

test.each<readonly [string, Stage, string]>([
  ['an image without any of the commands', { run: (_, socket) => end(socket, notFound) }, 'has neither cat nor env'],
  ['no right', { refuses: 403 }, 'you may not create and get pods/exec in namespace shop'],
  ['a container that waits', { state: { waiting: { reason: 'CrashLoopBackOff' } } }, 'is not running'],
  ['another refusal', { refuses: 400 }, 'HTTP 400'],
  ['a connection that is cut', { run: (_, socket) => socket.terminate() }, 'the connection was closed'],
  ['too much', { run: (_, socket) => say(socket, 1, `A=${'x'.repeat(1024 * 1024)}`) }, 'longer than 1 MiB'],
])('%s is told and no failure', async (_name, stage, why) => {
  await using server = await serve(stage);
  const { variables, notes } = await readImageEnvironment(server.cluster, place, [], never);
  expect(variables).toEqual([]);
  expect(notes).toEqual([expect.stringContaining(why)]);
  expect(notes[0]).toMatch(/^Variables that the image itself sets \(ENV\) are not known: .*[^.]\.$/);
});

test('who cancels gets the reason', async () => {
  const abort = new AbortController();
  await using server = await serve({ run: () => abort.abort(new Error('enough')) });
  await expect(readImageEnvironment(server.cluster, place, [], abort.signal)).rejects.toThrow('enough');
});
