import { describe, expect, test } from 'vitest';
import { linkedServices, type ServiceAddress, serviceVariables } from './services.ts';

function service(
  name: string,
  namespace: string,
  clusterIP: string | undefined,
  ...ports: [port: number, protocol?: string, name?: string][]
): ServiceAddress {
  return {
    name,
    namespace,
    clusterIP,
    ports: ports.map(([port, protocol = 'TCP', portName = '']) => ({ name: portName, port, protocol })),
  };
}

describe('the variables of one Service', () => {
  test('one port without a name', () => {
    expect(serviceVariables(service('foo-bar', 'shop', '1.2.3.4', [8080]))).toEqual([
      ['FOO_BAR_SERVICE_HOST', '1.2.3.4'],
      ['FOO_BAR_SERVICE_PORT', '8080'],
      ['FOO_BAR_PORT', 'tcp://1.2.3.4:8080'],
      ['FOO_BAR_PORT_8080_TCP', 'tcp://1.2.3.4:8080'],
      ['FOO_BAR_PORT_8080_TCP_PROTO', 'tcp'],
      ['FOO_BAR_PORT_8080_TCP_PORT', '8080'],
      ['FOO_BAR_PORT_8080_TCP_ADDR', '1.2.3.4'],
    ]);
  });

  test('the same port number over UDP and TCP, both named', () => {
    expect(
      serviceVariables(service('abc-123', 'shop', '5.6.7.8', [8081, 'UDP', 'u-d-p'], [8081, 'TCP', 't-c-p'])),
    ).toEqual([
      ['ABC_123_SERVICE_HOST', '5.6.7.8'],
      ['ABC_123_SERVICE_PORT', '8081'],
      ['ABC_123_SERVICE_PORT_U_D_P', '8081'],
      ['ABC_123_SERVICE_PORT_T_C_P', '8081'],
      ['ABC_123_PORT', 'udp://5.6.7.8:8081'],
      ['ABC_123_PORT_8081_UDP', 'udp://5.6.7.8:8081'],
      ['ABC_123_PORT_8081_UDP_PROTO', 'udp'],
      ['ABC_123_PORT_8081_UDP_PORT', '8081'],
      ['ABC_123_PORT_8081_UDP_ADDR', '5.6.7.8'],
      ['ABC_123_PORT_8081_TCP', 'tcp://5.6.7.8:8081'],
      ['ABC_123_PORT_8081_TCP_PROTO', 'tcp'],
      ['ABC_123_PORT_8081_TCP_PORT', '8081'],
      ['ABC_123_PORT_8081_TCP_ADDR', '5.6.7.8'],
    ]);
  });

  test('a port whose name is a number', () => {
    const variables = serviceVariables(service('q-u-u-x', 'shop', '9.8.7.6', [8082], [8083, 'TCP', '8083']));
    expect(variables).toContainEqual(['Q_U_U_X_SERVICE_PORT', '8082']);
    expect(variables).toContainEqual(['Q_U_U_X_SERVICE_PORT_8083', '8083']);
    expect(variables).toHaveLength(12);
  });

  test('an IPv6 address stands in brackets where a port follows', () => {
    const variables = new Map(serviceVariables(service('six', 'shop', 'fd00::1', [80])));
    expect(variables.get('SIX_SERVICE_HOST')).toBe('fd00::1');
    expect(variables.get('SIX_PORT')).toBe('tcp://[fd00::1]:80');
    expect(variables.get('SIX_PORT_80_TCP_ADDR')).toBe('fd00::1');
  });

  test.each([undefined, '', 'None'])('the address %s gives none', (clusterIP) => {
    expect(serviceVariables(service('headless', 'shop', clusterIP, [80]))).toEqual([]);
  });
});

describe('which Services a container sees', () => {
  const services = [
    service('kubernetes', 'default', '1.2.3.1', [8081]),
    service('test', 'test1', '1.2.3.3', [8083]),
    service('kubernetes', 'test2', '1.2.3.4', [8084]),
    service('test', 'test2', '1.2.3.5', [8085]),
    service('headless', 'test2', 'None', [8085]),
    service('not-special', 'default', '1.2.3.8', [8088]),
  ];

  test.each([
    ['test1', true, ['1.2.3.3', '1.2.3.1']],
    ['test1', false, ['1.2.3.1']],
    ['test2', true, ['1.2.3.4', '1.2.3.5']],
    ['test2', false, ['1.2.3.1']],
    ['default', true, ['1.2.3.1', '1.2.3.8']],
    ['default', false, ['1.2.3.1']],
    ['nothing-there', true, ['1.2.3.1']],
  ])('namespace %s, links %s', (namespace, links, addresses) => {
    expect(linkedServices(services, namespace, links).map(({ clusterIP }) => clusterIP)).toEqual(addresses);
  });

  test('without the kubernetes Service, only the own ones', () => {
    expect(linkedServices(services.slice(1), 'test1', true)).toHaveLength(1);
  });
});
