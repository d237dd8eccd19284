import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenDatagrams } from '../tunnel/datagram-listener.ts';
import { ask, echo } from '../tunnel/datagram-test-bed.ts';
import { listen } from '../tunnel/listener.ts';
import { EnvNetwork } from './env-network.ts';
import type { Destination } from './names/destinations.ts';
import { externalDestinations } from './names/external-endpoints.ts';

const { signal } = new AbortController();
const fail = (error: Error) => {
  throw error;
};

function destination(label: string, ports: readonly number[], host = label): Destination {
  const names = { hostNames: [label], shortNames: [label], portNames: {} };
  return { key: `shop/${label}`, label, namespace: 'shop', ports, dial: { host }, ...names };
}
const withUdp = (of: Destination, ports: readonly number[], isFirst = false): Destination => ({
  ...of,
  udp: { ports, portNames: {}, isFirst },
});

let network: EnvNetwork;
function open(reserved: ReadonlySet<number> = new Set()): EnvNetwork {
  return new EnvNetwork({
    dial: ({ dial: { host } }, port) => {
      const stream = new PassThrough();
      stream.end(`${host}:${port}`);
      return stream;
    },
    listen,
    datagrams: { dial: echo, listen: listenDatagrams },
    onError: (error) => {
      throw error;
    },
    reserved,
  });
}
beforeEach(() => {
  network = open();
});
afterEach(() => network[Symbol.asyncDispose]());

const ports = (of: EnvNetwork = network) =>
  new Map(of.reachable.map(({ destination: { label }, ports: all }) => [label, all.map((each) => each.localPort)]));

describe('mode env', () => {
  it('has a port of 127.0.0.1 for each port of each destination', async () => {
    await network.open([destination('prices', [80]), destination('catalogue', [80, 9090])], signal);
    const [prices = 0] = ports().get('prices') ?? [];
    const [, admin = 0] = ports().get('catalogue') ?? [];
    expect(new Set([...ports().values()].flat()).size).toBe(3);
    expect(await text(connect(prices, '127.0.0.1'))).toBe('prices:80');
    expect(await text(connect(admin, '127.0.0.1'))).toBe('catalogue:9090');
  });

  it('takes the next one if the usual one is in use or the program’s, and otherwise the same each time', async () => {
    await network.open([destination('prices', [80])], signal);
    const [usual = 0] = ports().get('prices') ?? [];
    await using second = open();
    await second.open([destination('prices', [80])], signal);
    expect(ports(second).get('prices')).toEqual([usual + 1]);
    await network[Symbol.asyncDispose]();
    await using third = open(new Set([usual]));
    await third.open([destination('prices', [80])], signal);
    expect(ports(third).get('prices')).toEqual([usual + 2]);
    await using fourth = open();
    await fourth.open([destination('prices', [80])], signal);
    expect(ports(fourth).get('prices')).toEqual([usual]);
  });

  it('follows what appears, vanishes and moves; the rest keeps its ports', async () => {
    await network.open([destination('prices', [80]), destination('cart', [80, 81])], signal);
    const before = ports();
    await network.open([destination('prices', [80], 'elsewhere'), destination('cart', [81])], signal);
    expect(ports()).toEqual(
      new Map([
        ['prices', before.get('prices')],
        ['cart', before.get('cart')?.slice(1)],
      ]),
    );
    expect(await text(connect(before.get('prices')?.[0] ?? 0, '127.0.0.1'))).toBe('elsewhere:80');
    const closed = text(connect(before.get('cart')?.[0] ?? 0, '127.0.0.1'));
    await expect(closed).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('UDP in mode env', () => {
  it('has the same local port as TCP of the same number, also if it comes later', async () => {
    await network.open([withUdp(destination('dns', [53]), [53, 8125])], signal);
    const [tcp = 0, udp = 0, statsd = 0] = ports().get('dns') ?? [];
    expect(udp).toBe(tcp);
    expect(await text(connect(tcp, '127.0.0.1'))).toBe('dns:53');
    expect(await ask(udp, '127.0.0.1', 'name?')).toBe('dns:53 name?');
    expect(await ask(statsd, '127.0.0.1', 'a:1|c')).toBe('dns:8125 a:1|c');
    await network.open([destination('dns', [53])], signal);
    await expect(ask(udp, '127.0.0.1', 'gone?')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await network.open([withUdp(destination('dns', [53]), [53], true)], signal);
    expect(network.reachable.map((one) => one.ports)).toEqual([
      [
        { port: 53, protocol: 'UDP', localPort: tcp },
        { port: 53, localPort: tcp },
      ],
    ]);
    expect(await ask(tcp, '127.0.0.1', 'again?')).toBe('dns:53 again?');
  });

  it('goes elsewhere where somebody has its port by UDP alone', async () => {
    await network.open([destination('dns', [53])], signal);
    const [usual = 0] = ports().get('dns') ?? [];
    const taken = await listenDatagrams({
      address: '127.0.0.1',
      port: usual,
      dial: expect.unreachable,
      onError: fail,
      signal,
    });
    await network.open([withUdp(destination('dns', [53]), [53])], signal);
    const [tcp = 0, udp = 0] = ports().get('dns') ?? [];
    expect([tcp, udp]).toEqual([usual, usual + 1]);
    await taken[Symbol.asyncDispose]();
    expect(await ask(udp, '127.0.0.1', 'name?')).toBe('dns:53 name?');
  });
});

describe('external endpoints in mode env', () => {
  it('have ports of 127.0.0.1 by their names, and none by an address', async () => {
    const endpoints = [
      { host: 'db.example.net', port: 5432 },
      { host: '10.1.2.3', port: 5432 },
    ];
    await network.open(externalDestinations(endpoints).destinations, signal);
    const [local = 0] = ports().get('db.example.net') ?? [];
    expect(await text(connect(local, '127.0.0.1'))).toBe('db.example.net.:5432');
    expect(ports().has('10.1.2.3')).toBe(false);
    expect(network.leftOut.map(({ problem }) => problem.what)).toEqual([expect.stringContaining('10.1.2.3')]);
  });

  it('shows no mounts', async () => {
    expect(await network.showMounts()).toEqual([]);
  });
});
