/**
 * Whether the way out of a private network keeps half-closed connections whole. Debian 12's pasta does not: when the program
 * ends its sending first, the answer stalls or comes several times. Its version does not tell, so it is tried.
 */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const question = 'question';
const answer = 'answer';
/** Where it works it takes milliseconds; where it does not it stalls for longer. */
const patienceMilliseconds = 3_000;

/** What the user has to know where it does not. */
export const halfCloseFault =
  'The pasta installed here has a fault: answers from other computers may stall or come twice if your program ends its sending first (half-close), which few programs do. A newer passt may have it repaired.';

/**
 * Tries it with a server of our own on the computer's loopback, which `dial` reaches from inside. Rejects if there is no
 * connection at all, or with the signal's reason.
 */
export async function keepsHalfClosed(dial: (port: number) => Promise<Socket>, signal: AbortSignal): Promise<boolean> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.resume().once('end', () => socket.end(answer));
  });
  try {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening', { signal });
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('there is no port');
    const socket = await dial(address.port);
    sockets.add(socket);
    let heard = '';
    socket.on('data', (chunk) => {
      heard += String(chunk);
    });
    const ended = new Promise<void>((resolve) => socket.once('end', resolve).once('error', () => resolve()));
    socket.end(question);
    await Promise.race([ended, delay(patienceMilliseconds, undefined, { signal, ref: false })]);
    return heard === answer && socket.readableEnded;
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}
