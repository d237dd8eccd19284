import { once } from 'node:events';
import { type Duplex, PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { failedStream } from './dial-error.ts';
import { fate } from './test-bed.ts';
import type { Tunnel } from './tunnel.ts';
import { Tunnels } from './tunnels.ts';

const fakeTunnel = (pod: string) => {
  const { promise: closed, resolve: close } = Promise.withResolvers<Error | undefined>();
  const dialled: string[] = [];
  let closing = false;
  const tunnel: Tunnel = {
    pod,
    closed,
    roundTripTime: undefined,
    statistics: { streams: 0, opened: 0, bytesIn: 0, bytesOut: 0 },
    dial: (host, port): Duplex => {
      if (closing) return failedStream(new Error('closing'));
      dialled.push(`${host}:${port}`);
      return new PassThrough();
    },
    ask: () => undefined,
    [Symbol.asyncDispose]: async () => {},
  };
  return {
    tunnel,
    dialled,
    close,
    startClosing: () => {
      closing = true;
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

test('without a tunnel a dial is refused', async () => {
  expect(await fate(new Tunnels().dial('prices', 80))).toBe('ECONNREFUSED');
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
