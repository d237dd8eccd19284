import { describe, expect, it } from 'vitest';
import { describeNetwork, type NameView, type NetworkView, shortNames } from './status-view.ts';
import { table, wrap } from './text-layout.ts';

const everything = { width: Number.POSITIVE_INFINITY, all: true };
const name = (bare: string, index: number): NameView => ({
  names: [bare, `${bare}.shop`, `${bare}.shop.svc`, `${bare}.shop.svc.cluster.local`],
  address: `127.64.${Math.floor(index / 250)}.${(index % 250) + 1}`,
  ports: [80],
  leadsTo: `10.96.0.${(index % 250) + 1}`,
  state: 'open',
});
const view: NetworkView = {
  mode: 'hosts',
  reason: 'Network mode hosts, because it needs no question here: you are root.',
  names: [
    name('prices', 0),
    { ...name('db', 1), ports: [{ port: 5432, localPort: 5432 }, 9187] },
    { ...name('web', 2), ports: [{ port: 80, localPort: 21_004 }] },
    {
      names: ['redis', 'redis.shop'],
      address: '',
      ports: [],
      leadsTo: '',
      state: 'left out',
      problem: 'Port 6379 of 127.64.0.3 is in use. redis-server (pid 9, user redis) listens on 0.0.0.0:6379.',
    },
  ],
  ports: [
    { containerPort: 80, localPort: 8080, listening: 'python3 (pid 77, user anna)' },
    { containerPort: 9090, localPort: 9090 },
  ],
  privileged: { pid: 4711, user: 'root' },
  hostsFile: '/etc/hosts',
};

describe('describeNetwork', () => {
  it('shows everything that is held', () => {
    expect(describeNetwork(view, everything).join('\n')).toBe(
      `network mode hosts
  Network mode hosts, because it needs no question here: you are root.
privileged helper: pid 4711, user root
hosts file: /etc/hosts has its block
port 80 → 127.0.0.1:8080: python3 (pid 77, user anna) listens
port 9090 → 127.0.0.1:9090: nobody listens
NAMES                                ADDRESS     PORTS        LEADS TO   STATE
prices[.shop[.svc[.cluster.local]]]  127.64.0.1  80           10.96.0.1  open
db[.shop[.svc[.cluster.local]]]      127.64.0.2  5432, 9187   10.96.0.2  open
web[.shop[.svc[.cluster.local]]]     127.64.0.3  80 at 21004  10.96.0.3  open
redis[.shop]                         -                                   left out
  Port 6379 of 127.64.0.3 is in use. redis-server (pid 9, user redis) listens on 0.0.0.0:6379.`,
    );
  });

  it.each([60, 80, 120])('is no wider than %i columns', (width) => {
    const lines = describeNetwork({ ...view, prefix: ['nsenter', '--net=/proc/1/ns/net'] }, { width, all: true });
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    // The columns still stand below each other, and the short ones are whole.
    expect(lines.find((line) => line.startsWith('prices'))).toMatch(/127\.64\.0\.1 .*open$/);
  });

  it('shows a thousand names shortened', () => {
    const names = Array.from({ length: 1000 }, (_, index) => name(`service-${index}`, index));
    const gone: NameView = { ...name('gone', 0), state: 'left out', problem: 'Port 80 is in use.' };
    const short = describeNetwork({ ...view, names: [...names, gone] }, { width: 100, all: false });
    expect(short.filter((line) => line.startsWith('service-'))).toHaveLength(20);
    expect(short.at(-1)).toBe('and 981 more, 1 of them left out; --all shows them');
    const long = describeNetwork({ ...view, names }, { width: 100, all: true });
    expect(long.filter((line) => line.startsWith('service-'))).toHaveLength(1000);
    expect(long.at(-1)).toMatch(/^service-999/);
  });

  it('says that there are no names', () => {
    expect(describeNetwork({ mode: 'env', reason: 'you asked for it', names: [], ports: [] }, everything)).toEqual([
      'network mode env',
      '  you asked for it',
      'no names',
    ]);
  });
});

it('names that grow are written once', () => {
  expect(shortNames(['a', 'a.b', 'a.b.svc'])).toBe('a[.b[.svc]]');
  expect(shortNames(['db-0.db', 'db-0.db.shop', 'old', 'old.shop'])).toBe('db-0.db[.shop], old[.shop]');
  expect(shortNames(['a', 'ab'])).toBe('a, ab');
  expect(shortNames([])).toBe('');
});

it('text is wrapped at blanks', () => {
  expect(wrap('one two three', 7, '  ')).toEqual(['one two', '  three']);
  expect(wrap('extraordinary', 5)).toEqual(['extraordinary']);
});

it('a table narrower than its narrowest columns keeps them', () => {
  expect(table([['12345678', '12345678']], 3)).toEqual(['12345678  12345678']);
  expect(table([], 80)).toEqual([]);
});
