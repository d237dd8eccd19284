import { connect, createServer, type Server, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { keepsHalfClosed } from './half-close.ts';

const never = new AbortController().signal;

const dial = (port: number) =>
  new Promise<Socket>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }, () => resolve(socket)).once(
      'error',
      reject,
    );
  });

/** Something between that does not hand on the bytes as they are. */
async function dialThrough(handOn: (inside: Socket, outside: Socket) => void, port: number): Promise<Socket> {
  const between: Server = createServer({ allowHalfOpen: true }, (inside) => {
    const outside = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    for (const socket of [inside, outside]) socket.on('error', () => {});
    inside.pipe(outside);
    handOn(inside, outside);
    between.close();
  });
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
  const address = between.address();
  return dial(typeof address === 'object' && address !== null ? address.port : 0);
}

it('is content with a connection that keeps them', async () => {
  expect(await keepsHalfClosed(dial, never)).toBe(true);
});

it('notices data that come twice, and data that stall', async () => {
  const twice = (inside: Socket, outside: Socket) => {
    outside.on('data', (chunk) => {
      inside.write(chunk);
      inside.write(chunk);
    });
    outside.once('end', () => inside.end());
  };
  const endless = (inside: Socket, outside: Socket) => {
    outside.pipe(inside, { end: false });
  };
  expect(await keepsHalfClosed((port) => dialThrough(twice, port), never)).toBe(false);
  expect(await keepsHalfClosed((port) => dialThrough(endless, port), never)).toBe(false);
});

it('says so when there is no connection', async () => {
  await expect(keepsHalfClosed(() => Promise.reject(new Error('unreachable')), never)).rejects.toThrow('unreachable');
});
