import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { listenDatagrams } from '../tunnel/datagram-listener.ts';
import { ask, echo } from '../tunnel/datagram-test-bed.ts';
import { listen } from '../tunnel/listener.ts';
import type { PrivilegedHelper } from './helper/helper-client.ts';
import { HostsNetwork } from './hosts-network.ts';
import { externalDestinations } from './names/external-endpoints.ts';

const { signal } = new AbortController();

test('a UDP port that this user may not open is the helper’s, as a TCP port is', async () => {
  const asked: unknown[] = [];
  const helper = {
    checkHosts: async () => {},
    setAddresses: async () => {},
    listen: async ({ address, port, protocol }: Parameters<PrivilegedHelper['listen']>[0]) => {
      asked.push({ address, port, protocol });
      return { [Symbol.asyncDispose]: async () => {} };
    },
    closed: new Promise(() => {}),
  } as unknown as PrivilegedHelper;
  const refuse = async () => {
    throw Object.assign(new Error('bind'), { code: 'EACCES' });
  };
  await using network = await HostsNetwork.start(
    {
      session: 'test',
      helper: async () => helper,
      willWrite: () => {},
      helperLost: () => {},
      dial: () => expect.unreachable(),
      listen: refuse,
      datagrams: { dial: () => expect.unreachable(), listen: refuse },
      onError: () => {},
    },
    signal,
  );
  const udp = { ports: [53], portNames: {}, isFirst: true };
  const names = { hostNames: ['dns'], shortNames: ['dns'], portNames: {} };
  const dial = { host: 'dns' };
  await network.open([{ key: 'shop/dns', label: 'dns', namespace: 'shop', ports: [53], udp, dial, ...names }], signal);
  const [{ address } = { address: '' }] = network.reachable;
  expect(asked).toEqual([
    { address, port: 53, protocol: 'UDP' },
    { address, port: 53, protocol: undefined },
  ]);
});

test('external endpoints have their names in the hosts file in mode hosts, and none by an address', async () => {
  const written: unknown[] = [];
  const helper = {
    checkHosts: async () => {},
    setAddresses: async () => {},
    setHosts: async (_session: string, lines: unknown) => {
      written.push(lines);
      return [];
    },
    closed: new Promise(() => {}),
  } as unknown as PrivilegedHelper;
  await using network = await HostsNetwork.start(
    {
      session: 'test',
      helper: async () => helper,
      willWrite: () => {},
      helperLost: () => {},
      dial: ({ dial: { host } }, port) => new PassThrough().end(`${host}:${port}`),
      listen,
      datagrams: { dial: echo, listen: listenDatagrams },
      onError: (error) => {
        throw error;
      },
    },
    signal,
  );
  const endpoints = [
    { host: 'db.external-of-test.example', port: 45_432 },
    { host: 'db.external-of-test.example', port: 45_432, protocol: 'UDP' as const },
    { host: '10.1.2.3', port: 45_432 },
  ];
  await network.open(externalDestinations(endpoints).destinations, signal);
  await network.publish(signal);
  const [{ address } = { address: '' }] = network.reachable;
  expect(await text(connect(45_432, address))).toBe('db.external-of-test.example.:45432');
  expect(await ask(45_432, address, 'name?')).toBe('db.external-of-test.example.:45432 name?');
  expect(written).toEqual([[{ address, names: ['db.external-of-test.example'] }]]);
  expect(network.leftOut.map(({ problem }) => problem.what)).toEqual([expect.stringContaining('10.1.2.3')]);
  expect(await network.showMounts()).toEqual([]);
});
