import { describe, expect, it } from 'vitest';
import { allocateAddresses, isServiceAddress, nextAddress } from './addresses.ts';

const prices = { name: 'prices', namespace: 'shop', ports: [80] };
const cart = { name: 'cart', namespace: 'shop', ports: [80, 9000] };
const elsewhere = { name: 'prices', namespace: 'other', ports: [80] };

describe('addresses', () => {
  it('are told from all others', () => {
    const candidates = ['127.63.255.254', '127.64.0.1', '127.127.255.254', '127.128.0.1', '10.64.0.1', '0.0.0.0', '::'];
    expect(candidates.filter(isServiceAddress)).toEqual(['127.64.0.1', '127.127.255.254']);
  });

  it('are the same each time, in any order, and differ between services', () => {
    const forth = allocateAddresses([prices, cart, elsewhere], new Set(), 'shop');
    const back = allocateAddresses([elsewhere, cart, prices], new Set(), 'shop').toReversed();
    expect(back).toEqual(forth);
    expect(new Set(forth.map((service) => service.address)).size).toBe(3);
    // A constant: a new release must not move the services of a session that still runs.
    expect(forth.map((service) => service.address)).toEqual(['127.101.80.32', '127.116.139.136', '127.64.49.109']);
  });

  it('stay inside 127.64.0.0/10 and off .0 and .255, for thousands of services without a clash', () => {
    const services = Array.from({ length: 5_000 }, (_, index) => ({ ...prices, name: `s${index}` }));
    const addresses = allocateAddresses(services, new Set(), 'shop').map((service) => service.address);
    expect(new Set(addresses).size).toBe(5_000);
    for (const address of addresses) {
      const [a, b = 0, c = 0, d = 0] = address.split('.').map(Number);
      expect(a === 127 && b >= 64 && b <= 127 && c >= 0 && c <= 255 && d >= 1 && d <= 254, address).toBe(true);
    }
  });

  it('avoid what is taken', () => {
    const [first] = allocateAddresses([prices], new Set(), 'shop');
    const taken = new Set([first?.address ?? '']);
    const [second] = allocateAddresses([prices], taken, 'shop');
    expect(second?.address).toBe(nextAddress(first?.address ?? '', taken));
    expect(second?.address).not.toBe(first?.address);
  });

  it('go on at the beginning of the range after its end', () => {
    expect(nextAddress('127.127.255.254', new Set())).toBe('127.64.0.1');
    expect(nextAddress('127.64.0.254', new Set())).toBe('127.64.1.1');
    expect(nextAddress('127.64.0.1', new Set(['127.64.0.2']))).toBe('127.64.0.3');
  });
});

describe('names', () => {
  it('are those of a pod in the session’s namespace', () => {
    const [inside, outside] = allocateAddresses([prices, elsewhere], new Set(), 'shop');
    expect(inside?.hostNames).toEqual(['prices', 'prices.shop', 'prices.shop.svc', 'prices.shop.svc.cluster.local']);
    expect(outside?.hostNames).toEqual(['prices.other', 'prices.other.svc', 'prices.other.svc.cluster.local']);
  });

  it('end in the domain of the cluster', () => {
    const [service] = allocateAddresses([prices], new Set(), 'shop', 'k8s.example');
    expect(service?.hostNames.at(-1)).toBe('prices.shop.svc.k8s.example');
  });
});
