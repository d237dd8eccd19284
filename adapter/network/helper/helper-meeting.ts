/**
 * Where client and helper meet: a private directory with the client's socket and a token.
 * Node cannot ask a Unix socket for its peer's user (SO_PEERCRED). Instead each side relies on the file system: the directory
 * is the user's and nobody else may enter it, so the helper knows whose socket it reaches and the client that only this
 * user or root reaches it; the token, read from that directory, ties the two together.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, lstat, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Problem } from '../../problem.ts';
import { socketName, tokenName } from './helper-protocol.ts';

/** The client's side. Disposing removes the directory and stops listening; an accepted connection stays. */
export interface MeetingPlace extends AsyncDisposable {
  readonly directory: string;
  readonly token: string;
  readonly server: Server;
}

/** Makes the directory, in the temporary folder because a socket's path may have about a hundred bytes only (unix(7)). */
export async function openMeetingPlace(): Promise<MeetingPlace> {
  const directory = await mkdtemp(join(tmpdir(), 'kubernetes-local-'));
  const server = createServer({ allowHalfOpen: false });
  const dispose = async () => {
    server.close();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const token = randomBytes(32).toString('base64url');
    await writeFile(join(directory, tokenName), token, { mode: 0o600, flag: 'wx' });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(join(directory, socketName), resolve);
    });
    await chmod(join(directory, socketName), 0o600);
    return { directory, token, server, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** The helper's side: checks that all of it belongs to `uid` alone and returns the token. Problem helper-failed. */
export async function inspectMeetingPlace(directory: string, uid: number): Promise<string> {
  const folder = await lstat(directory);
  const socket = await lstat(join(directory, socketName));
  await using file = await open(join(directory, tokenName), constants.O_RDONLY | constants.O_NOFOLLOW);
  const token = await file.stat();
  const isPrivate = [folder, socket, token].every((it) => it.uid === uid && (it.mode & 0o077) === 0);
  if (!isPrivate || !folder.isDirectory() || !socket.isSocket() || !token.isFile() || token.size > 200) {
    throw new Problem({
      code: 'helper-failed',
      what: 'The privileged helper does not serve this caller.',
      why: `${directory} does not belong to user ${uid} alone.`,
      remedy: '',
    });
  }
  return file.readFile('utf8');
}
