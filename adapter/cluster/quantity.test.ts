import { expect, test } from 'vitest';
import { parseQuantity } from './quantity.ts';

test.each([
  ['128Mi', 134_217_728],
  ['0.5Gi', 536_870_912],
  ['250m', 0.25],
  ['1', 1],
  ['1e3', 1000],
  ['2E', 2e18],
  ['100M', 1e8],
  ['.5', 0.5],
])('%s is %d', (text, value) => {
  expect(parseQuantity(text)).toBeCloseTo(value, 6);
});

test.each(['', 'Mi', '12 Mi', '1.2.3', '1KiB', 'much'])('"%s" is no quantity', (text) => {
  expect(parseQuantity(text)).toBeUndefined();
});
