import { expect, test } from 'vitest';
import { selectorText, selects } from './selector.ts';

test("selectors are written in the API server's syntax", () => {
  const selector = {
    matchLabels: { app: 'cart', tier: 'web' },
    matchExpressions: [
      { key: 'zone', operator: 'In', values: ['a', 'b'] },
      { key: 'track', operator: 'NotIn', values: ['canary'] },
      { key: 'x', operator: 'Exists' },
      { key: 'y', operator: 'DoesNotExist' },
    ],
  };
  expect(selectorText(selector)).toBe('app=cart,tier=web,zone in (a,b),track notin (canary),x,!y');
});

test('a Service without selector selects nothing', () => {
  expect(selects({}, { app: 'cart' })).toBe(false);
  expect(selects({ app: 'cart' }, { app: 'cart', version: '1' })).toBe(true);
  expect(selects({ app: 'cart', version: '2' }, { app: 'cart', version: '1' })).toBe(false);
});
