import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Transport } from '../debuggers/profile.ts';
import { arrangeMeeting, type Meeting } from './reach.ts';

async function meet(argv: readonly string[], transport: Transport): Promise<Meeting> {
  const meeting = await arrangeMeeting({ argv, origin: 'test', transport });
  if (meeting === undefined) throw new Error('There is nothing to meet.');
  return meeting;
}

/** A server that greets each client and says nothing else. */
async function greet(where: { port: number; host: string } | { path: string }) {
  const server = createServer((socket) => socket.end('hello'));
  server.listen(where);
  await once(server, 'listening');
  return { server, [Symbol.asyncDispose]: async () => void server.close() };
}

const silent = () => {};

describe('a debug adapter that says nothing is reached', () => {
  test('at the free port that it was told, as soon as it listens', async () => {
    const meeting = await meet(['adapter', '--port={port}'], { kind: 'port', host: '127.0.0.1' });
    const [, port = ''] = meeting.argv[1]?.split('=') ?? [];
    expect(Number(port)).toBeGreaterThan(0);
    const reached = meeting.socket(silent, AbortSignal.timeout(10_000));
    await using _server = await greet({ port: Number(port), host: '127.0.0.1' });
    const { socket, endpoint } = await reached;
    expect(endpoint).toEqual({ host: '127.0.0.1', port: Number(port) });
    const [data] = await once(socket, 'data');
    expect(String(data)).toBe('hello');
  });

  test('at its socket', async () => {
    using meeting = await meet(['adapter', '{socket}'], { kind: 'socket' });
    const [, path = ''] = meeting.argv;
    const reached = meeting.socket(silent, AbortSignal.timeout(10_000));
    await using _server = await greet({ path });
    const { socket, endpoint } = await reached;
    expect(endpoint).toEqual({ path });
    const [data] = await once(socket, 'data');
    expect(String(data)).toBe('hello');
  });

  test('for as long as the signal allows', async () => {
    const meeting = await meet(['adapter'], { kind: 'port', host: '127.0.0.1' });
    const reached = meeting.socket(silent, AbortSignal.abort(new Error('Too long.')));
    await expect(reached).rejects.toThrow('Too long.');
  });
});

test('a debug adapter that calls is heard, and nobody after it', async () => {
  using meeting = await meet(['adapter', '--client-addr=127.0.0.1:{port}'], { kind: 'callback' });
  const port = Number(meeting.argv[1]?.split(':')[1]);
  const caller = connect({ port, host: '127.0.0.1' });
  const { socket } = await meeting.socket(silent, AbortSignal.timeout(10_000));
  caller.write('hello');
  const [data] = await once(socket, 'data');
  expect(String(data)).toBe('hello');
  const [error] = await once(connect({ port, host: '127.0.0.1' }), 'error');
  expect(error).toMatchObject({ code: 'ECONNREFUSED' });
  caller.destroy();
});

test('a port that another program has is not taken for that of the debug adapter', async () => {
  await using other = await greet({ port: 0, host: '127.0.0.1' });
  const address = other.server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await expect(meet(['adapter'], { kind: 'port', host: '127.0.0.1', port })).rejects.toThrow('EADDRINUSE');
});
