/** How much there may be of anything, what happens above it, and that nothing is left afterwards. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { setTimeout } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { mostUnproven } from '../../agent/limits.ts';
import { errorHeader, helloHeadLength, helloRestLength, protocolVersion } from '../../agent/protocol.ts';
import { join } from './join.ts';
import {
  type BedOptions,
  connectTo,
  fate,
  readText,
  startEchoServer,
  startServer,
  startTestBed,
  type TestBed,
} from './test-bed.ts';
import type { InboundConnection, Tunnel } from './tunnel.ts';

const bedOf = async (options?: BedOptions): Promise<TestBed> => {
  const bed = await startTestBed(options);
  onTestFinished(() => bed[Symbol.asyncDispose]());
  return bed;
};

const becomes = (read: () => number, wanted: number) =>
  vi.waitFor(() => expect(read()).toBe(wanted), { timeout: 30_000, interval: 20 });

/** The count when it has stood still for ten looks: what an earlier step closed may take a few turns to be gone. */
const settled = async (read: () => number): Promise<number> => {
  let [last, looks] = [read(), 0];
  while (looks < 10) {
    await setTimeout(20);
    const now = read();
    looks = now === last ? looks + 1 : 0;
    last = now;
  }
  return last;
};

const echoes = async (tunnel: Tunnel): Promise<string> => {
  await using echo = await startEchoServer();
  const stream = tunnel.dial('127.0.0.1', echo.port);
  stream.end('hello');
  return await readText(stream);
};

const ready = async (bed: TestBed): Promise<number> => {
  expect((await fetch(`http://127.0.0.1:${bed.agent.healthPort}/ready`)).status).toBe(200);
  return bed.agent.ports[0] ?? 0;
};

const nothing = { unproven: 0, guests: 0, dialling: 0, datagrams: 0, held: 0 };

test('dials above the limit are refused with a reason, and there is room again', async () => {
  const bed = await bedOf({ dialLimits: { dialling: 2, datagrams: 1 } });
  const tunnel = await bed.open();
  await using echo = await startEchoServer();
  const streams = Array.from({ length: 50 }, () => tunnel.dial('127.0.0.1', echo.port));
  const fates = await Promise.all(
    streams.map((stream) => {
      stream.end('x');
      return readText(stream).catch((error: Error) => ('code' in error ? String(error.code) : error.message));
    }),
  );
  expect(fates.filter((each) => each === 'x').length).toBeGreaterThanOrEqual(2);
  expect(fates.filter((each) => each === 'EAGAIN').length).toBeGreaterThan(0);
  expect(fates.filter((each) => each !== 'x' && each !== 'EAGAIN')).toEqual([]);
  expect(bed.count('dials refused')).toBeGreaterThan(0);
  await vi.waitFor(() => expect(bed.agent.counts).toEqual(nothing));
  expect(await echoes(tunnel)).toBe('hello');
});

test('callers above the limit are reset while there is no tunnel, and those below are served by the next one', async () => {
  const bed = await bedOf({ mostHeld: 2 });
  const first = await bed.open();
  const port = await ready(bed);
  bed.forwarder.break();
  await first.closed;
  await bed.logged('tunnel lost');
  const held = ['one', 'two'].map((name) => connectTo(port).end(name));
  const answers = held.map(readText);
  await becomes(() => bed.agent.counts.held, 2);
  expect(await Promise.all([fate(connectTo(port)), fate(connectTo(port))])).toEqual(['ECONNRESET', 'ECONNRESET']);
  expect(await bed.logged('connections refused')).toMatchObject({ reason: '2 wait for the workstation already' });
  expect(bed.count('connections refused')).toBe(1);
  await bed.open({ onInbound: ({ stream }: InboundConnection) => void stream.pipe(stream) });
  expect(await Promise.all(answers)).toEqual(['one', 'two']);
  expect(bed.agent.counts).toEqual(nothing);
});

