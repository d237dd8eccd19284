import { expect, it } from 'vitest';
import { type Clock, keepToken, refreshAfter } from './service-account-token.ts';
import type { IssuedToken } from './volume-reader.ts';

const minute = 60_000;

/** A clock that runs as soon as somebody sleeps, until it is stopped. */
class FastClock implements Clock {
  time = 0;
  readonly stop = new AbortController();
  readonly #end: number;
  constructor(end: number) {
    this.#end = end;
  }
  now() {
    return this.time;
  }
  async sleep(milliseconds: number, signal: AbortSignal) {
    this.time += milliseconds;
    if (this.time >= this.#end) this.stop.abort(new Error('the end'));
    signal.throwIfAborted();
  }
}

it('is renewed at 80 % of its life, or after a day', () => {
  expect(refreshAfter(600_000, 0)).toBe(480_000);
  expect(refreshAfter(600_000, 1)).toBe(470_000);
  expect(refreshAfter(30 * 24 * 60 * minute, 0)).toBe(24 * 60 * minute);
  expect(refreshAfter(1000, 1)).toBe(0);
});

async function keep(end: number, answer: (time: number) => IssuedToken) {
  const clock = new FastClock(end);
  const seen: string[] = [];
  const say = (text: string) => seen.push(`${Math.floor(clock.time / minute)} ${text}`);
  const keeping = keepToken(
    {
      current: { issued: 0, lifetime: 10 * minute },
      clock,
      request: async () => answer(clock.time),
      renewed: async ({ token }) => void say(token),
      failed: () => say('failed'),
      expired: () => say('expired'),
    },
    clock.stop.signal,
  );
  await expect(keeping).rejects.toThrow('the end');
  return seen;
}

it('is renewed again and again', async () => {
  let count = 0;
  const seen = await keep(30 * minute, () => ({ token: `t${++count}`, lifetime: 10 * minute }));
  expect(seen.map((text) => text.split(' ')[1])).toEqual(['t1', 't2', 't3']);
  expect(seen.map((text) => Number(text.split(' ')[0]))).toEqual([7, 15, 23]);
});

it('is asked for again after a failure; that it has expired is told once', async () => {
  const seen = await keep(25 * minute, (time) => {
    if (time < 15 * minute) throw new Error('no');
    return { token: 'new', lifetime: 60 * minute };
  });
  const failures = seen.filter((text) => text.endsWith('failed')).length;
  expect(failures).toBeGreaterThan(6);
  expect(failures).toBeLessThan(20);
  expect(seen.filter((text) => text.endsWith('expired'))).toEqual([expect.stringMatching(/^1[01] expired$/)]);
  expect(seen.at(-1)).toMatch(/^1[56] new$/);
});
