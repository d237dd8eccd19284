import { expect, test } from 'vitest';
import { originalAnnotation, originalsOf } from './annotations.ts';

test('every container has an annotation of its own that Kubernetes accepts', () => {
  const names = ['cart', `${'c'.repeat(62)}1`, `${'c'.repeat(62)}2`];
  const keys = names.map(originalAnnotation);
  expect(new Set(keys).size).toBe(3);
  for (const key of keys) expect(key).toMatch(/^kubernetes-local\/[a-z0-9-]{1,63}$/);
  expect(keys[0]).toBe('kubernetes-local/original-cart');
});

test('only records are found among annotations', () => {
  expect(originalsOf({ [originalAnnotation('cart')]: 'a', 'kubernetes-local/session': 's', other: 'o' })).toEqual([
    'a',
  ]);
});
