/**
 * Where client and helper meet: a private directory with the client's sockets and a token. It stays as long as they do.
 *
 * Node cannot ask a Unix socket for its peer's user (SO_PEERCRED), and Linux shows that nowhere in /proc: /proc/net/unix has
 * a socket's inode and not its peer's. The file system says as much: the directory is the user's and nobody else may
 * enter it, so whoever listens there is that user (or root), and whoever connects is that user or root. The helper
 * checks owner and modes itself, the token read from the directory ties the two together, and what sudo and pkexec say of
 * who asked (SUDO_UID, PKEXEC_UID) has to agree. On Windows, not tried, the folder lies in the user's own temporary folder,
 * which others cannot read, and the pipe, whose name is random, is told apart by the token.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, lstat, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join, win32 } from 'node:path';
import { Problem } from '../../problem.ts';
import { relayName, socketName, tokenName } from './helper-protocol.ts';

/** The client's side. Disposing removes the directory and stops listening; accepted connections stay. */
export interface MeetingPlace extends AsyncDisposable {
  readonly directory: string;
  readonly token: string;
  /** For the helper's one connection. */
  readonly server: Server;
  /** For the connections that arrived at low ports. */
  readonly relays: Server;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Where one of the two sockets is: in the directory, or on Windows, whose pipes have a place of their own, named after it. */
export function meetingAddress(
  directory: string,
  name: typeof socketName | typeof relayName,
  platform: NodeJS.Platform = process.platform,
): string {
  if (platform !== 'win32') return join(directory, name);
  return `\\\\.\\pipe\\${win32.basename(directory)}-${name}`;
}

/** Makes the directory, in the temporary folder because a socket's path may have about a hundred bytes only (unix(7)). */
export async function openMeetingPlace(): Promise<MeetingPlace> {
  const directory = await mkdtemp(join(tmpdir(), 'kubernetes-local-'));
  const server = createServer({ allowHalfOpen: false });
  const relays = createServer({ allowHalfOpen: true });
  const dispose = async () => {
    server.close();
    relays.close();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const token = randomBytes(32).toString('base64url');
    await writeFile(join(directory, tokenName), token, { mode: 0o600, flag: 'wx' });
    await listen(server, meetingAddress(directory, socketName));
    await listen(relays, meetingAddress(directory, relayName));
    return { directory, token, server, relays, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve);
  });
  if (process.platform !== 'win32') await chmod(path, 0o600);
}

/** The helper's side: checks that all of it belongs to `uid` alone and returns the token. Problem helper-failed. */
export async function inspectMeetingPlace(directory: string, uid: number): Promise<string> {
  const folder = await lstat(directory);
  await using file = await open(join(directory, tokenName), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
  const token = await file.stat();
  const isWhole = folder.isDirectory() && token.isFile() && token.size <= 200;
  if (!isWhole || (process.platform !== 'win32' && !(await isPrivate(directory, uid, [folder, token])))) {
    throw notPrivate(directory, uid);
  }
  return file.readFile('utf8');
}

/** Checks again that directory and relay socket belong to `uid` alone. Problem helper-failed. */
export async function inspectRelay(directory: string, uid: number): Promise<void> {
  if (process.platform === 'win32') return;
  const [folder, socket] = await Promise.all([lstat(directory), lstat(join(directory, relayName))]);
  const isOwn = [folder, socket].every((it) => it.uid === uid && (it.mode & 0o077) === 0);
  if (!isOwn || !folder.isDirectory() || !socket.isSocket()) throw notPrivate(directory, uid);
}

type Ownership = Pick<Awaited<ReturnType<typeof lstat>>, 'uid' | 'mode'>;

async function isPrivate(directory: string, uid: number, others: readonly Ownership[]): Promise<boolean> {
  const socket = await lstat(join(directory, socketName));
  const isOwn = ({ uid: owner, mode }: Ownership) => Number(owner) === uid && (Number(mode) & 0o077) === 0;
  return socket.isSocket() && [socket, ...others].every(isOwn);
}

function notPrivate(directory: string, uid: number): Problem {
  return new Problem({
    code: 'helper-failed',
    what: 'The privileged helper does not serve this caller.',
    why: `${directory} does not belong to user ${uid} alone.`,
    remedy: '',
  });
}
