import { spawn } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '../diagnostics/log.ts';
import { serveDatagrams } from '../tunnel/datagram-listener.ts';
import { echo } from '../tunnel/datagram-test-bed.ts';
import { joinAccepted } from '../tunnel/listener.ts';
import { externalDestinations } from './names/external-endpoints.ts';
import { assertInstalled, copies, prepareCopies, removeCopies } from './namespace/test-bed.ts';
import { NamespaceNetwork, placesOf } from './namespace-network.ts';

beforeAll(prepareCopies);
afterAll(removeCopies);

const { signal } = new AbortController();
const fail = (error: Error) => {
  throw error;
};

function at(address: string, label: string, ports: readonly number[]) {
  const names = { hostNames: [label, 'shared'], shortNames: [label], portNames: {} };
  const destination = { key: label, label, namespace: 'shop', ports, dial: { host: address }, ...names };
  return { destination, address, ports: ports.map((port) => ({ port, localPort: port })) };
}

test('a pod behind several headless Services is one place, with the names and ports of all', () => {
  const reachable = [
    at('10.244.0.7', 'db-0.db', [5432]),
    at('10.244.0.8', 'db-1.db', [5432]),
    at('10.244.0.7', 'db-0.metrics', [5432, 9187]),
  ];
  expect(placesOf(reachable)).toEqual([
    { address: '10.244.0.7', names: ['db-0.db', 'shared', 'db-0.metrics'], ports: [5432, 9187] },
    { address: '10.244.0.8', names: ['db-1.db', 'shared'], ports: [5432] },
  ]);
});

test('external endpoints are reached by name and by address in mode namespace', async () => {
  assertInstalled();
  await using network = await NamespaceNetwork.start(
    {
      log: silentLog,
      command: copies.daemon.slice(2),
      dial: ({ dial: { host } }, port) => new PassThrough().end(`${host}:${port}`),
      serve: (socket, stream) => joinAccepted(socket, stream, () => {}),
      datagrams: { dial: echo, serve: (socket, dial) => serveDatagrams(socket, { dial, onError: fail }) },
      notice: () => {},
    },
    signal,
  );
  const endpoints = [
    { host: 'db.example.net', port: 5432 },
    { host: '10.1.2.3', port: 5433 },
  ];
  await network.open(externalDestinations(endpoints).destinations, signal);
  await network.publish(signal);
  const ask = async (host: string, port: number) => {
    const script = `require("net").connect(${port},"${host}").on("data",(d)=>process.stdout.write(d))`;
    const [program = '', ...args] = [...network.prefix, process.execPath, '-e', script];
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    return text(child.stdout);
  };
  expect(await ask('db.example.net', 5432)).toBe('db.example.net.:5432');
  expect(await ask('10.1.2.3', 5433)).toBe('10.1.2.3:5433');
  expect(network.leftOut).toEqual([]);
});
