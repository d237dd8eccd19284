import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { join } from './join.ts';

/** Both ends of a TCP connection. */
const pair = async (): Promise<[Socket, Socket]> => {
  const server: Server = createServer({ allowHalfOpen: true });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no address');
  const near = connect({ port: address.port, host: '127.0.0.1', allowHalfOpen: true });
  const [far]: Socket[] = await once(server, 'connection');
  if (far === undefined) throw new Error('no connection');
  server.close();
  for (const socket of [near, far]) socket.on('error', () => {});
  onTestFinished(() => {
    near.destroy();
    far.destroy();
  });
  return [near, far];
};

const errorCode = async (socket: Socket): Promise<unknown> => {
  const [error] = await once(socket.resume(), 'error');
  return error instanceof Error && 'code' in error ? error.code : undefined;
};

test('ends pass one by one, and the joint resolves when both are through', async () => {
  const [client, left] = await pair();
  const [right, server] = await pair();
  const joined = join(left, right);
  client.end('request');
  expect(String((await once(server, 'data'))[0])).toBe('request');
  await once(server, 'end');
  server.end('answer');
  expect(String((await once(client, 'data'))[0])).toBe('answer');
  await once(client, 'end');
  await joined;
});

test('a socket that its server has paused is read', async () => {
  const server = createServer({ pauseOnConnect: true });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const accepted = once(server, 'connection');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [left] = (await accepted) as [Socket];
  const [right, far] = await pair();
  void join(left, right);
  client.write('request');
  expect(String((await once(far, 'data'))[0])).toBe('request');
  for (const socket of [client, left]) socket.destroy();
  server.close();
});

test('a reset passes as a reset', async () => {
  const [client, left] = await pair();
  const [right, server] = await pair();
  const joined = join(left, right);
  client.resetAndDestroy();
  expect(await errorCode(server)).toBe('ECONNRESET');
  await joined;
});

test('a stream that was gone before resets the other', async () => {
  const [client, left] = await pair();
  const gone = new PassThrough();
  gone.destroy();
  await once(gone, 'close');
  const failed = errorCode(client);
  await join(left, gone);
  expect(await failed).toBe('ECONNRESET');
});
