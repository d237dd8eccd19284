import { describe, expect, it } from 'vitest';
import { isServiceAddress, nextAddress, placeDestinations, syntheticAddresses } from './addresses.ts';
import type { Destination } from './destinations.ts';

function destination(key: string): Destination {
  return {
    key,
    label: key,
    namespace: 'shop',
    hostNames: [key],
    shortNames: [key],
    ports: [80],
    portNames: {},
    dial: { host: key },
  };
}

/** Key → address. */
function place(keys: readonly string[], taken: readonly string[] = [], earlier?: ReadonlyMap<string, string>) {
  const placed = placeDestinations(keys.map(destination), new Set(taken), earlier);
  expect(placed.map((one) => one.destination.key)).toEqual(keys);
  return Object.fromEntries(placed.map((one) => [one.destination.key, one.address]));
}

describe('addresses', () => {
  it('are told from all others', () => {
    const candidates = ['127.63.255.254', '127.64.0.1', '127.127.255.254', '127.128.0.1', '10.64.0.1', '0.0.0.0', '::'];
    expect(candidates.filter(isServiceAddress)).toEqual(['127.64.0.1', '127.127.255.254']);
  });

  it('are the same each time, in any order', () => {
    // Constants: a new release must not move the services of a session that still runs.
    const expected = {
      'shop/prices': '127.101.80.32',
      'shop/cart': '127.116.139.136',
      'other/prices': '127.64.49.109',
    };
    expect(place(Object.keys(expected))).toEqual(expected);
    expect(place(Object.keys(expected).toReversed())).toEqual(expected);
  });

  it('stay inside 127.64.0.0/10 and off .0 and .255, for thousands of destinations without a clash', () => {
    const addresses = Object.values(place(Array.from({ length: 5_000 }, (_, index) => `shop/s${index}`)));
    expect(new Set(addresses).size).toBe(5_000);
    for (const address of addresses) {
      const [a, b = 0, c = 0, d = 0] = address.split('.').map(Number);
      expect(a === 127 && b >= 64 && b <= 127 && c >= 0 && c <= 255 && d >= 1 && d <= 254, address).toBe(true);
    }
  });

  it('avoid what is taken', () => {
    expect(place(['shop/prices'], ['127.101.80.32'])).toEqual({ 'shop/prices': '127.101.80.33' });
  });

  it('stay with what had them, also where we hold them, and nobody else gets them', () => {
    const earlier = new Map([
      ['shop/gone', '127.101.80.32'],
      ['shop/cart', '127.100.0.1'],
    ]);
    const taken = [...earlier.values()];
    expect(place(['shop/prices', 'shop/cart'], taken, earlier)).toEqual({
      'shop/prices': '127.101.80.33',
      'shop/cart': '127.100.0.1',
    });
    expect(place(['shop/gone'], taken, earlier)).toEqual({ 'shop/gone': '127.101.80.32' });
  });

  it('go on at the beginning of the range after its end', () => {
    expect(nextAddress('127.127.255.254', new Set())).toBe('127.64.0.1');
    expect(nextAddress('127.64.0.254', new Set())).toBe('127.64.1.1');
    expect(nextAddress('127.64.0.1', new Set(['127.64.0.2']))).toBe('127.64.0.3');
  });
});

describe('addresses in a private network', () => {
  const keys = Array.from({ length: 1000 }, (_, index) => `shop/db/db-${index}`);

  it('are of 198.18.0.0/15, all different, the same in any order', () => {
    const addresses = syntheticAddresses(keys.map(destination), new Map());
    expect(new Set(addresses.values()).size).toBe(1000);
    expect([...addresses.values()].every((address) => /^198\.1[89]\./.test(address))).toBe(true);
    expect(syntheticAddresses(keys.toReversed().map(destination), new Map())).toEqual(addresses);
  });

  it('stay with what had them, and nobody else gets them', () => {
    const [address = ''] = syntheticAddresses([destination('shop/a')], new Map()).values();
    const earlier = new Map([
      ['shop/gone', address],
      ['shop/b', '198.18.0.77'],
    ]);
    const again = syntheticAddresses([destination('shop/a'), destination('shop/b')], earlier);
    expect(again.get('shop/a')).not.toBe(address);
    expect(again.get('shop/b')).toBe('198.18.0.77');
  });
});
