/** Where a debug adapter that is a server listens: a port of 127.0.0.1, or a Unix socket or named pipe of this user. */
import { lstatSync, rmSync, statSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname, resolve } from 'node:path';
import { Problem } from '../../problem.ts';

/** Port 0 is any free one. */
export type Place = { readonly port: number } | { readonly path: string };

/** Starts to listen; resolves with the place in words: `127.0.0.1:PORT`, or the path. Rejects with Problem listen-failed. */
export async function listenAt(server: Server, place: Place): Promise<string> {
  try {
    if ('port' in place) {
      await listening(server, () => server.listen({ port: place.port, host: '127.0.0.1', exclusive: true }));
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('There is no port.');
      return `${address.address}:${address.port}`;
    }
    const pipe = process.platform === 'win32';
    const path = pipe ? place.path : resolve(place.path);
    if (!pipe) await makeRoom(path);
    await listening(server, () => {
      // The socket is made before `listen` returns, so it never is open to others. Node removes it at `close`.
      const before = pipe ? undefined : process.umask(0o177);
      server.listen(path);
      if (before !== undefined) process.umask(before);
    });
    return path;
  } catch (error) {
    throw new Problem(
      {
        code: 'listen-failed',
        what: `The debug adapter cannot listen at ${'port' in place ? `port ${place.port} of 127.0.0.1` : place.path}.`,
        why: error instanceof Error ? error.message : String(error),
        remedy: 'port' in place ? 'Choose another port; 0 is any free one.' : 'Choose another path.',
      },
      { cause: error },
    );
  }
}

function listening(server: Server, start: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject).once('listening', () => {
      server.off('error', reject);
      resolve();
    });
    start();
  });
}

/** Bytes of a Unix socket's path (sun_path without its end; unix(7), and less on macOS). */
const longestPath = process.platform === 'darwin' ? 103 : 107;

/** Removes the socket of a server that was killed; throws if anything else is there, or no socket can be. */
async function makeRoom(path: string): Promise<void> {
  // For both, Node says something that leads nowhere.
  if (Buffer.byteLength(path) > longestPath) throw new Error(`A path of a socket has at most ${longestPath} bytes.`);
  if (!statSync(dirname(path)).isDirectory()) throw new Error(`${dirname(path)} is no folder.`);
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw new Error('There is something that is no socket.');
  if (await isLive(path)) throw new Error('Another program listens there.');
  rmSync(path, { force: true });
}

function isLive(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve(false);
      else reject(error);
    });
  });
}
