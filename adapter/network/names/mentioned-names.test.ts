import { expect, it } from 'vitest';
import type { Destination } from './destinations.ts';
import { mentionedNames } from './mentioned-names.ts';

function destination(name: string, ports: readonly number[]): Destination {
  return {
    key: `shop/${name}`,
    label: name,
    namespace: 'shop',
    hostNames: [name, `${name}.shop`, `${name}.shop.svc`, `${name}.shop.svc.cluster.local`],
    shortNames: [name],
    ports,
    portNames: {},
    dial: { host: '10.0.0.1' },
  };
}

const destinations = [destination('prices', [80]), destination('redis', [6379]), destination('db-0', [5432])];

function namesIn(value: string, name = 'SETTING'): readonly string[] {
  return mentionedNames([{ name, value }], destinations).get(name) ?? [];
}

it.each([
  ['http://prices/', ['prices']],
  ['https://prices:8443/v1?x=1', ['prices']],
  ['redis://redis:6379/0', ['redis']],
  ['redis://redis:geheim@redis', ['redis']],
  ['redis:6379', ['redis']],
  ['user:word@tcp(redis:6379)/data', ['redis']],
  ['mongodb://redis,db-0:27017/data', ['redis', 'db-0']],
  ['a:1,redis:6379,db-0:5432', ['redis', 'db-0']],
  ['host=db-0 port=5432 user=prices', ['db-0']],
  ['Server=db-0;Database=prices', ['db-0']],
  ['jdbc:postgresql://DB-0.shop.svc.cluster.local./prices', ['db-0.shop.svc.cluster.local']],
  ['{"prices":"prices.shop.svc"}', ['prices.shop.svc']],
])('%s calls %j', (value, names) => {
  expect(namesIn(value)).toEqual(names);
});

it.each([
  'prices',
  'redis:7',
  'redis:63790',
  'http://example.com/prices',
  'http://example.com/?prices=80',
  'http://prices:word@example.com/',
  'http://prices.example.com/',
  'http://my-prices/',
  'my_prices:80',
  '/var/lib/redis',
  'kubernetes-local.test/redis:6379',
  '',
])('%s calls nothing', (value) => {
  expect(namesIn(value)).toEqual([]);
});

it('takes a bare name for a host where the variable says so', () => {
  expect(namesIn('prices', 'PRICES_HOST')).toEqual(['prices']);
  expect(namesIn('prices, redis', 'servers')).toEqual(['prices', 'redis']);
  expect(namesIn('prices', 'NAME')).toEqual([]);
  expect(namesIn('the prices', 'PRICES_HOST')).toEqual([]);
});

it('leaves out variables without names', () => {
  const found = mentionedNames(
    [
      { name: 'A', value: 'http://prices/ http://redis/ http://prices/' },
      { name: 'B', value: 'nothing' },
    ],
    destinations,
  );
  expect([...found]).toEqual([['A', ['prices', 'redis']]]);
});

it('reads a long value without names quickly', () => {
  expect(namesIn('x-'.repeat(60_000))).toEqual([]);
});
