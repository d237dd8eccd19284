import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { join } from './join.ts';
import { connectTo, fate, randomData, readHash, readText, startServer, startTestBed } from './test-bed.ts';
import { WaitingStream } from './waiting-stream.ts';

/** A local caller whose connection is joined to a waiting one, and the real stream through a tunnel to `serve`. */
const setUp = async (serve: (socket: Socket) => void) => {
  const bed = await startTestBed();
  onTestFinished(() => bed[Symbol.asyncDispose]());
  const far = await startServer(serve);
  onTestFinished(() => far[Symbol.asyncDispose]());
  const tunnel = await bed.open();
  const waiting = new WaitingStream();
  const local = createServer({ allowHalfOpen: true }, (socket) => void join(socket, waiting));
  await once(local.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void local.close());
  const address = local.address();
  const caller = connectTo(typeof address === 'object' && address !== null ? address.port : 0);
  return { caller, waiting, open: () => waiting.open(tunnel.dial('127.0.0.1', far.port)) };
};

const echo = (socket: Socket): void => void socket.pipe(socket);

test('what is sent while it waits arrives, all of it, and comes back', async () => {
  const { caller, open } = await setUp(echo);
  const { chunks, hash } = randomData(7, 3_000_000);
  const back = readHash(caller);
  for (const chunk of chunks) caller.write(chunk);
  caller.end();
  open();
  expect(await back).toBe(hash);
});

test('the far end may end first, and the rest of the request still arrives', async () => {
  const { promise: server, resolve } = Promise.withResolvers<Socket>();
  const { caller, open } = await setUp((socket) => {
    resolve(socket);
    socket.end('enough');
  });
  open();
  expect(await readText(caller)).toBe('enough');
  caller.end('still to be said');
  expect(await readText(await server)).toBe('still to be said');
});

test('a reset by the far end is a reset here', async () => {
  const { caller, open } = await setUp((socket) => socket.once('data', () => socket.resetAndDestroy()));
  caller.write('x');
  open();
  expect(await fate(caller)).toBe('ECONNRESET');
});

test('a reset behind all data is a reset here', async () => {
  const { caller, open } = await setUp((socket) => {
    socket.write('half of the ans');
    socket.once('data', () => socket.resetAndDestroy());
  });
  open();
  await once(caller, 'data');
  caller.write('x');
  expect(await fate(caller)).toBe('ECONNRESET');
});

test('a caller that gives up resets the far end', async () => {
  const { promise: server, resolve } = Promise.withResolvers<Socket>();
  const { caller, open } = await setUp(resolve);
  caller.write('x');
  open();
  const far = await server;
  await once(far, 'data');
  caller.resetAndDestroy();
  expect(await fate(far)).toBe('ECONNRESET');
});

test('if nothing comes, the caller is reset', async () => {
  const { caller, waiting } = await setUp(echo);
  caller.write('x');
  await once(caller, 'connect');
  waiting.destroy(new Error('nobody came'));
  expect(await fate(caller)).toBe('ECONNRESET');
});

test('a real stream that comes too late is dropped', async () => {
  const waiting = new WaitingStream();
  waiting.on('error', () => {}).destroy();
  const real = new PassThrough();
  const closed = once(real.resume(), 'close').catch((error: unknown) => error);
  waiting.open(real);
  await closed;
  expect(real.destroyed).toBe(true);
});
