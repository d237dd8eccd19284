import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { listen } from '../tunnel/listener.ts';
import type { PrivilegedHelper } from './helper/helper-client.ts';
import { HostsNetwork } from './hosts-network.ts';
import { externalDestinations } from './names/external-endpoints.ts';

const { signal } = new AbortController();

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
      onError: (error) => {
        throw error;
      },
    },
    signal,
  );
  const endpoints = [
    { host: 'db.external-of-test.example', port: 45_432 },
    { host: '10.1.2.3', port: 45_432 },
  ];
  await network.open(externalDestinations(endpoints).destinations, signal);
  await network.publish(signal);
  const [{ address } = { address: '' }] = network.reachable;
  expect(await text(connect(45_432, address))).toBe('db.external-of-test.example.:45432');
  expect(written).toEqual([[{ address, names: ['db.external-of-test.example'] }]]);
  expect(network.leftOut.map(({ problem }) => problem.what)).toEqual([expect.stringContaining('10.1.2.3')]);
  expect(await network.showMounts()).toEqual([]);
});
