import { expect, onTestFinished, test, vi } from 'vitest';
import { watchSleep } from './sleep.ts';

const setUp = () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'] });
  onTestFinished(() => void vi.useRealTimers());
  const world = { clock: 100_000, addresses: '10.0.0.1' };
  const seen: string[] = [];
  const stop = new AbortController();
  watchSleep(
    {
      onAwake: (milliseconds) => seen.push(`awake after ${milliseconds}`),
      onNetworkChange: () => seen.push('network'),
      clock: () => world.clock,
      addresses: () => world.addresses,
    },
    stop.signal,
  );
  const tick = (passed = 1_000) => {
    world.clock += passed;
    vi.advanceTimersByTime(1_000);
  };
  return { world, seen, stop, tick };
};

test('a leap of time is told once', () => {
  const { seen, tick } = setUp();
  tick();
  tick(9_000);
  tick(25_000);
  tick();
  expect(seen).toEqual(['awake after 25000']);
});

test('a clock that is set is no sleep', () => {
  const { seen, tick } = setUp();
  for (const year of ['2001', '2049']) {
    vi.setSystemTime(new Date(`${year}-01-01T00:00:00Z`));
    tick();
  }
  expect(seen).toEqual([]);
});

test('another address is told once', () => {
  const { world, seen, tick } = setUp();
  tick();
  world.addresses = '192.168.1.7';
  tick();
  tick();
  expect(seen).toEqual(['network']);
});

test('the signal ends it', () => {
  const { seen, stop, tick } = setUp();
  stop.abort();
  tick(60_000);
  expect(seen).toEqual([]);
});

test('the real clock goes on, and the real addresses stay', async () => {
  const seen: string[] = [];
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  let looks = 0;
  const { elapsed } = await import('../../elapsed.ts');
  const clock = () => {
    looks += 1;
    return elapsed();
  };
  watchSleep(
    { onAwake: () => seen.push('awake'), onNetworkChange: () => seen.push('network'), clock, tick: 5 },
    stop.signal,
  );
  await vi.waitFor(() => expect(looks).toBeGreaterThan(5), { timeout: 10_000 });
  expect(seen).toEqual([]);
});
