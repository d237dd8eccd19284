import { expect, test } from 'vitest';
import { parseQuantity } from './quantity.ts';

test.each([
  ['0', 0, 0n],
  ['9', 3, 9000n],
  ['1200m', 3, 1200n],
  ['100m', 0, 1n],
  ['0.5', 3, 500n],
  ['.5', 3, 500n],
  ['5.', 3, 5000n],
  ['1.5Gi', 0, 1610612736n],
  ['100Mi', 0, 104857600n],
  ['1k', 0, 1000n],
  ['1e3', 0, 1000n],
  ['12E2', 0, 1200n],
  ['1E', 0, 10n ** 18n],
  ['5Ei', 0, 5n * 2n ** 60n],
  ['1n', 3, 1n],
  ['2000u', 3, 2n],
  ['2001u', 3, 3n],
  ['-1500m', 0, -2n],
  ['+3', 0, 3n],
  ['8130252Ki', 0, 8325378048n],
])('%s in units of 10^-%i', (text, scale, expected) => {
  expect(parseQuantity(text, scale)).toBe(expected);
});

test.each(['', 'x', '1 Gi', '1KI', 'Mi', '1.2.3', '1e', '--1', '1e999999999'])('"%s" is no quantity', (text) => {
  expect(parseQuantity(text, 0)).toBeUndefined();
});