test('of connections that prove nothing only some are kept, and a tunnel comes up when they are gone', async () => {
  const bed = await bedOf();
  const sockets: Socket[] = [];
  for (let count = 0; count < mostUnproven; count += 1) {
    const socket = connectTo(bed.agent.tunnelPort);
    sockets.push(socket);
    await once(socket, 'data');
  }
  const more = [1, 2, 3].map(() => connectTo(bed.agent.tunnelPort));
  const heard = more.map((socket) => readText(socket).catch((error: Error) => error.message));
  for (const text of await Promise.all(heard)) expect(text).not.toContain('KLTUNNEL');
  expect(bed.agent.counts.unproven).toBe(mostUnproven);
  expect(bed.count('tunnel connection refused')).toBe(1);
  await expect(bed.open()).rejects.toThrow();
  for (const socket of sockets) socket.destroy();
  await becomes(() => bed.agent.counts.unproven, 0);
  expect(await echoes(await bed.open())).toBe('hello');
});

test('a greeting is short: what is sent before it is answered is not read', async () => {
  const bed = await bedOf();
  const socket = connectTo(bed.agent.tunnelPort);
  await once(socket, 'readable');
  expect(socket.read(helloHeadLength + helloRestLength(protocolVersion))).toHaveLength(86);
  socket.write(Buffer.alloc(1024 * 1024));
  expect((await once(socket, 'data'))[0]).toEqual(Buffer.of(1));
  socket.destroy();
  await becomes(() => bed.agent.counts.unproven, 0);
});

test('headers above the limit cost the stream, not the tunnel', async () => {
  const bed = await bedOf();
  const tunnel = await bed.open();
  const asked = (headers: Record<string, string>) => {
    const stream = tunnel.ask({ ':method': 'CONNECT', ':authority': '127.0.0.1:80', ...headers }, true);
    if (stream === undefined) throw new Error('the tunnel is closing');
    return stream.on('error', () => {});
  };
  const many = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`h${index}`, 'x']));
  expect(await fate(asked(many))).toBe('ERR_HTTP2_STREAM_ERROR');
  const [headers] = await once(asked({ ':authority': `${'n'.repeat(256)}:80` }), 'response');
  expect(headers).toMatchObject({ ':status': 502, [errorHeader]: 'EINVAL' });
  expect(await echoes(tunnel)).toBe('hello');
});

test('10,000 connections leave nothing: counters and sockets are where they were', { timeout: 180_000 }, async () => {
  const bed = await bedOf();
  let open = 0;
  const server = await startServer((socket) => {
    open += 1;
    socket.once('close', () => {
      open -= 1;
    });
    socket.pipe(socket);
  });
  onTestFinished(() => server[Symbol.asyncDispose]());
  const tunnel = await bed.open({ onInbound: ({ stream }) => void join(stream, connectTo(server.port)) });
  const port = await ready(bed);
  const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
  await vi.waitFor(() => expect(open).toBe(0));
  const before = await settled(sockets);

  /** Every seventh resets, every seventh goes without waiting for the answer. */
  const one = async (index: number): Promise<void> => {
    const stream = index % 2 === 0 ? tunnel.dial('127.0.0.1', server.port) : connectTo(port);
    stream.on('error', () => {});
    const said = `connection ${index}`;
    if (index % 7 === 0) {
      stream.write(said);
      await once(stream, 'data');
      stream.destroy(new Error('reset'));
    } else if (index % 7 === 1) {
      stream.end(said);
      stream.destroy();
    } else {
      stream.end(said);
      expect(await readText(stream)).toBe(said);
    }
  };
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < 10_000) await one(next++);
  };
  await Promise.all(Array.from({ length: 128 }, worker));
  await becomes(() => tunnel.statistics.streams, 0);
  await becomes(() => open, 0);
  await vi.waitFor(() => expect(bed.agent.counts).toEqual(nothing));
  await becomes(sockets, before);
  expect(await echoes(tunnel)).toBe('hello');
});
