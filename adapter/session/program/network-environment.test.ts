import { describe, expect, it } from 'vitest';
import type { Destination } from '../../network/names/destinations.ts';
import type { NetworkMode, WorkstationNetwork } from '../../network/workstation-network.ts';
import { addressFor, unusableNames, withLocalPorts } from './network-environment.ts';

function reachable(name: string, namespace: string, address: string, localPort: number) {
  const bare = namespace === 'shop' ? name : `${name}.${namespace}`;
  const destination: Destination = {
    key: `${namespace}/${name}`,
    label: bare,
    namespace,
    hostNames: [bare],
    shortNames: [bare],
    ports: [80],
    portNames: { 80: 'http' },
    clusterIP: '10.0.0.1',
    dial: { host: '10.0.0.1' },
  };
  return { destination, address, ports: [{ port: 80, localPort }] };
}

const network = (mode: NetworkMode, address: string, localPort = 80) =>
  ({
    mode,
    reachable: [
      reachable('prices', 'shop', address, localPort),
      reachable('kubernetes', 'default', address, localPort + 1),
    ],
  }) as unknown as WorkstationNetwork;
const service = (name: string, namespace = 'shop') =>
  ({ name, namespace }) as Parameters<ReturnType<typeof addressFor>>[0];
const variable = (name: string, value: string) => ({ name, value, origin: 'Service prices', secret: false });

describe('the address in kubelet’s variables', () => {
  it('is 127.x in mode hosts, and a name for the API server, whose certificate knows no such address', () => {
    const address = addressFor(network('hosts', '127.64.1.1'));
    expect(address(service('prices'))).toBe('127.64.1.1');
    expect(address(service('kubernetes', 'default'))).toBe('kubernetes.default');
    expect(address(service('other'))).toBeUndefined();
  });

  it('is the cluster’s own in mode namespace', () => {
    const address = addressFor(network('namespace', '10.0.0.1'));
    expect(address(service('prices'))).toBeUndefined();
    expect(address(service('kubernetes', 'default'))).toBeUndefined();
  });

  it('is 127.0.0.1 in mode env', () => {
    const address = addressFor(network('env', '127.0.0.1', 20_001));
    expect(address(service('kubernetes', 'default'))).toBe('127.0.0.1');
  });
});

describe('the ports in kubelet’s variables', () => {
  const given = [
    variable('PRICES_SERVICE_HOST', '127.0.0.1'),
    variable('PRICES_SERVICE_PORT', '80'),
    variable('PRICES_PORT_80_TCP_PORT', '80'),
    variable('KUBERNETES_SERVICE_PORT', '443'),
    variable('GREETING', 'hello'),
  ];

  it.each(['hosts', 'namespace'] as const)('are the cluster’s own in mode %s', (mode) => {
    expect(withLocalPorts(given, network(mode, '127.64.1.1'))).toEqual(given);
  });

  it('are those of this computer in mode env, each variable once, and nothing else is changed', () => {
    const all = withLocalPorts(given, network('env', '127.0.0.1', 20_001));
    const values = new Map(all.map(({ name, value }) => [name, value]));
    expect(values.size).toBe(all.length);
    expect(values.get('PRICES_SERVICE_PORT')).toBe('20001');
    expect(values.get('PRICES_PORT_80_TCP_PORT')).toBe('20001');
    expect(values.get('PRICES_PORT')).toBe('tcp://127.0.0.1:20001');
    expect(values.get('KUBERNETES_SERVICE_PORT')).toBe('20002');
    expect(values.get('GREETING')).toBe('hello');
  });
});

describe('a variable that names a Service', () => {
  const given = [variable('PRICES_URL', 'http://prices/'), variable('GREETING', 'hello')];

  it('is told of in mode env only', () => {
    expect(unusableNames(given, network('env', '127.0.0.1', 20_001))).toEqual([
      'Variable PRICES_URL names prices, which leads nowhere in mode env.',
    ]);
    expect(unusableNames(given, network('hosts', '127.64.1.1'))).toEqual([]);
  });
});
