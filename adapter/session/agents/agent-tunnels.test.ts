import { once } from 'node:events';
import { expect, onTestFinished, test, vi } from 'vitest';
import { silentLog } from '../../diagnostics/log.ts';
import { fate, readText, startEchoServer, startTestBed } from '../../tunnel/test-bed.ts';
import { Tunnels } from '../../tunnel/tunnels.ts';
import { keepAgentTunnels } from './agent-tunnels.ts';
import { Outage } from './outage.ts';
import { Retries } from './retries.ts';

/** Keeps the tunnel to an agent in this process, whose pod is there until `goes`. */
const setUp = async () => {
  const bed = await startTestBed();
  onTestFinished(() => bed[Symbol.asyncDispose]());
  const stop = new AbortController();
  const gone = Promise.withResolvers<void>();
  const told: string[] = [];
  const outage = new Outage({ notice: ({ text }) => told.push(text), probe: () => {}, log: silentLog, quiet: 0 });
  const tunnels = new Tunnels();
  async function* pods(): AsyncGenerator<readonly string[]> {
    yield ['cart-1'];
    const stopped = once(stop.signal, 'abort');
    await Promise.race([gone.promise, stopped]);
    yield [];
    await stopped;
  }
  const lost: string[] = [];
  let broken = 0;
  const keeping = keepAgentTunnels(
    {
      ...bed.identity,
      pods: pods(),
      forwarder: bed.forwarder,
      tunnels,
      outage,
      lostConnections: { lost: ({ pod }) => lost.push(pod) },
      retries: new Retries(),
      onBroken: () => {
        broken += 1;
      },
      onInbound: ({ stream }) => void stream.pipe(stream),
      onPods: () => {},
      onTunnel: () => {},
      onUnproven: () => {},
      log: silentLog,
    },
    stop.signal,
  );
  onTestFinished(async () => {
    stop.abort();
    tunnels.end();
    await keeping;
  });
  await tunnels.whenConnected(stop.signal);
  return { bed, tunnels, outage, told, goes: gone.resolve, broken: () => broken, lost };
};

test('what a tunnel carried is lost when it breaks, and nothing if it carried nothing', async () => {
  const { bed, tunnels, lost } = await setUp();
  await using echo = await startEchoServer();
  const [first] = tunnels.all;
  bed.forwarder.break();
  await first?.closed;
  await vi.waitFor(() => expect(tunnels.size).toBe(1));
  expect(lost).toEqual([]);
  const open = tunnels.dial('127.0.0.1', echo.port);
  open.write('are you there?');
  await once(open, 'data');
  bed.forwarder.break();
  await fate(open);
  await vi.waitFor(() => expect(lost).toEqual(['cart-1']));
});

test('a tunnel that breaks is opened again, and a connection that comes meanwhile waits for it', async () => {
  const { bed, tunnels, outage, told, broken } = await setUp();
  await using echo = await startEchoServer();
  const [first] = tunnels.all;
  const open = fate(tunnels.dial('127.0.0.1', echo.port));
  bed.forwarder.break();
  await first?.closed;
  expect(await open).not.toBe('ENOTFOUND');
  const stream = tunnels.dial('127.0.0.1', echo.port);
  stream.end('still there');
  expect(await readText(stream)).toBe('still there');
  expect(tunnels.all[0]).not.toBe(first);
  expect(broken()).toBe(1);
  await vi.waitFor(() => expect(outage.status).toBeUndefined());
  expect(told.length % 2).toBe(0);
});

test('an outage is told once, however often it is tried, and its end once', async () => {
  const { bed, tunnels, outage, told } = await setUp();
  bed.forwarder.refuse(true);
  bed.forwarder.break();
  await vi.waitFor(() => expect(told).toHaveLength(1));
  await vi.waitFor(() => expect(bed.forwarder.refused).toBeGreaterThan(3), { timeout: 10_000 });
  expect(tunnels.size).toBe(0);
  bed.forwarder.refuse(false);
  await vi.waitFor(() => expect(tunnels.size).toBe(1), { timeout: 10_000 });
  expect(told).toHaveLength(2);
  expect(outage.status).toBeUndefined();
});

test('a pod that is gone is not tried again, and is no outage', async () => {
  const { bed, tunnels, outage, goes } = await setUp();
  bed.forwarder.refuse(true);
  goes();
  bed.forwarder.break();
  await vi.waitFor(() => expect(tunnels.size).toBe(0));
  await vi.waitFor(() => expect(outage.status).toBeUndefined());
});
