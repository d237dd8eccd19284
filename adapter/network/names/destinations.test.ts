import { describe, expect, it } from 'vitest';
import {
  type DeclaredEndpoint,
  type DeclaredService,
  type Destination,
  destinationsOf,
  portsOf,
  portText,
} from './destinations.ts';

function service(name: string, change: Partial<DeclaredService> = {}): DeclaredService {
  return {
    name,
    namespace: 'shop',
    type: 'ClusterIP',
    clusterIP: '10.96.0.7',
    clusterIPs: ['10.96.0.7'],
    ports: [port(80)],
    externalName: undefined,
    publishNotReadyAddresses: false,
    endpoints: [],
    ...change,
  };
}

function port(number: number, name = '', protocol = 'TCP', targetPort?: number | string) {
  return { port: number, name, protocol, targetPort };
}

function headless(name: string, endpoints: readonly DeclaredEndpoint[] | undefined, change = {}): DeclaredService {
  return service(name, { clusterIP: undefined, clusterIPs: ['None'], endpoints, ...change });
}

function external(name: string, externalName: string, change: Partial<DeclaredService> = {}): DeclaredService {
  return service(name, { ...headless(name, undefined), type: 'ExternalName', ports: [], externalName, ...change });
}

function endpoint(pod: string, address: string, change: Partial<DeclaredEndpoint> = {}): DeclaredEndpoint {
  return { pod, address, hostname: undefined, ready: true, ports: [port(5432)], ...change };
}

const member = (pod: string, address: string, change: Partial<DeclaredEndpoint> = {}) =>
  endpoint(pod, address, { hostname: pod, ...change });

function read(services: readonly DeclaredService[], namespaces: readonly string[] = ['shop']) {
  return destinationsOf({ services, namespaces }, 'shop');
}

const leadingTo = (destinations: readonly Destination[], name: string) =>
  destinations.filter(({ hostNames }) => hostNames.includes(name)).map(({ key }) => key);

describe('a Service with an address', () => {
  it('has the names that a pod of its namespace uses', () => {
    const ports = [port(80, 'http', 'TCP', 'web'), port(9090, 'admin'), port(80, 'again')];
    expect(read([service('prices', { ports })])).toEqual({
      destinations: [
        {
          key: 'shop/prices',
          label: 'prices',
          namespace: 'shop',
          hostNames: ['prices', 'prices.shop', 'prices.shop.svc', 'prices.shop.svc.cluster.local'],
          shortNames: ['prices'],
          ports: [80, 9090],
          portNames: { 80: 'again', 9090: 'admin' },
          clusterIP: '10.96.0.7',
          dial: { host: '10.96.0.7' },
        },
      ],
      notes: [],
    });
  });

  it('is not known by its bare name in another namespace', () => {
    const [destination] = read([service('prices', { namespace: 'other' })]).destinations;
    expect(destination).toMatchObject({
      key: 'other/prices',
      label: 'prices.other',
      hostNames: ['prices.other', 'prices.other.svc', 'prices.other.svc.cluster.local'],
      shortNames: ['prices.other'],
    });
  });

  it('offers TCP and UDP, also of one number, and says what it does not', () => {
    const { destinations, notes } = read([
      service('dns', { ports: [port(53, 'udp', 'UDP'), port(53, 'tcp')] }),
      service('statsd', { ports: [port(8125, '', 'UDP')] }),
      service('game', { namespace: 'other', ports: [port(7000, '', 'SCTP')] }),
    ]);
    expect(destinations.map(({ key, ports, portNames, udp }) => ({ key, ports, portNames, udp }))).toEqual([
      {
        key: 'shop/dns',
        ports: [53],
        portNames: { 53: 'tcp' },
        udp: { ports: [53], portNames: { 53: 'udp' }, isFirst: true },
      },
      {
        key: 'shop/statsd',
        ports: [],
        portNames: {},
        udp: { ports: [8125], portNames: {}, isFirst: true },
      },
    ]);
    expect(destinations.map(portsOf)).toEqual([
      [{ port: 53, protocol: 'UDP' }, { port: 53 }],
      [{ port: 8125, protocol: 'UDP' }],
    ]);
    expect(notes).toEqual([
      'Port 7000/SCTP of Service game.other is not reachable from here: only TCP and UDP are carried.',
    ]);
  });

  it('has ports that are written as kubectl does', () => {
    expect([portText({ port: 53 }), portText({ port: 53, protocol: 'UDP' })]).toEqual(['53', '53/udp']);
  });

  it('is dialled at its first address, and tells an IPv4 one for this computer', () => {
    const [dual, six] = read([
      service('dual', { clusterIP: 'fd00::7', clusterIPs: ['fd00::7', '10.96.0.8'] }),
      service('six', { clusterIP: 'fd00::9', clusterIPs: ['fd00::9'] }),
    ]).destinations;
    expect(dual).toMatchObject({ clusterIP: '10.96.0.8', dial: { host: 'fd00::7' } });
    expect(six?.dial.host).toBe('fd00::9');
    expect(six).not.toHaveProperty('clusterIP');
  });

  it('may have pods with names, which are found by them alone', () => {
    const endpoints = [member('db-0', '10.1.0.1'), endpoint('other', '10.1.0.2')];
    const { destinations } = read([service('db', { endpoints })]);
    expect(destinations.map(({ key, shortNames }) => ({ key, shortNames }))).toEqual([
      { key: 'shop/db', shortNames: ['db'] },
      { key: 'shop/db/db-0', shortNames: ['db-0.db'] },
    ]);
  });

  it('is listed once, also if the caller adds it again', () => {
    const api = service('kubernetes', { namespace: 'default' });
    expect(read([service('a'), api, api]).destinations.map(({ key }) => key)).toEqual(['shop/a', 'default/kubernetes']);
  });
});

