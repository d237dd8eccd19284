import { expect, test } from 'vitest';
import { placesOf } from './namespace-network.ts';

function at(address: string, label: string, ports: readonly number[]) {
  const names = { hostNames: [label, 'shared'], shortNames: [label], portNames: {} };
  const destination = { key: label, label, namespace: 'shop', ports, dial: { host: address }, ...names };
  return { destination, address, ports: ports.map((port) => ({ port, localPort: port })) };
}

test('a pod behind several headless Services is one place, with the names and ports of all', () => {
  const reachable = [
    at('10.244.0.7', 'db-0.db', [5432]),
    at('10.244.0.8', 'db-1.db', [5432]),
    at('10.244.0.7', 'db-0.metrics', [5432, 9187]),
  ];
  expect(placesOf(reachable)).toEqual([
    { address: '10.244.0.7', names: ['db-0.db', 'shared', 'db-0.metrics'], ports: [5432, 9187] },
    { address: '10.244.0.8', names: ['db-1.db', 'shared'], ports: [5432] },
  ]);
});
