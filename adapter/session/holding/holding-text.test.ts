import { expect, it } from 'vitest';
import { shortTime } from './holding-text.ts';

const at = (day: number, hours: number, minutes: number) => new Date(2026, 0, day, hours, minutes);

it.each([
  [at(5, 9, 5).toISOString(), '09:05'],
  [at(4, 23, 59).toISOString(), '2026-01-04 23:59'],
  ['no time', 'no time'],
])('%s is %s', (iso, text) => {
  expect(shortTime(iso, at(5, 12, 0))).toBe(text);
});
