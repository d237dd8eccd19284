/** Connections that end while more is under way than anybody reads: both ends must let go of them. */
import { once } from 'node:events';
import { expect, onTestFinished, test, vi } from 'vitest';
import { join } from './join.ts';
import { connectTo, startServer, startTestBed } from './test-bed.ts';
import type { InboundConnection } from './tunnel.ts';

const bedOf = async () => {
  const bed = await startTestBed();
  onTestFinished(() => bed[Symbol.asyncDispose]());
  return bed;
};

/** A server that pours without end, and how many connections it has. */
const pouring = async () => {
  const counts = { open: 0, seen: 0 };
  const chunk = Buffer.alloc(1024 * 1024);
  const server = await startServer((socket) => {
    counts.open += 1;
    counts.seen += 1;
    socket.once('close', () => {
      counts.open -= 1;
    });
    const pour = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', pour).resume();
    pour();
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  return { port: server.port, counts };
};

const becomes = (read: () => number, wanted: number) =>
  vi.waitFor(() => expect(read()).toBe(wanted), { timeout: 10_000, interval: 20 });

test.each(['after its own end', 'in the middle'])(
  'a program that goes %s while much comes lets go of the server too',
  async (when) => {
    const tunnel = await (await bedOf()).open();
    const { port, counts } = await pouring();
    const local = await startServer((socket) => void join(socket, tunnel.dial('127.0.0.1', port)));
    onTestFinished(() => local[Symbol.asyncDispose]());
    const program = connectTo(local.port);
    if (when === 'in the middle') program.write('some of it');
    else program.end('all of it');
    await once(program, 'data');
    program.pause();
    expect(counts.open).toBe(1);
    program.destroy();
    await becomes(() => counts.open, 0);
    await becomes(() => tunnel.statistics.streams, 0);
  },
);

test('a stream that is given up without an error lets go of the server too', async () => {
  const tunnel = await (await bedOf()).open();
  const { port, counts } = await pouring();
  const stream = tunnel.dial('127.0.0.1', port);
  await once(stream, 'data');
  stream.pause();
  expect(counts.open).toBe(1);
  stream.destroy();
  await becomes(() => counts.open, 0);
  await becomes(() => tunnel.statistics.streams, 0);
});

test('a caller in the cluster that goes while much comes lets go of the program here too', async () => {
  const bed = await bedOf();
  const { port, counts } = await pouring();
  const tunnel = await bed.open({ onInbound: ({ stream }: InboundConnection) => void join(stream, connectTo(port)) });
  await fetch(`http://127.0.0.1:${bed.agent.healthPort}/ready`);
  const caller = connectTo(bed.agent.ports[0] ?? 0);
  caller.end('all of it');
  await once(caller, 'data');
  caller.pause();
  expect(counts.open).toBe(1);
  caller.destroy();
  await becomes(() => counts.open, 0);
  await becomes(() => tunnel.statistics.streams, 0);
});
