import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from './listener.ts';
import { connectTo, fate, readText, startEchoServer, startServer, startTestBed } from './test-bed.ts';
import type { Tunnel } from './tunnel.ts';
import { Tunnels } from './tunnels.ts';

const openTunnel = async (): Promise<Tunnel> => {
  const bed = await startTestBed();
  onTestFinished(() => bed[Symbol.asyncDispose]());
  return bed.open();
};

const open = async (dial: () => Duplex) => {
  const errors: Error[] = [];
  const listener = await listen({
    address: '127.0.0.1',
    port: 0,
    dial,
    onError: (error) => errors.push(error),
    signal: new AbortController().signal,
  });
  onTestFinished(() => listener[Symbol.asyncDispose]());
  return { listener, errors };
};

test('200 short connections go into the cluster and back', async () => {
  const tunnel = await openTunnel();
  await using echo = await startEchoServer();
  const { listener, errors } = await open(() => tunnel.dial('127.0.0.1', echo.port));
  const answers = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const client = connectTo(listener.port);
      client.end(`connection ${index}`);
      return readText(client);
    }),
  );
  expect(answers).toEqual(Array.from({ length: 200 }, (_, index) => `connection ${index}`));
  expect(errors).toEqual([]);
});

test('a refused dial resets the client and is told', async () => {
  const tunnel = await openTunnel();
  const gone = await startServer(() => {});
  await gone[Symbol.asyncDispose]();
  const { listener, errors } = await open(() => tunnel.dial('127.0.0.1', gone.port));
  expect(await fate(connectTo(listener.port))).toBe('ECONNRESET');
  expect(errors).toMatchObject([{ code: 'ECONNREFUSED', host: '127.0.0.1', port: gone.port }]);
});

test('a reset in the cluster resets the client, which is no error of the listener', async () => {
  const tunnel = await openTunnel();
  await using server = await startServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
  const { listener, errors } = await open(() => tunnel.dial('127.0.0.1', server.port));
  const client = connectTo(listener.port);
  client.write('x');
  expect(await fate(client)).toBe('ECONNRESET');
  expect(errors).toEqual([]);
});

test('without a tunnel clients are reset', async () => {
  const { listener, errors } = await open(() => new Tunnels().dial('prices', 80));
  expect(await fate(connectTo(listener.port))).toBe('ECONNRESET');
  expect(errors).toMatchObject([{ code: 'ECONNREFUSED' }]);
});

test('a port in use is the raw error of the system', async () => {
  const { listener } = await open(() => new Tunnels().dial('prices', 80));
  const second = listen({
    address: '127.0.0.1',
    port: listener.port,
    dial: () => new Tunnels().dial('prices', 80),
    onError: () => {},
    signal: new AbortController().signal,
  });
  await expect(second).rejects.toMatchObject({ code: 'EADDRINUSE' });
});

test('disposing resets open connections and frees the port', async () => {
  const tunnel = await openTunnel();
  await using echo = await startEchoServer();
  const { listener } = await open(() => tunnel.dial('127.0.0.1', echo.port));
  const client = connectTo(listener.port);
  client.write('x');
  await once(client, 'data');
  const ended = fate(client);
  await listener[Symbol.asyncDispose]();
  expect(await ended).toBe('ECONNRESET');
  expect(await fate(connectTo(listener.port))).toBe('ECONNREFUSED');
});