describe('a headless Service', () => {
  it('leads to each of its pods, which have names of their own', () => {
    const { destinations, notes } = read([
      headless('db', [member('db-10', '10.1.0.3'), member('db-0', '10.1.0.1'), member('db-2', '10.1.0.2')]),
    ]);
    expect(notes).toEqual([]);
    expect(destinations.map(({ label }) => label)).toEqual(['db-0.db', 'db-2.db', 'db-10.db']);
    expect(destinations[0]).toEqual({
      key: 'shop/db/db-0',
      label: 'db-0.db',
      namespace: 'shop',
      hostNames: [
        'db-0.db',
        'db-0.db.shop',
        'db-0.db.shop.svc',
        'db-0.db.shop.svc.cluster.local',
        'db',
        'db.shop',
        'db.shop.svc',
        'db.shop.svc.cluster.local',
      ],
      shortNames: ['db-0.db', 'db'],
      ports: [5432],
      portNames: {},
      dial: { host: '10.1.0.1' },
    });
    expect(leadingTo(destinations, 'db.shop.svc')).toEqual(['shop/db/db-0', 'shop/db/db-2', 'shop/db/db-10']);
  });

  it('leads to ready pods, or to all where it publishes them', () => {
    const endpoints = [member('db-0', '10.1.0.1'), member('db-1', '10.1.0.2', { ready: false })];
    expect(read([headless('db', endpoints)]).destinations).toHaveLength(1);
    expect(read([headless('db', endpoints, { publishNotReadyAddresses: true })]).destinations).toHaveLength(2);
    expect(read([headless('db', [])])).toEqual({ destinations: [], notes: [] });
  });

  it('has the ports of its pods, for nothing translates them', () => {
    const ports = [port(80, 'http', 'TCP', 8080)];
    const endpoints = [
      member('a', '10.1.0.1', { ports: [port(8080, 'http'), port(8080, 'udp', 'UDP')] }),
      member('b', '10.1.0.2', { ports: [] }),
    ];
    const { destinations } = read([headless('web', endpoints, { ports })]);
    expect(destinations.map((it) => it.ports)).toEqual([[8080], [8080]]);
  });

  it('is dialled by name where its pods are not known', () => {
    const ports = [port(80, '', 'TCP', 8080), port(81, '', 'TCP', 'named')];
    expect(read([headless('db', undefined, { ports })]).destinations).toMatchObject([
      { key: 'shop/db', ports: [8080, 81], hostNames: expect.arrayContaining(['db']), dial: { host: 'db.shop.svc' } },
    ]);
  });

  it('keeps the key of a pod that comes again elsewhere', () => {
    const keys = (address: string) => read([headless('db', [member('db-0', address)])]).destinations[0]?.key;
    expect(keys('10.1.0.9')).toBe(keys('10.1.0.1'));
  });

  it('tells pods with one name apart', () => {
    const twin = (pod: string | undefined, address: string) =>
      endpoint('', address, { hostname: 'twin', ...(pod === undefined ? {} : { pod }) });
    const endpoints = [twin('x-1', '10.1.0.1'), twin('x-2', '10.1.0.2'), twin(undefined, '10.1.0.3')];
    const { destinations } = read([headless('pair', endpoints)]);
    expect(destinations.map(({ key }) => key)).toEqual(['shop/pair/twin', 'shop/pair/x-2', 'shop/pair/10.1.0.3']);
    expect(leadingTo(destinations, 'twin.pair')).toHaveLength(3);
  });

  it('leads to some of many pods without names', () => {
    const endpoints = Array.from({ length: 20 }, (_, index) => endpoint(`web-${index}`, `10.1.0.${index + 1}`));
    const { destinations, notes } = read([headless('web', [...endpoints, member('own', '10.1.1.1')])]);
    expect(destinations).toHaveLength(17);
    expect(destinations.map(({ label }) => label)).toEqual(expect.arrayContaining(['own.web', 'web (web-0)']));
    expect(notes).toEqual([
      'Service web has 20 pods without names of their own. Its name leads to 16 of them from here.',
    ]);
  });

  it('without ports leads nowhere, and says so', () => {
    const expected = {
      destinations: [],
      notes: ['Service db declares no ports, so nothing can be reached under its name.'],
    };
    expect(read([headless('db', [member('db-0', '10.1.0.1', { ports: [] })], { ports: [] })])).toEqual(expected);
    expect(read([headless('db', undefined, { ports: [] })])).toEqual(expected);
  });
});

