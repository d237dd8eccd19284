/**
 * Streams share one connection, and a small request must not wait until a large transfer is over. Measured in bytes, not
 * in time: how much of the bulk passes while one small request and its answer do.
 */
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { startEchoServer, startServer, startTestBed } from './test-bed.ts';

const chunk = Buffer.alloc(64 * 1024, 1);
const pourInto = (to: Duplex): void => {
  const pour = (): void => {
    while (!to.destroyed && to.write(chunk));
  };
  to.on('drain', pour).on('error', () => {});
  pour();
};

test.each([
  ['from the cluster', 1],
  ['from the cluster', 8],
  ['into the cluster', 1],
  ['into the cluster', 8],
] as const)('small requests pass beside a transfer %s over %d streams', async (direction, streams) => {
  const bed = await startTestBed();
  onTestFinished(() => bed[Symbol.asyncDispose]());
  const tunnel = await bed.open();
  let bulk = 0;
  const count = (data: Buffer): void => {
    bulk += data.length;
  };
  const server = await startServer((socket) => {
    if (direction === 'from the cluster') pourInto(socket.resume());
    else socket.on('data', count);
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  for (let index = 0; index < streams; index += 1) {
    const stream = tunnel.dial('127.0.0.1', server.port).on('error', () => {});
    if (direction === 'from the cluster') stream.on('data', count);
    else pourInto(stream.resume());
  }
  await using echo = await startEchoServer();
  const small = tunnel.dial('127.0.0.1', echo.port);
  const ask = async (): Promise<number> => {
    const before = bulk;
    small.write('x');
    await once(small, 'data');
    return bulk - before;
  };
  // Until the transfer has filled all that it can fill.
  while (bulk < 32 * 1024 * 1024) await ask();
  const passed: number[] = [];
  for (let index = 0; index < 20; index += 1) passed.push(await ask());
  // Node hands all that its streams have queued to the connection at once, so each stream adds to the wait, but not its length.
  expect(Math.max(...passed)).toBeLessThan((4 + streams) * 1024 * 1024);
});
