import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, test, vi } from 'vitest';
import type { FakeAnswer } from '../cluster/fake-api-server.ts';
import { FakeApiServer } from '../cluster/fake-api-server.ts';
import { readLeaseObject } from '../cluster/lease-object.ts';
import { silentLog } from '../diagnostics/log.ts';
import { watchLeases } from './reaper.ts';

const name = 'kubernetes-local-deployment-cart';
let stop = new AbortController();
afterEach(() => {
  stop.abort();
  stop = new AbortController();
});

/** An API server with another clock, and one Lease of a second in it. */
class OddClock {
  readonly ahead: number;
  renewTime: string;
  readonly #fail: () => boolean;

  constructor(ahead: number, fail: () => boolean = () => false) {
    this.ahead = ahead;
    this.#fail = fail;
    this.renewTime = this.now().toISOString();
  }

  now(): Date {
    return new Date(Date.now() + this.ahead);
  }

  answer = (): FakeAnswer => (response) => {
    const metadata = { name, namespace: 'shop', uid: 'u', resourceVersion: '1' };
    const spec = { holderIdentity: 'a', leaseDurationSeconds: 1, renewTime: this.renewTime };
    response.writeHead(this.#fail() ? 503 : 200, {
      Date: this.now().toUTCString(),
      'Content-Type': 'application/json',
    });
    response.end(JSON.stringify({ metadata, spec }));
  };
}

/** Watches until the test ends; the renewals that it gave up on, and how often it looked. */
function watch(server: FakeApiServer) {
  const reaped: string[] = [];
  const cluster = server.cluster();
  let looks = 0;
  const options = {
    read: async (signal: AbortSignal) => {
      const lease = await readLeaseObject(cluster, 'shop', name, signal);
      return lease === undefined ? [] : [lease];
    },
    now: () => cluster.api.now(),
    reap: async ({ spec }: { spec: { renewTime: string } }) => {
      reaped.push(spec.renewTime);
      return 'undone' as const;
    },
    delay: 0,
    log: silentLog,
    poll: 20,
  };
  const ended = watchLeases(options, () => looks++, stop.signal).catch((error: unknown) => error);
  return { reaped, looks: () => looks, ended };
}

test.each([3_600_000, -3_600_000])(
  'a clock that is %d ms ahead does not make a living session dead, and a dead one not alive',
  async (ahead) => {
    const odd = new OddClock(ahead);
    await using server = await FakeApiServer.start(odd.answer);
    const { reaped, looks } = watch(server);
    const end = performance.now() + 1_500;
    while (performance.now() < end) {
      odd.renewTime = odd.now().toISOString();
      await delay(100);
    }
    expect(looks()).toBeGreaterThan(10);
    expect(reaped).toEqual([]);
    const last = odd.renewTime;
    await vi.waitFor(() => expect(reaped[0]).toBe(last), { timeout: 20_000 });
  },
);

test('an API server that is away for a moment changes nothing', async () => {
  let away = true;
  const odd = new OddClock(0, () => away);
  await using server = await FakeApiServer.start(odd.answer);
  const { reaped, looks } = watch(server);
  await vi.waitFor(() => expect(server.requests.length).toBeGreaterThan(1), { timeout: 20_000 });
  expect(looks()).toBe(0);
  away = false;
  await vi.waitFor(() => expect(reaped).not.toEqual([]), { timeout: 20_000 });
});

test('it ends with its signal', async () => {
  await using server = await FakeApiServer.start(new OddClock(0).answer);
  const { ended, looks } = watch(server);
  await vi.waitFor(() => expect(looks()).toBeGreaterThan(0));
  stop.abort(new Error('enough'));
  expect(await ended).toMatchObject({ message: 'enough' });
});
