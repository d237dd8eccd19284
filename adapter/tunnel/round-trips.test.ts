/**
 * A new connection is one round trip: shown without a clock, by holding one direction back. What arrives although the other
 * end has heard nothing since cannot have waited for it.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from './listener.ts';
import { connectTo, startServer, startTestBed, type TestBed } from './test-bed.ts';
import type { InboundConnection, Tunnel } from './tunnel.ts';

const bedOf = async (): Promise<TestBed> => {
  const bed = await startTestBed();
  onTestFinished(() => bed[Symbol.asyncDispose]());
  return bed;
};

/** A server that keeps its first connection for the test. */
const serverOf = async () => {
  const { promise: connection, resolve } = Promise.withResolvers<Socket>();
  const server = await startServer(resolve);
  onTestFinished(() => server[Symbol.asyncDispose]());
  return { port: server.port, connection };
};

const firstData = async (from: NodeJS.EventEmitter): Promise<string> => String((await once(from, 'data'))[0]);

/** A program on this computer that connects through a listener, as `connect` opens them. */
const programTo = async (tunnel: Tunnel, port: number): Promise<Socket> => {
  const listener = await listen({
    address: '127.0.0.1',
    port: 0,
    dial: () => tunnel.dial('127.0.0.1', port),
    onError: () => {},
    signal: new AbortController().signal,
  });
  onTestFinished(() => listener[Symbol.asyncDispose]());
  return connectTo(listener.port);
};

test('outbound: what a program writes reaches the server though nothing has come back', async () => {
  const bed = await bedOf();
  const tunnel = await bed.open();
  const { port, connection } = await serverOf();
  bed.forwarder.silence('from the agent');
  const program = await programTo(tunnel, port);
  program.write('request');
  expect(await firstData(await connection)).toBe('request');
  (await connection).write('answer');
  bed.forwarder.resume('from the agent');
  expect(await firstData(program)).toBe('answer');
});

test('outbound: the answer reaches the program though nothing went after the request', async () => {
  const bed = await bedOf();
  const tunnel = await bed.open();
  const { port, connection } = await serverOf();
  const program = await programTo(tunnel, port);
  program.write('request');
  const server = await connection;
  expect(await firstData(server)).toBe('request');
  bed.forwarder.silence('to the agent');
  server.write('answer');
  expect(await firstData(program)).toBe('answer');
});

test('outbound: a server that speaks first is heard though nothing went after the opening', async () => {
  const bed = await bedOf();
  const tunnel = await bed.open();
  const { port, connection } = await serverOf();
  const program = await programTo(tunnel, port);
  const server = await connection;
  bed.forwarder.silence('to the agent');
  server.write('220 ready');
  expect(await firstData(program)).toBe('220 ready');
});

const inboundOf = async (bed: TestBed) => {
  const { promise: inbound, resolve } = Promise.withResolvers<InboundConnection>();
  await bed.open({ onInbound: resolve });
  const ready = await fetch(`http://127.0.0.1:${bed.agent.healthPort}/ready`);
  expect(ready.status).toBe(200);
  return { inbound, call: () => connectTo(bed.agent.ports[0] ?? 0) };
};

test('inbound: what a caller writes reaches the program here though the agent has heard nothing', async () => {
  const bed = await bedOf();
  const { inbound, call } = await inboundOf(bed);
  bed.forwarder.silence('to the agent');
  const caller = call();
  caller.write('request');
  const { stream } = await inbound;
  expect(await firstData(stream)).toBe('request');
  bed.forwarder.silence('from the agent');
  stream.write('answer');
  bed.forwarder.resume('to the agent');
  expect(await firstData(caller)).toBe('answer');
});

test('inbound: a program that speaks first is heard though nothing came after the opening', async () => {
  const bed = await bedOf();
  const { inbound, call } = await inboundOf(bed);
  const caller = call();
  const { stream } = await inbound;
  bed.forwarder.silence('from the agent');
  stream.write('220 ready');
  expect(await firstData(caller)).toBe('220 ready');
});
