import { expect, it } from 'vitest';
import { parseDuration } from './duration.ts';

it.each([
  ['20ms', 20],
  ['1.5s', 1500],
  ['2m', 120_000],
  ['0', 0],
  ['0ms', 0],
  [' 5s ', 5000],
])('reads %s', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

it.each(['20', '-1s', 's', '', '1h', '1s 2s', '1,5s', 'NaNms'])('refuses %j and says how to write it', (text) => {
  expect(() => parseDuration(text)).toThrow(/20ms, 1.5s or 2m/);
});
