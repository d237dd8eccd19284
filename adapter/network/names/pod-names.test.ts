import { expect, it } from 'vitest';
import { fullNameOf, isHoldable, relativeNames } from './pod-names.ts';

it('a full name has the Service, the namespace and the domain', () => {
  expect(fullNameOf({ name: 'prices', namespace: 'shop' }, 'k8s.example')).toBe('prices.shop.svc.k8s.example');
});

it('the forms are those that the search list completes', () => {
  const names = (full: string) => relativeNames(full, 'shop', 'cluster.local');
  expect(names('db-0.db.shop.svc.cluster.local')).toEqual([
    { name: 'db-0.db', rank: 0 },
    { name: 'db-0.db.shop', rank: 1 },
    { name: 'db-0.db.shop.svc', rank: 2 },
    { name: 'db-0.db.shop.svc.cluster.local', rank: 3 },
  ]);
  expect(names('prices.other.svc.cluster.local').map(({ name }) => name)[0]).toBe('prices.other');
  expect(names('prices.workshop.svc.cluster.local').map(({ name }) => name)[0]).toBe('prices.workshop');
  expect(names('api.example')).toEqual([{ name: 'api.example', rank: 3 }]);
});

it.each([
  ['prices', true],
  ['db-0.db.shop', true],
  ['1password', true],
  ['localhost.shop', true],
  ['localhost', false],
  ['x.localhost', false],
  ['1', false],
  ['10.0', false],
  ['x.0x7f', false],
  ['under_score', false],
  ['Prices', false],
  ['-x', false],
  ['x..y', false],
  ['', false],
  [`${'a'.repeat(63)}.b`, true],
  [`${'a'.repeat(64)}.b`, false],
  [`${'a.'.repeat(127)}a`, false],
])('a hosts file can hold %s: %s', (name, expected) => {
  expect(isHoldable(name)).toBe(expected);
});
