import { describe, expect, it } from 'vitest';
import { Problem } from '../../problem.ts';
import type { Destination } from './destinations.ts';
import { destinationVariables } from './env-variables.ts';
import { externalDestinations, isAddressOnly, isExternal, parseExternalEndpoint } from './external-endpoints.ts';

function refusal(text: string): Problem {
  try {
    parseExternalEndpoint(text);
  } catch (error) {
    if (error instanceof Problem) return error;
  }
  throw new Error(`${text} was taken`);
}

describe('an external endpoint as it is written', () => {
  it('is a name and a port', () => {
    expect(parseExternalEndpoint('db.example.net:5432')).toEqual({ host: 'db.example.net', port: 5432 });
    expect(parseExternalEndpoint(' DB.Example.net.:1 ')).toEqual({ host: 'db.example.net', port: 1 });
    expect(parseExternalEndpoint('10.1.2.3:65535')).toEqual({ host: '10.1.2.3', port: 65_535 });
    expect(parseExternalEndpoint('db.example.net:80/tcp')).toEqual({ host: 'db.example.net', port: 80 });
    expect(parseExternalEndpoint('dns.example.net:53/UDP')).toEqual({
      host: 'dns.example.net',
      port: 53,
      protocol: 'UDP',
    });
  });

  it.each([
    ['db.example.net', 'port is missing'],
    [':80', 'name is missing'],
    ['db.example.net:', '"" is no port'],
    ['db.example.net:0', '"0" is no port'],
    ['db.example.net:65536', '"65536" is no port'],
    ['db.example.net:http', '"http" is no port'],
    ['http://db.example.net:80', 'protocol'],
    ['db.example.net:80/sctp', '"/sctp" is no protocol'],
    ['db.example.net:80/udp/tcp', '"/udp/tcp" is no protocol'],
    ['[fd00::1]:80', 'IPv6'],
    ['fd00::1', 'IPv6'],
    ['127.0.0.1:80', 'the computer itself'],
    ['local host:80', '"local host" is no name'],
    ['localhost:80', '"localhost" is no name'],
    ['10.1.2:80', '"10.1.2" is no name'],
  ])('%s is refused', (text, why) => {
    const problem = refusal(text);
    expect(problem.code).toBe('bad-value');
    expect(problem.why).toContain(why);
    expect(problem.what).toContain(`"${text}"`);
  });
});

describe('the destinations of external endpoints', () => {
  it('keep UDP and TCP ports apart', () => {
    const { destinations } = externalDestinations([
      { host: 'dns.example.net', port: 53, protocol: 'UDP' },
      { host: 'dns.example.net', port: 53 },
    ]);
    expect(destinations).toMatchObject([{ ports: [53], udp: { ports: [53], isFirst: true } }]);
  });

  it('have the ports of one host together and a whole name for the agent', () => {
    const endpoints = [
      { host: 'db.example.net', port: 5432 },
      { host: 'mail.example.net', port: 25 },
      { host: 'DB.example.net.', port: 5433 },
      { host: 'db.example.net', port: 5432 },
    ];
    const { destinations, notes } = externalDestinations(endpoints);
    expect(notes).toEqual([]);
    expect(destinations).toEqual([
      {
        key: 'external:db.example.net',
        label: 'db.example.net',
        namespace: '',
        hostNames: ['db.example.net'],
        shortNames: ['db.example.net'],
        ports: [5432, 5433],
        portNames: {},
        dial: { host: 'db.example.net.' },
      },
      expect.objectContaining({ key: 'external:mail.example.net', ports: [25] }),
    ]);
    expect(destinations.every(isExternal)).toBe(true);
  });

  it('have an address of their own if they are one', () => {
    const { destinations } = externalDestinations([{ host: '10.1.2.3', port: 5432 }]);
    expect(destinations).toMatchObject([{ clusterIP: '10.1.2.3', hostNames: [], dial: { host: '10.1.2.3' } }]);
    expect(destinations.map(isAddressOnly)).toEqual([true]);
  });

  it('leave a name to the Service that has it', () => {
    const prices = { label: 'prices', hostNames: ['prices', 'prices.shop'] } as unknown as Destination;
    const { destinations, notes } = externalDestinations([{ host: 'prices.shop', port: 80 }], [prices]);
    expect(destinations).toEqual([]);
    expect(notes).toEqual([expect.stringContaining('prices.shop is left out')]);
  });

  it('are in the environment of mode env under their name', () => {
    const [destination] = externalDestinations([{ host: 'my-db.example.net', port: 5432 }]).destinations;
    if (destination === undefined) throw new Error('there is none');
    const variables = destinationVariables([{ destination, ports: [{ port: 5432, localPort: 20_001 }] }]);
    const values = Object.fromEntries(variables.map(({ name, value }) => [name, value]));
    expect(values).toMatchObject({
      MY_DB_EXAMPLE_NET_SERVICE_HOST: '127.0.0.1',
      MY_DB_EXAMPLE_NET_SERVICE_PORT: '20001',
    });
  });
});