describe('an ExternalName', () => {
  it('is another name of a Service that is known', () => {
    const other = service('prices', { namespace: 'other' });
    const { destinations, notes } = read(
      [external('costs', 'Prices.other.svc.cluster.local.'), other],
      ['shop', 'other'],
    );
    expect(notes).toEqual([]);
    expect(destinations).toHaveLength(1);
    expect(destinations[0]).toMatchObject({ key: 'other/prices', shortNames: ['prices.other', 'costs'] });
    expect(destinations[0]?.hostNames).toEqual([
      'prices.other',
      'prices.other.svc',
      'prices.other.svc.cluster.local',
      'costs',
      'costs.shop',
      'costs.shop.svc',
      'costs.shop.svc.cluster.local',
    ]);
  });

  it('is followed over others, to all pods of a headless Service and to one of them', () => {
    const { destinations } = read([
      external('first', 'second.shop.svc.cluster.local'),
      external('second', 'db.shop.svc.cluster.local'),
      external('primary', 'db-0.db.shop.svc.cluster.local'),
      headless('db', [member('db-0', '10.1.0.1'), member('db-1', '10.1.0.2')]),
    ]);
    expect(leadingTo(destinations, 'first')).toEqual(['shop/db/db-0', 'shop/db/db-1']);
    expect(leadingTo(destinations, 'second.shop')).toEqual(['shop/db/db-0', 'shop/db/db-1']);
    expect(leadingTo(destinations, 'primary')).toEqual(['shop/db/db-0']);
  });

  it('that leads out of the cluster is dialled by the agent, at the declared ports', () => {
    const { destinations, notes } = read([
      external('bank', 'api.bank.example', { ports: [port(443, 'https')] }),
      external('alias', 'bank.shop.svc.cluster.local'),
      service('prices'),
    ]);
    expect(notes).toEqual([]);
    expect(destinations).toMatchObject([
      { key: 'shop/bank', ports: [443], shortNames: ['bank', 'alias'], dial: { host: 'api.bank.example.' } },
      { key: 'shop/prices' },
    ]);
    expect(destinations[0]).not.toHaveProperty('clusterIP');
  });

  it('without ports is assumed to speak HTTP, and says so', () => {
    const { destinations, notes } = read([
      external('bank', 'api.bank.example'),
      external('costs', 'prices.other.svc.cluster.local'),
    ]);
    expect(destinations).toMatchObject([
      { ports: [80, 443], dial: { host: 'api.bank.example.' } },
      { ports: [80, 443], dial: { host: 'prices.other.svc.cluster.local.' } },
    ]);
    expect(notes).toEqual([
      'Service bank leads to api.bank.example and declares no ports: 80 and 443 are assumed. Declare others in the Service.',
      'Service costs leads to prices.other.svc.cluster.local and declares no ports: 80 and 443 are assumed. Declare others in the Service, or ask for the names of namespace other too.',
    ]);
  });

  it.each([
    ['an address', [external('x', '10.0.0.1')], /is no name that DNS could answer/],
    ['no name', [external('x', 'not a name')], /"not a name" is no name/],
    ['nothing', [external('x', '')], /"" is no name/],
    [
      'itself',
      [external('x', 'y.shop.svc.cluster.local'), external('y', 'x.shop.svc.cluster.local')],
      /Service y is left out: its ExternalName leads back to itself/,
    ],
    ['what is gone', [external('x', 'gone.shop.svc.cluster.local')], /nothing can be reached now/],
  ])('that names %s is left out with a note', (_, services, note) => {
    const { destinations, notes } = read(services);
    expect(destinations).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(note)]);
  });
});

