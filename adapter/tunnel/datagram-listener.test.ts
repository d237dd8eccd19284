import type { Socket } from 'node:dgram';
import { once } from 'node:events';
import { Duplex, PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { datagramQueueLimit, largestDatagram } from '../../agent/datagrams.ts';
import { type ListenDatagramsOptions, listenDatagrams } from './datagram-listener.ts';
import { ask, connected, echo } from './datagram-test-bed.ts';
import { DialError, failedStream } from './dial-error.ts';
import { startTestBed } from './test-bed.ts';
import { Tunnels } from './tunnels.ts';

const { signal } = new AbortController();
const fail = (error: Error) => {
  throw error;
};
const address = '127.64.9.1';
const prices = { dial: { host: 'prices' } };

let streams: Duplex[] = [];
let losses: string[] = [];
let open: (AsyncDisposable | Socket)[] = [];

beforeEach(() => {
  [streams, losses, open] = [[], [], []];
});
afterEach(async () => {
  for (const one of open) await ('close' in one ? one.close() : one[Symbol.asyncDispose]());
});

async function listen(dial: () => Duplex, limits: NonNullable<ListenDatagramsOptions['limits']> = {}) {
  const listener = await listenDatagrams({
    address,
    port: 0,
    dial: () => {
      const stream = dial();
      streams.push(stream);
      return stream;
    },
    onError: ({ message }) => losses.push(message),
    limits,
    signal,
  });
  open.push(listener);
  return listener;
}

/** A program's socket, and what it heard. */
async function program(port: number) {
  const socket = await connected(port, address);
  open.push(socket);
  const heard: Buffer[] = [];
  socket.on('message', (payload) => heard.push(payload));
  return { socket, heard };
}

describe('a UDP listener', () => {
  it('answers from its own address, which connected sockets insist on', async () => {
    const { port } = await listen(() => echo(prices, 53));
    expect(await ask(port, address, 'who?')).toBe('prices:53 who?');
  });

  it('keeps sources apart, with one stream for each', async () => {
    const { port } = await listen(() => new PassThrough());
    const [one, two] = [await program(port), await program(port)];
    for (let round = 0; round < 20; round++) {
      one.socket.send(`one ${round}`);
      two.socket.send(`two ${round}`);
    }
    await vi.waitFor(() => expect([one.heard.length, two.heard.length]).toEqual([20, 20]));
    expect(one.heard.every((payload) => String(payload).startsWith('one '))).toBe(true);
    expect(two.heard.every((payload) => String(payload).startsWith('two '))).toBe(true);
    expect(streams).toHaveLength(2);
  });

  it.each([0, 1, 1_500, largestDatagram])('carries a datagram of %i bytes whole', async (length) => {
    const { port } = await listen(() => new PassThrough());
    const { socket, heard } = await program(port);
    const sent = Buffer.from(Array.from({ length }, (_, index) => (index * 2_654_435_761) >>> 24));
    socket.send(sent);
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    expect(heard[0]?.equals(sent)).toBe(true);
  });

  it('forgets the source that was silent longest when there are too many', async () => {
    const { port } = await listen(() => new PassThrough(), { flows: 2 });
    const [one, two, three] = [await program(port), await program(port), await program(port)];
    const speak = async ({ socket, heard }: Awaited<ReturnType<typeof program>>) => {
      const before = heard.length;
      socket.send('x');
      await vi.waitFor(() => expect(heard).toHaveLength(before + 1));
    };
    for (const each of [one, two, one, three, one]) await speak(each);
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([false, true, false]);
    await speak(two);
    expect(streams.map(({ destroyed }) => destroyed)).toEqual([false, true, true, false]);
  });

  it('ends what was silent for too long, and begins again with the next datagram', async () => {
    const { port } = await listen(() => new PassThrough(), { idle: 50 });
    const { socket, heard } = await program(port);
    socket.send('first');
    await vi.waitFor(() => expect(streams[0]?.destroyed).toBe(true));
    socket.send('second');
    await vi.waitFor(() => expect(heard.map(String)).toEqual(['first', 'second']));
    expect(streams).toHaveLength(2);
    expect(losses).toEqual([]);
  });

  it('begins again when the far end has closed', async () => {
    const { port } = await listen(() => new PassThrough());
    const { socket, heard } = await program(port);
    socket.send('first');
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    streams[0]?.push(null);
    await vi.waitFor(() => expect(streams[0]?.destroyed).toBe(true));
    socket.send('second');
    await vi.waitFor(() => expect(heard).toHaveLength(2));
    expect(streams).toHaveLength(2);
  });

  it('drops what a stalled stream does not take, and tells how much', async () => {
    const listener = await listen(() => new Duplex({ read: () => {}, write: () => {} }));
    const { socket } = await program(listener.port);
    const payload = Buffer.alloc(10_000);
    for (let count = 0; count < 200; count++) {
      socket.send(payload);
      await setImmediate();
    }
    const stalled = () => streams[0]?.writableLength ?? 0;
    await vi.waitFor(() => expect(stalled()).toBeGreaterThanOrEqual(datagramQueueLimit));
    socket.send(payload);
    expect(stalled()).toBeLessThan(datagramQueueLimit + payload.length + 2);
    await vi.waitFor(async () => {
      socket.send('x');
      await listener[Symbol.asyncDispose]();
      expect(losses).toEqual([
        expect.stringMatching(/^\d+ datagrams? w\w+ lost: the tunnel is slower than the program$/),
      ]);
    });
  });

  it('is silent while nothing can be reached, dials again a little later, and tells why', async () => {
    let stands = false;
    const broken = () => failedStream(new DialError('ENETUNREACH', 'prices', 53));
    const listener = await listen(() => (stands ? new PassThrough() : broken()));
    const { socket, heard } = await program(listener.port);
    for (let count = 0; count < 50; count++) socket.send('lost');
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    stands = true;
    await vi.waitFor(() => {
      socket.send('asked again');
      expect(heard.length).toBeGreaterThan(0);
    });
    expect(streams).toHaveLength(2);
    await listener[Symbol.asyncDispose]();
    expect(losses).toEqual([expect.stringContaining('ENETUNREACH: no tunnel: prices:53')]);
  });

  it('ends a stream that says what no datagram can be', async () => {
    const { port } = await listen(() => new PassThrough());
    const { socket, heard } = await program(port);
    socket.send('good');
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    streams[0]?.push(Buffer.from([0xff, 0xff]));
    await vi.waitFor(() => expect(streams[0]?.destroyed).toBe(true));
    await vi.waitFor(() => {
      socket.send('again');
      expect(heard.length).toBeGreaterThan(1);
    });
  });

  it('ends its streams and frees its port, and is refused one that is taken', async () => {
    const listener = await listen(() => new PassThrough());
    const { port } = listener;
    const again = () => listenDatagrams({ address, port, dial: expect.unreachable, onError: fail, signal });
    await expect(again()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const { socket } = await program(port);
    socket.send('x');
    await vi.waitFor(() => expect(streams).toHaveLength(1));
    const closed = once(streams[0] ?? socket, 'close');
    await listener[Symbol.asyncDispose]();
    await closed;
    open.push(await again());
  });
});

describe('through the agent', () => {
  it('reaches a UDP server, also one that listens only later, and hears nothing before', async () => {
    await using bed = await startTestBed();
    const tunnels = new Tunnels();
    tunnels.add(await bed.open());
    const server = await listenDatagrams({ address, port: 0, dial: () => echo(prices, 53), onError: fail, signal });
    await server[Symbol.asyncDispose]();
    const { port } = await listen(() => tunnels.dialDatagrams(address, server.port));
    const { socket, heard } = await program(port);
    const refusals: Error[] = [];
    socket.on('error', (error) => refusals.push(error));
    for (let count = 0; count < 5; count++) socket.send('nobody');
    await vi.waitFor(() => expect(tunnels.all[0]?.statistics.streams).toBe(1));
    open.push(
      await listenDatagrams({ address, port: server.port, dial: () => echo(prices, 53), onError: fail, signal }),
    );
    await vi.waitFor(() => {
      socket.send('somebody');
      expect(heard.map(String)).toContain('prices:53 somebody');
    });
    expect(tunnels.all[0]?.statistics).toMatchObject({ streams: 1, opened: 1 });
    expect({ refusals, losses }).toEqual({ refusals: [], losses: [] });
  });

  it('opens no streams for those that were ended', async () => {
    await using bed = await startTestBed();
    const tunnel = await bed.open();
    const server = await listenDatagrams({ address, port: 0, dial: () => echo(prices, 53), onError: fail, signal });
    open.push(server);
    const { port } = await listen(() => tunnel.dialDatagrams(address, server.port), { flows: 8 });
    for (let count = 0; count < 40; count++) expect(await ask(port, address, `${count}`)).toBe(`prices:53 ${count}`);
    await vi.waitFor(() => expect(tunnel.statistics.streams).toBe(8));
    await Promise.all(open.splice(0).map((one) => ('close' in one ? one.close() : one[Symbol.asyncDispose]())));
    await vi.waitFor(() => expect(tunnel.statistics.streams).toBe(0));
  });
});
