import { expect, test } from 'vitest';
import { nearest, suggest } from './nearest.ts';

test('the nearest comes first and strangers do not come at all', () => {
  expect(nearest('crat', ['orders', 'cart', 'crate', 'prices'])).toEqual(['crate', 'cart']);
});

test('a part of a name finds the name', () => {
  expect(nearest('dev', ['my-company-dev-cluster', 'production'])).toEqual(['my-company-dev-cluster']);
});

test('without anything near it says what there is', () => {
  expect(suggest('xyzzy', ['prices', 'cart'], 'Services')).toBe('The Services are: cart, prices.');
  expect(suggest('carts', ['cart'], 'Services')).toBe('Did you mean "cart"?');
  expect(suggest('cart', [], 'Services')).toBe('');
});
