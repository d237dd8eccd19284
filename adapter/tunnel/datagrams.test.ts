/** Datagrams through a tunnel, with real UDP sockets at the far end. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { expect, onTestFinished, test, vi } from 'vitest';
import { DatagramReader, datagramQueueLimit, largestDatagram, sendDatagram } from '../../agent/datagrams.ts';
import { type BedOptions, fate, startEchoServer, startTestBed, type TestBed } from './test-bed.ts';

const bedOf = async (options?: BedOptions): Promise<TestBed> => {
  const bed = await startTestBed(options);
  onTestFinished(() => bed[Symbol.asyncDispose]());
  return bed;
};

const udpServer = async (onMessage: (payload: Buffer, from: RemoteInfo, socket: Socket) => void, port = 0) => {
  const socket = createSocket('udp4');
  socket.on('message', (payload, from) => onMessage(payload, from, socket));
  socket.bind(port, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return socket.address().port;
};

const echo = (): Promise<number> =>
  udpServer((payload, { port, address }, socket) => socket.send(payload, port, address));

/** What comes back on a stream. */
const received = (stream: Duplex): Buffer[] => {
  const datagrams: Buffer[] = [];
  const reader = new DatagramReader((payload) => datagrams.push(Buffer.from(payload)));
  stream.on('data', (chunk: Buffer) => reader.write(chunk)).on('error', () => {});
  return datagrams;
};

const arrives = <T>(list: readonly T[], count: number) =>
  vi.waitFor(() => expect(list.length).toBeGreaterThanOrEqual(count), { timeout: 10_000 });

test('datagrams go and come back, each as it was', async () => {
  const tunnel = await (await bedOf()).open();
  const stream = tunnel.dialDatagrams('127.0.0.1', await echo());
  const back = received(stream);
  const sizes = [1, 0, 512, 1400, 9000, largestDatagram];
  for (const [index, size] of sizes.entries()) {
    expect(sendDatagram(stream, Buffer.alloc(size, index))).toBe(true);
    await arrives(back, index + 1);
  }
  expect(back).toEqual(sizes.map((size, index) => Buffer.alloc(size, index)));
});

test('the first datagram rides with the opening, before anything comes back', async () => {
  const there: string[] = [];
  const port = await udpServer((payload) => there.push(String(payload)));
  const bed = await bedOf();
  const tunnel = await bed.open();
  bed.forwarder.silence('from the agent');
  sendDatagram(tunnel.dialDatagrams('localhost', port), Buffer.from('up:1|c'));
  await arrives(there, 1);
  expect(there).toEqual(['up:1|c']);
});

test('each stream is a sender of its own, and hears only its own answers', async () => {
  const senders = new Set<number>();
  const port = await udpServer((payload, from, socket) => {
    senders.add(from.port);
    socket.send(payload, from.port, from.address);
  });
  const tunnel = await (await bedOf()).open();
  const streams = Array.from({ length: 20 }, () => tunnel.dialDatagrams('127.0.0.1', port));
  const answers = streams.map(received);
  for (const [index, stream] of streams.entries()) sendDatagram(stream, Buffer.from(`flow ${index}`));
  await vi.waitFor(() => expect(answers.every(({ length }) => length > 0)).toBe(true), { timeout: 10_000 });
  expect(answers.map(String)).toEqual(streams.map((_, index) => `flow ${index}`));
  expect(senders.size).toBe(streams.length);
});

test('somebody else than the one who was asked is not heard', async () => {
  let asker: RemoteInfo | undefined;
  let asked: Socket | undefined;
  const port = await udpServer((_payload, from, server) => {
    asker = from;
    asked = server;
  });
  const stream = (await (await bedOf()).open()).dialDatagrams('127.0.0.1', port);
  const back = received(stream);
  sendDatagram(stream, Buffer.from('who is there?'));
  await vi.waitFor(() => expect(asker).toBeDefined());
  const stranger = createSocket('udp4');
  onTestFinished(() => void stranger.close());
  const say = (socket: Socket, what: string) =>
    new Promise((resolve) => socket.send(what, asker?.port, '127.0.0.1', resolve));
  await say(stranger, 'me');
  if (asked === undefined) throw new Error('nobody asked');
  await say(asked, 'the right one');
  await arrives(back, 1);
  expect(back.map(String)).toEqual(['the right one']);
});

test('a port where nobody listens is silence, until somebody does', async () => {
  const gone = createSocket('udp4');
  gone.bind(0, '127.0.0.1');
  await once(gone, 'listening');
  const { port } = gone.address();
  await new Promise<void>((resolve) => gone.close(resolve));
  const bed = await bedOf();
  const stream = (await bed.open()).dialDatagrams('127.0.0.1', port);
  const back = received(stream);
  for (let count = 0; count < 10; count += 1) sendDatagram(stream, Buffer.from('too early'));
  await once(stream, 'response');
  const late = createSocket('udp4');
  late.on('message', (payload, from) => late.send(payload, from.port, from.address));
  late.bind(port, '127.0.0.1');
  await once(late, 'listening');
  onTestFinished(() => void late.close());
  await vi.waitFor(
    () => {
      sendDatagram(stream, Buffer.from('now'));
      expect(back.map(String)).toContain('now');
    },
    { timeout: 10_000 },
  );
  expect(stream.destroyed).toBe(false);
  stream.destroy();
  expect(await bed.logged('datagrams not delivered')).toMatchObject({ port, refused: expect.any(Number) });
});

