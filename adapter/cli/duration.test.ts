import { InvalidArgumentError } from 'commander';
import { expect, test } from 'vitest';
import { describeDuration, parseDuration } from './duration.ts';

test.each([
  ['90s', 90_000],
  ['30m', 1_800_000],
  ['1.5h', 5_400_000],
  ['0s', 0],
])('%s', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '5', 'h', '-1s', '1d', '1h30m', '5 s', 'Infinity'])('"%s" is none', (text) => {
  expect(() => parseDuration(text)).toThrow(InvalidArgumentError);
});

test.each([
  [28_800_000, '8 hours'],
  [5_400_000, '1 hour 30 minutes'],
  [61_000, '1 minute 1 second'],
  [0, '0 seconds'],
])('%d ms', (ms, text) => {
  expect(describeDuration(ms)).toBe(text);
});
