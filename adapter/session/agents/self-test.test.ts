import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SelfTest } from './self-test.ts';

let server: Server;
let onConnection: (socket: Socket) => void;
const sockets = new Set<Socket>();
beforeEach(async () => {
  server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  await new Promise((resolve) => server.close(resolve));
});

const port = () => (server.address() as AddressInfo).port;
const dial = () => connect({ port: port(), host: '127.0.0.1', allowHalfOpen: true });
const route = { label: 'cart:80', host: 'cart', port: 80 };
const { signal } = new AbortController();

describe('the self-test', () => {
  it('sees its own connection come back', async () => {
    const test = new SelfTest();
    const claimed: boolean[] = [];
    onConnection = (socket) => void test.claim(socket).then((mine) => claimed.push(mine));
    const result = await test.run(route, dial, 5_000, signal);
    expect(result.kind).toBe('arrived');
    expect(claimed).toEqual([true]);
    expect(test.running).toBe(false);
  });

  it('says so when another program answers', async () => {
    const test = new SelfTest();
    onConnection = (socket) => {
      socket.on('error', () => {});
      socket.end('HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close and some more\r\n\r\n');
    };
    expect(await test.run(route, dial, 300, signal)).toMatchObject({
      kind: 'lost',
      reason: expect.stringContaining('another program answered'),
    });
  });

  it('says why nothing arrives', async () => {
    const test = new SelfTest();
    onConnection = (socket) => socket.destroy();
    expect(await test.run(route, dial, 300, signal)).toMatchObject({ kind: 'lost' });
  });

  it('gives back a stranger with every byte unread', async () => {
    const test = new SelfTest();
    const received = new Promise<string>((resolve, reject) => {
      onConnection = (socket) => {
        test.claim(socket).then((mine) => {
          expect(mine).toBe(false);
          text(socket).then(resolve, reject);
        }, reject);
      };
    });
    const client = dial();
    client.end('GET / HTTP/1.1\r\n\r\n');
    client.resume();
    expect(await received).toBe('GET / HTTP/1.1\r\n\r\n');
  });
});
