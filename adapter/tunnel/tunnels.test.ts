import { once } from 'node:events';
import { type Duplex, PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { failedStream } from './dial-error.ts';
import { fate, readText } from './test-bed.ts';
import type { Tunnel } from './tunnel.ts';
import { Tunnels } from './tunnels.ts';

const fakeTunnel = (pod: string) => {
  const { promise: closed, resolve: close } = Promise.withResolvers<Error | undefined>();
  const dialled: string[] = [];
  let closing = false;
  let answering = true;
  const tunnel: Tunnel = {
    pod,
    closed,
    roundTripTime: undefined,
    get answering() {
      return answering;
    },
    check: () => {},
    statistics: { streams: 0, opened: 0, lost: 0, bytesIn: 0, bytesOut: 0 },
    dial: (host, port): Duplex => {
      if (closing) return failedStream(new Error('closing'));
      dialled.push(`${host}:${port}`);
      return new PassThrough();
    },
    dialDatagrams: (host, port): Duplex => {
      if (closing) return failedStream(new Error('closing'));
      dialled.push(`udp ${host}:${port}`);
      return new PassThrough();
    },
    ask: () => undefined,
    setGuests: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  return {
    tunnel,
    dialled,
    close,
    startClosing: () => {
      closing = true;
    },
    answer: (does: boolean) => {
      answering = does;
    },
  };
};

test('dials take turns over the pods, and leave out one that closes', async () => {
  const [one, two] = [fakeTunnel('a'), fakeTunnel('b')];
  const tunnels = new Tunnels();
  tunnels.add(one.tunnel);
  tunnels.add(two.tunnel);
  tunnels.add(two.tunnel);
  for (let count = 0; count < 4; count += 1) tunnels.dial('prices', 80);
  expect([one.dialled.length, two.dialled.length]).toEqual([2, 2]);

  one.startClosing();
  for (let count = 0; count < 4; count += 1) expect(tunnels.dial('prices', 80).destroyed).toBe(false);
  expect([one.dialled.length, two.dialled.length]).toEqual([2, 6]);

  one.close(undefined);
  await one.tunnel.closed;
  expect(tunnels.size).toBe(1);
});

test('datagrams take turns over the pods like dials, and never wait', async () => {
  const tunnels = new Tunnels();
  expect(await fate(tunnels.dialDatagrams('statsd', 8125))).toBe('ENETUNREACH');
  const [one, two] = [fakeTunnel('a'), fakeTunnel('b')];
  tunnels.add(one.tunnel);
  tunnels.add(two.tunnel);
  for (let count = 0; count < 4; count += 1) tunnels.dialDatagrams('statsd', 8125);
  expect([one.dialled, two.dialled]).toEqual([Array(2).fill('udp statsd:8125'), Array(2).fill('udp statsd:8125')]);
  one.answer(false);
  tunnels.dialDatagrams('statsd', 8125);
  expect(two.dialled).toHaveLength(3);
  two.answer(false);
  const lost = tunnels.dialDatagrams('statsd', 8125);
  const ended = fate(lost);
  lost.write('dropped');
  expect(await ended).toBe('ENETUNREACH');
});

test('before the first tunnel a dial is refused', async () => {
  expect(await fate(new Tunnels().dial('prices', 80))).toBe('ECONNREFUSED');
});

describe('when the last tunnel is lost', () => {
  const afterLoss = async (patience?: number): Promise<Tunnels> => {
    const tunnels = new Tunnels(patience);
    const lost = fakeTunnel('a');
    tunnels.add(lost.tunnel);
    lost.close(new Error('cut'));
    await lost.tunnel.closed;
    expect(tunnels.size).toBe(0);
    return tunnels;
  };

  test('a dial waits for the next one, with what was written and its end', async () => {
    const tunnels = await afterLoss();
    const stream = tunnels.dial('prices', 80);
    const closed = once(stream, 'close');
    stream.write('one, ');
    stream.write('two, ');
    stream.end('three');
    const next = fakeTunnel('b');
    tunnels.add(next.tunnel);
    expect(next.dialled).toEqual(['prices:80']);
    expect(await readText(stream)).toBe('one, two, three');
    await closed;
  });

  test('one that nobody wants any more is not dialled', async () => {
    const tunnels = await afterLoss();
    const stream = tunnels.dial('prices', 80).destroy();
    await once(stream, 'close');
    const next = fakeTunnel('b');
    tunnels.add(next.tunnel);
    expect(next.dialled).toEqual([]);
  });

  test('it fails when the time is over, and is refused at the end of the session', async () => {
    expect(await fate((await afterLoss(10)).dial('prices', 80))).toBe('ETIMEDOUT');
    const tunnels = await afterLoss();
    const waiting = fate(tunnels.dial('prices', 80));
    tunnels.end();
    expect(await waiting).toBe('ECONNREFUSED');
    expect(await fate(tunnels.dial('prices', 80))).toBe('ECONNREFUSED');
  });
});

test('a tunnel that is silent gets no dial until it answers again', async () => {
  const tunnels = new Tunnels();
  const [one, two] = [fakeTunnel('a'), fakeTunnel('b')];
  tunnels.add(one.tunnel);
  tunnels.add(two.tunnel);
  one.answer(false);
  for (let count = 0; count < 4; count += 1) tunnels.dial('prices', 80);
  expect([one.dialled.length, two.dialled.length]).toEqual([0, 4]);
  two.answer(false);
  const stream = tunnels.dial('prices', 80);
  stream.end('hello');
  one.answer(true);
  expect(await readText(stream)).toBe('hello');
  expect(one.dialled).toHaveLength(1);
});

test('one can wait for the first tunnel', async () => {
  const tunnels = new Tunnels();
  const waiting = tunnels.whenConnected(new AbortController().signal);
  tunnels.add(fakeTunnel('a').tunnel);
  await waiting;
  await tunnels.whenConnected(new AbortController().signal);
});

test('one can give up waiting', async () => {
  const controller = new AbortController();
  const waiting = new Tunnels().whenConnected(controller.signal);
  controller.abort(new Error('given up'));
  await expect(waiting).rejects.toThrow('given up');
  await expect(new Tunnels().whenConnected(controller.signal)).rejects.toThrow('given up');
});

test('a failed stream tells its caller, not the process', async () => {
  const stream = failedStream(new Error('no'));
  expect((await once(stream, 'error'))[0]).toMatchObject({ message: 'no' });
});
