import { expect, it } from 'vitest';
import { endpointsByService } from './endpoints.ts';
import { endpointSliceSchema } from './objects.ts';

interface SliceChange {
  readonly service?: string;
  readonly addressType?: string;
  readonly endpoints?: unknown;
  readonly ports?: unknown;
}

function slice(name: string, { service = 'db', addressType = 'IPv4', endpoints, ports }: SliceChange) {
  return endpointSliceSchema.parse({
    metadata: { name, uid: name, resourceVersion: '1', labels: { 'kubernetes.io/service-name': service } },
    addressType,
    endpoints,
    ports: ports ?? [{ name: 'sql', port: 5432, protocol: 'TCP' }],
  });
}

const pod = (name: string, address: string, more: object = {}) => ({
  addresses: [address, '10.9.9.9'],
  targetRef: { kind: 'Pod', name },
  ...more,
});

const ports = [{ name: 'sql', port: 5432, protocol: 'TCP' }];

it('gives each Service its endpoints', () => {
  const endpoints = [
    pod('db-0', '10.1.0.1', { hostname: 'db-0', conditions: { ready: true } }),
    pod('db-1', '10.1.0.2', { hostname: '', conditions: { ready: false } }),
    { addresses: ['10.1.0.3'], targetRef: { kind: 'Node', name: 'node' } },
    { addresses: [] },
  ];
  const found = endpointsByService([slice('db-a', { endpoints }), slice('web-a', { service: 'web', endpoints: null })]);
  expect([...found]).toEqual([
    [
      'db',
      [
        { address: '10.1.0.1', hostname: 'db-0', pod: 'db-0', ready: true, ports },
        { address: '10.1.0.2', hostname: undefined, pod: 'db-1', ready: false, ports },
        { address: '10.1.0.3', hostname: undefined, pod: undefined, ready: true, ports },
      ],
    ],
    ['web', []],
  ]);
});

it('knows a pod of several slices once, at its IPv4 address, with the ports of all', () => {
  const six = slice('db-6', {
    addressType: 'IPv6',
    endpoints: [pod('db-0', 'fd00::1', { conditions: { ready: true } })],
  });
  const four = slice('db-4', {
    endpoints: [pod('db-0', '10.1.0.1', { conditions: { ready: false } })],
    ports: [{ port: 9000 }, { port: 9001, protocol: 'UDP' }],
  });
  expect(endpointsByService([six, four]).get('db')).toEqual([
    {
      address: '10.1.0.1',
      hostname: undefined,
      pod: 'db-0',
      ready: true,
      ports: [{ name: '', port: 9000, protocol: 'TCP' }, { name: '', port: 9001, protocol: 'UDP' }, ...ports],
    },
  ]);
  expect(endpointsByService([four, six])).toEqual(endpointsByService([six, four]));
});

it('takes a slice without ports for all ports, and none of one with names or without a Service', () => {
  const endpoints = [pod('db-0', '10.1.0.1')];
  const named = slice('db-n', { addressType: 'FQDN', endpoints: [{ addresses: ['db.example'] }] });
  const lonely = { ...slice('x', { endpoints }), metadata: { ...named.metadata, labels: {} } };
  const all = slice('db-a', { endpoints, ports: [{ name: '', port: null }] });
  expect([...endpointsByService([named, lonely, all]).values()]).toEqual([
    [{ address: '10.1.0.1', hostname: undefined, pod: 'db-0', ready: true, ports: [] }],
  ]);
});
