import { describe, expect, it } from 'vitest';
import { serviceVariables } from '../../environment/services.ts';
import type { Destination } from './destinations.ts';
import { destinationVariables, type LocallyReachable } from './env-variables.ts';

function reachable(
  change: Partial<Destination> & { readonly shortNames: readonly string[] },
  ports: Readonly<Record<number, number>>,
): LocallyReachable {
  const numbers = Object.keys(ports).map(Number);
  const label = change.shortNames[0] ?? '';
  return {
    destination: {
      key: `shop/${label}`,
      label,
      namespace: 'shop',
      hostNames: change.shortNames,
      ports: numbers,
      portNames: {},
      dial: { host: label },
      ...change,
    },
    ports: numbers.map((port) => ({ port, localPort: ports[port] ?? 0 })),
  };
}

const valuesOf = (all: readonly LocallyReachable[]) =>
  Object.fromEntries(destinationVariables(all).map(({ name, value }) => [name, value]));

describe('the variables of a Service', () => {
  it('are those of kubelet where the ports are the same', () => {
    const portNames = { 80: 'http', 9090: 'admin-port' };
    const ours = destinationVariables([reachable({ shortNames: ['foo-bar'], portNames }, { 80: 80, 9090: 9090 })]);
    const kubelets = serviceVariables({
      name: 'foo-bar',
      namespace: 'shop',
      clusterIP: '127.0.0.1',
      ports: [
        { name: 'http', port: 80, protocol: 'TCP' },
        { name: 'admin-port', port: 9090, protocol: 'TCP' },
      ],
    });
    expect(ours.map(({ name, value }) => [name, value])).toEqual(kubelets);
  });

  it('are those of kubelet for UDP too, also of one number with TCP', () => {
    const udp = { ports: [53], portNames: { 53: 'dns' }, isFirst: true };
    const dns = reachable({ shortNames: ['dns'], portNames: { 53: 'dns-tcp' }, udp }, { 53: 53 });
    const ours = destinationVariables([
      { ...dns, ports: [{ port: 53, localPort: 53, protocol: 'UDP' }, ...dns.ports] },
    ]);
    const kubelets = serviceVariables({
      name: 'dns',
      namespace: 'shop',
      clusterIP: '127.0.0.1',
      ports: [
        { name: 'dns', port: 53, protocol: 'UDP' },
        { name: 'dns-tcp', port: 53, protocol: 'TCP' },
      ],
    });
    expect(ours.map(({ name, value }) => [name, value])).toEqual(kubelets);
    expect(kubelets).toContainEqual(['DNS_PORT', 'udp://127.0.0.1:53']);
  });

  it('name the Service’s port and lead to the local one', () => {
    expect(valuesOf([reachable({ shortNames: ['prices'], portNames: { 80: 'http' } }, { 80: 20123 })])).toEqual({
      PRICES_SERVICE_HOST: '127.0.0.1',
      PRICES_SERVICE_PORT: '20123',
      PRICES_SERVICE_PORT_HTTP: '20123',
      PRICES_PORT: 'tcp://127.0.0.1:20123',
      PRICES_PORT_80_TCP: 'tcp://127.0.0.1:20123',
      PRICES_PORT_80_TCP_PROTO: 'tcp',
      PRICES_PORT_80_TCP_PORT: '20123',
      PRICES_PORT_80_TCP_ADDR: '127.0.0.1',
    });
  });
});

describe('what kubelet gives none', () => {
  it('has them by its short names', () => {
    const values = valuesOf([
      reachable({ shortNames: ['db-0.db', 'db'] }, { 5432: 20001 }),
      reachable({ shortNames: ['db-1.db', 'db'] }, { 5432: 20002 }),
      reachable({ shortNames: ['prices.other', 'costs'] }, { 80: 20003 }),
    ]);
    expect(values).toMatchObject({
      DB_0_DB_SERVICE_PORT: '20001',
      DB_1_DB_SERVICE_PORT: '20002',
      DB_SERVICE_PORT: '20001',
      PRICES_OTHER_SERVICE_PORT: '20003',
      COSTS_SERVICE_PORT: '20003',
    });
  });

  it('does not take them from a Service of the namespace', () => {
    const all = destinationVariables([
      reachable({ shortNames: ['prices.other'] }, { 80: 20001, 81: 20002 }),
      reachable({ shortNames: ['prices-other'] }, { 80: 20003 }),
    ]);
    expect(new Set(all.map(({ label }) => label))).toEqual(new Set(['prices-other']));
    expect(all.find(({ name }) => name === 'PRICES_OTHER_SERVICE_PORT')?.value).toBe('20003');
    expect(all.some(({ name }) => name.includes('_81_'))).toBe(false);
  });
});

it('has nothing for what has no ports', () => {
  expect(destinationVariables([reachable({ shortNames: ['prices'] }, {})])).toEqual([]);
});
