import { expect, test } from 'vitest';
import { Limit } from './limits.ts';

test('a limit is told when it is reached, and again only after half of it was free', () => {
  const told: number[] = [];
  const limit = new Limit(4, (most) => told.push(most));
  expect([0, 1, 2, 3].map((count) => limit.reached(count))).toEqual([false, false, false, false]);
  expect([4, 5, 3, 4].map((count) => limit.reached(count))).toEqual([true, true, false, true]);
  expect(told).toEqual([4]);
  expect([2, 4].map((count) => limit.reached(count))).toEqual([false, true]);
  expect(told).toEqual([4, 4]);
});
