import { expect, test } from 'vitest';
import { Retries } from './retries.ts';

const never = new AbortController().signal;

/** The pauses of attempts that all fail, as they are asked of the clock. */
async function pauses(random: number, count: number): Promise<number[]> {
  const asked: number[] = [];
  const attempts = new Retries((milliseconds) => {
    asked.push(milliseconds);
    return Promise.resolve();
  }).begin(() => random);
  for (let index = 0; index < count; index += 1) await attempts.pause(never);
  return asked;
}

test('pauses are short while connections wait, then grow to ten seconds and no further', async () => {
  const asked = await pauses(0.5, 40);
  expect(asked.slice(0, 5)).toEqual([50, 100, 200, 400, 500]);
  const quick = asked.filter((pause) => pause <= 500);
  expect(quick.reduce((sum, pause) => sum + pause, 0)).toBeGreaterThan(9_000);
  expect(asked.slice(quick.length, quick.length + 6)).toEqual([1_000, 2_000, 4_000, 8_000, 10_000, 10_000]);
  expect(asked.at(-1)).toBe(10_000);
});

test('pauses are jittered by a quarter each way, never above the cap', async () => {
  expect(await pauses(0, 3)).toEqual([37.5, 75, 150]);
  const high = await pauses(1, 60);
  expect(high.slice(0, 3)).toEqual([62.5, 125, 250]);
  expect(Math.max(...high)).toBe(10_000);
});

test('success begins anew', async () => {
  const asked: number[] = [];
  const retries = new Retries((milliseconds) => {
    asked.push(milliseconds);
    return Promise.resolve();
  });
  const attempts = retries.begin(() => 0.5);
  await attempts.pause(never);
  await attempts.pause(never);
  attempts.succeeded();
  await attempts.pause(never);
  expect(asked).toEqual([50, 100, 50]);
});

test('new hope ends a pause; a network that changed ends an attempt too', async () => {
  const retries = new Retries();
  const attempts = retries.begin();
  for (let index = 0; index < 3; index += 1) await attempts.pause(never);
  const { signal } = attempts;
  const pausing = attempts.pause(never);
  retries.hurry();
  await pausing;
  expect(signal.aborted).toBe(false);
  const again = attempts.pause(never);
  retries.beginAnew();
  await again;
  expect(signal.aborted).toBe(true);
  expect(attempts.signal.aborted).toBe(false);
});

test('the end of the session ends a pause', async () => {
  const stop = new AbortController();
  const pausing = new Retries().begin().pause(stop.signal);
  stop.abort();
  await pausing;
});