test('a name that is not there has its code, and a wrong transport too', async () => {
  const bed = await bedOf();
  const tunnel = await bed.open();
  expect(await fate(tunnel.dialDatagrams('no-such-service.invalid', 53))).toBe('ENOTFOUND');
  const asked = tunnel.ask(
    { ':method': 'CONNECT', ':authority': '127.0.0.1:53', 'kubernetes-local-transport': 'sctp' },
    true,
  );
  if (asked === undefined) throw new Error('the tunnel is closing');
  const [headers] = await once(asked, 'response');
  expect(headers).toMatchObject({ ':status': 502, 'kubernetes-local-error': 'EPROTONOSUPPORT' });
  asked.destroy();
  await vi.waitFor(() => expect(bed.agent.counts.datagrams).toBe(0));
});

test('bytes that are no frames end the stream, and nothing else', async () => {
  const bed = await bedOf();
  const tunnel = await bed.open();
  const port = await echo();
  const stream = tunnel.dialDatagrams('127.0.0.1', port);
  stream.write(Buffer.from('ffff00', 'hex'));
  expect(await fate(stream)).toBe('ERR_HTTP2_STREAM_ERROR');
  expect(await bed.logged('datagrams refused')).toMatchObject({ reason: expect.stringContaining('65535 bytes') });
  const other = tunnel.dialDatagrams('127.0.0.1', port);
  const back = received(other);
  sendDatagram(other, Buffer.from('still here'));
  await arrives(back, 1);
});

test.each(['the end', 'a reset', 'the loss of the tunnel'])('after %s the socket in the pod is gone', async (how) => {
  const there: RemoteInfo[] = [];
  const port = await udpServer((_payload, from) => there.push(from));
  const bed = await bedOf();
  const stream = (await bed.open()).dialDatagrams('127.0.0.1', port).on('error', () => {});
  sendDatagram(stream, Buffer.from('x'));
  await arrives(there, 1);
  expect(bed.agent.counts.datagrams).toBe(1);
  const closed = new Promise((resolve) => stream.resume().once('close', resolve));
  if (how === 'the end') stream.end();
  else if (how === 'a reset') stream.destroy(new Error('not wanted any more'));
  else bed.forwarder.break();
  await closed;
  await vi.waitFor(() => expect(bed.agent.counts.datagrams).toBe(0));
  // The port of a socket that is closed can be had.
  const again = createSocket('udp4');
  onTestFinished(() => void again.close());
  again.bind(there[0]?.port ?? 0, '127.0.0.1');
  await once(again, 'listening');
});

test('a stream that carries nothing is closed, one that carries something is not', async () => {
  const bed = await bedOf({ datagramIdle: 400 });
  const tunnel = await bed.open();
  const port = await echo();
  const [silent, busy] = [tunnel.dialDatagrams('127.0.0.1', port), tunnel.dialDatagrams('127.0.0.1', port)];
  const back = received(busy);
  const sending = setInterval(() => sendDatagram(busy, Buffer.from('x')), 20);
  onTestFinished(() => clearInterval(sending));
  expect(await fate(silent)).toBe('closed');
  await arrives(back, 1);
  expect(busy.destroyed).toBe(false);
});

test('answers that nobody reads are dropped, so that neither end holds more than it may', {
  timeout: 120_000,
}, async () => {
  let asker: RemoteInfo | undefined;
  let socket: Socket | undefined;
  const port = await udpServer((_payload, from, server) => {
    asker = from;
    socket = server;
  });
  const bed = await bedOf();
  const tunnel = await bed.open();
  const stream = tunnel.dialDatagrams('127.0.0.1', port).on('error', () => {});
  sendDatagram(stream, Buffer.from('begin'));
  await vi.waitFor(() => expect(asker).toBeDefined());
  // More than the stream's window, many times the queue.
  const payload = Buffer.alloc(60_000, 1);
  const rounds = 1_600;
  for (let round = 0; round < rounds; round += 1) {
    await new Promise((resolve) => socket?.send(payload, asker?.port, '127.0.0.1', resolve));
    if (round % 4 === 0) await new Promise(setImmediate);
  }
  const held = await vi.waitFor(() => {
    expect(tunnel.statistics.bytesIn).toBeLessThan(rounds * payload.length);
    return tunnel.statistics.bytesIn;
  });
  expect(held).toBeLessThan(rounds * payload.length - datagramQueueLimit);
  await using tcp = await startEchoServer();
  const other = tunnel.dial('127.0.0.1', tcp.port);
  other.write('not in the way');
  expect(String((await once(other, 'data'))[0])).toBe('not in the way');
  stream.destroy();
  expect(await bed.logged('datagrams not delivered')).toMatchObject({ port, dropped: expect.any(Number) });
});

test('more streams than there may be are refused with a reason, and there is room again when some are gone', async () => {
  const bed = await bedOf({ dialLimits: { dialling: 10, datagrams: 3 } });
  const tunnel = await bed.open();
  const port = await echo();
  const streams = [1, 2, 3].map(() => tunnel.dialDatagrams('127.0.0.1', port));
  await Promise.all(streams.map((stream) => once(stream, 'response')));
  expect(await fate(tunnel.dialDatagrams('127.0.0.1', port))).toBe('EAGAIN');
  expect(await fate(tunnel.dialDatagrams('127.0.0.1', port))).toBe('EAGAIN');
  expect(bed.count('dials refused')).toBe(1);
  for (const stream of streams) stream.destroy();
  await vi.waitFor(() => expect(bed.agent.counts.datagrams).toBe(0));
  const next = tunnel.dialDatagrams('127.0.0.1', port);
  const back = received(next);
  sendDatagram(next, Buffer.from('x'));
  await arrives(back, 1);
});