describe('names', () => {
  it('that mean two things are what the search list finds first', () => {
    const { destinations } = read(
      [
        service('db-0', { namespace: 'db' }),
        headless('db', [member('db-0', '10.1.0.1')]),
        service('prices', { namespace: 'other' }),
      ],
      ['shop', 'db', 'other'],
    );
    expect(leadingTo(destinations, 'db-0.db')).toEqual(['shop/db/db-0']);
    expect(leadingTo(destinations, 'db-0.db.svc')).toEqual(['db/db-0']);
  });

  it('that this computer cannot look up are left out, and told', () => {
    const { destinations, notes } = read(
      [service('localhost'), service('api', { namespace: 'localhost' }), service('1', { namespace: '2' })],
      ['shop', 'localhost', '2'],
    );
    expect(destinations.map(({ hostNames }) => hostNames[0])).toEqual([
      'localhost.shop',
      'api.localhost.svc',
      '1.2.svc',
    ]);
    expect(notes).toEqual([
      'The name localhost of localhost is left out: name resolution on this computer does not take it.',
      'The name api.localhost of api.localhost is left out: name resolution on this computer does not take it.',
      'The name 1.2 of 1.2 is left out: name resolution on this computer does not take it.',
    ]);
  });

  it('end in the domain of the cluster', () => {
    const { destinations } = destinationsOf(
      { services: [service('prices'), external('costs', 'prices.shop.svc.k8s.example')], namespaces: ['shop'] },
      'shop',
      'k8s.example',
    );
    expect(destinations.map(({ hostNames }) => hostNames)).toEqual([
      [
        'prices',
        'prices.shop',
        'prices.shop.svc',
        'prices.shop.svc.k8s.example',
        'costs',
        'costs.shop',
        'costs.shop.svc',
        'costs.shop.svc.k8s.example',
      ],
    ]);
  });
});

it('can be sent to another process as it is', () => {
  const { destinations } = read([service('prices'), headless('db', [member('db-0', '10.1.0.1')])]);
  expect(JSON.parse(JSON.stringify(destinations))).toEqual(destinations);
});
