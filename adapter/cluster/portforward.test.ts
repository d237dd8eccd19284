import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { silentLog } from '../diagnostics/log.ts';
import { Api } from './api.ts';
import { FakeApiServer } from './fake-api-server.ts';
import { portForwarder } from './portforward.ts';

const never = new AbortController().signal;

/** The API server's side of a port-forward. */
async function serve(onConnection: (socket: WebSocket, url: URL) => void) {
  const server = createServer();
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'v4.channel.k8s.io' });
  sockets.on('connection', (socket, request) => onConnection(socket, new URL(request.url ?? '/', 'http://fake')));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the fake server does not listen');
  const url = `http://127.0.0.1:${address.port}`;
  const api = new Api(url, { apply: async () => 0, refresh: () => false }, silentLog);
  const cluster = {
    context: 'fake',
    server: url,
    namespace: 'shop',
    user: 'anna',
    version: 'v1.35.4',
    log: silentLog,
    api,
  };
  return {
    forwarder: portForwarder(cluster),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      server.close();
      await once(server, 'close');
    },
  };
}

function frame(channel: number, data: string | Buffer): Buffer {
  return Buffer.concat([Buffer.of(channel), Buffer.from(data)]);
}

function greet(socket: WebSocket, ports: readonly number[]): void {
  ports.forEach((port, index) => {
    for (const channel of [index * 2, index * 2 + 1]) socket.send(Buffer.of(channel, port & 0xff, port >> 8));
  });
}

test('one port twice is two streams that do not mix', async () => {
  const asked: string[] = [];
  await using server = await serve((socket, url) => {
    asked.push(url.pathname, ...url.searchParams.getAll('ports'));
    greet(socket, [8080, 8080]);
    socket.on('message', (data: Buffer) => {
      socket.send(frame(data[0] ?? 99, `${data.subarray(1)} on ${data[0]}`));
    });
  });
  await using forward = await server.forwarder.forward('cart-1', [8080, 8080], never);
  const [first, second] = forward.channels;
  if (!first || !second) throw new Error('too few channels');
  first.write('hello');
  expect(String((await once(first, 'data'))[0])).toBe('hello on 0');
  second.write('world');
  expect(String((await once(second, 'data'))[0])).toBe('world on 2');
  expect(asked).toEqual(['/api/v1/namespaces/shop/pods/cart-1/portforward', '8080', '8080']);
});

test('what is written together goes as one message', async () => {
  const messages: string[] = [];
  const all = Promise.withResolvers<void>();
  await using server = await serve((socket) => {
    greet(socket, [80]);
    socket.on('message', (data: Buffer) => {
      messages.push(data.toString('utf8', 1));
      if (messages.join('').length === 6) all.resolve();
    });
  });
  await using forward = await server.forwarder.forward('cart-1', [80], never);
  const [channel] = forward.channels;
  channel?.cork();
  for (const part of ['ab', 'cd', 'ef']) channel?.write(part);
  channel?.uncork();
  await all.promise;
  expect(messages).toEqual(['abcdef']);
});

test('the error channel says why it failed', async () => {
  await using server = await serve((socket) => {
    greet(socket, [80]);
    socket.send(frame(1, 'connection refused'));
  });
  await using forward = await server.forwarder.forward('cart-1', [80], never);
  expect(String(await forward.closed)).toContain('connection refused');
  expect(forward.channels[0]?.destroyed).toBe(true);
});

test('a connection that is cut is an error', async () => {
  await using server = await serve((socket) => {
    greet(socket, [80]);
    socket.terminate();
  });
  await using forward = await server.forwarder.forward('cart-1', [80], never);
  expect(String(await forward.closed)).toContain('1006');
});

test('the end of the connection is the end of the stream, with all its bytes', async () => {
  await using server = await serve((socket) => {
    greet(socket, [80]);
    socket.send(frame(0, 'all of it'));
    socket.close(1000);
  });
  await using forward = await server.forwarder.forward('cart-1', [80], never);
  const [channel] = forward.channels;
  if (!channel) throw new Error('too few channels');
  expect(await text(channel)).toBe('all of it');
  expect(await forward.closed).toBeUndefined();
});

test('a slow reader holds the sender back and loses nothing', async () => {
  const size = 64 * 1024;
  const count = 400;
  const sending = Promise.withResolvers<WebSocket>();
  await using server = await serve((socket) => {
    greet(socket, [80]);
    for (let index = 0; index < count; index++) socket.send(frame(0, Buffer.alloc(size, index)));
    sending.resolve(socket);
  });
  await using forward = await server.forwarder.forward('cart-1', [80], never);
  const [channel] = forward.channels;
  const sender = await sending.promise;
  if (!channel) throw new Error('too few channels');
  // Nobody reads: what has been taken in must stay far below what was sent.
  while (channel.readableLength < channel.readableHighWaterMark) await new Promise(setImmediate);
  for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
  expect(channel.readableLength).toBeLessThan(4 * 1024 * 1024);
  expect(sender.bufferedAmount).toBeGreaterThan(0);
  let received = 0;
  for await (const chunk of channel) {
    received += chunk.length;
    if (received === size * count) break;
  }
  expect(received).toBe(size * count);
});

test('writers are held back while the websocket is full', async () => {
  const paused = Promise.withResolvers<WebSocket>();
  await using server = await serve((socket) => {
    greet(socket, [80]);
    socket.pause();
    paused.resolve(socket);
  });
  await using forward = await server.forwarder.forward('cart-1', [80], never);
  const [channel] = forward.channels;
  const receiver = await paused.promise;
  if (!channel) throw new Error('too few channels');
  const chunk = Buffer.alloc(1024 * 1024);
  let written = 0;
  while (written < 200 && channel.write(chunk)) {
    written++;
    await new Promise(setImmediate);
  }
  expect(written).toBeLessThan(200);
  const drained = once(channel, 'drain');
  receiver.resume();
  await drained;
});

test('a refusal of the API server is told in its words', async () => {
  await using server = await FakeApiServer.start(() => 403);
  await expect(portForwarder(server.cluster()).forward('cart-1', [80], never)).rejects.toMatchObject({
    code: 'right-missing',
    why: expect.stringContaining('message 403'),
  });
});

test('the signal ends the opening', async () => {
  const silent = createServer();
  const stop = new AbortController();
  silent.on('upgrade', () => stop.abort(new Error('enough')));
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const address = silent.address();
  if (address === null || typeof address === 'string') throw new Error('the fake server does not listen');
  const url = `http://127.0.0.1:${address.port}`;
  const api = new Api(url, { apply: async () => 0, refresh: () => false }, silentLog);
  const cluster = {
    context: 'fake',
    server: url,
    namespace: 'shop',
    user: 'anna',
    version: 'v1.35.4',
    log: silentLog,
    api,
  };
  await expect(portForwarder(cluster).forward('cart-1', [80], stop.signal)).rejects.toThrow('enough');
  silent.closeAllConnections();
  silent.close();
});
