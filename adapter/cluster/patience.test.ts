import { expect, test } from 'vitest';
import { Patience } from './patience.ts';

test('patience runs for each state by itself, from when it was first seen', () => {
  let now = 0;
  const patience = new Patience(() => now);
  expect(patience.isOver('pulling', 1000)).toBe(false);
  expect(patience.isOver('crashed', 0)).toBe(true);
  now = 999;
  expect(patience.isOver('pulling', 1000)).toBe(false);
  now = 1000;
  expect(patience.isOver('pulling', 1000)).toBe(true);
  expect(patience.isOver('scheduling', 1000)).toBe(false);
});
