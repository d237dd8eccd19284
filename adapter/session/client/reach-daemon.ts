/** A client's way to the daemon of a session: dialled, or started first; and how they part. */
import { readFileSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { z } from 'zod';
import { Problem } from '../../problem.ts';
import { rpcOver } from '../../rpc.ts';
import { within } from '../../within.ts';
import type { Announcement } from '../announcement.ts';
import {
  endedNotification,
  fromResponseError,
  goodbyeRequest,
  helloRequest,
  sessionProtocolVersion,
} from '../protocol.ts';
import { isLocked } from '../session-lock.ts';
import type { SessionFiles } from '../state-folder.ts';
import type { DaemonStart } from './daemon-start.ts';

const announcementSchema: z.ZodType<Announcement> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('taken') }),
  z.object({ kind: z.literal('failed'), problem: z.custom<Problem>((value) => Problem.isData(value)) }),
]);

/** A killed daemon has no last word; what it said before is handled within this time. */
const lastWordsMilliseconds = 250;

/**
 * Resolves when the daemon has closed the connection and all that it said before is handled: vscode-jsonrpc tells of a
 * close while it still has messages in its queue.
 */
export async function whenGone(rpc: MessageConnection): Promise<void> {
  const lastWord = new Promise<void>((resolve) => rpc.onNotification(endedNotification, resolve));
  await closed(rpc);
  await within(lastWordsMilliseconds, lastWord, undefined);
}

function closed(rpc: MessageConnection): Promise<void> {
  return new Promise((resolve) => rpc.onClose(resolve));
}

interface ReachOptions {
  /** One that is started ahead is used, or given up where a daemon runs. */
  readonly daemons: DaemonStart;
  /** Somebody undoes what an interrupted session for this target left; that comes first. */
  waiting(): void;
}

/** An undo waits two minutes for a cluster that is away; longer than that nobody has a session's lock without a daemon. */
const takenMilliseconds = 150_000;
/** A daemon that has the lock listens within a moment. */
const startingMilliseconds = 2_000;
const pollMilliseconds = 100;

/** A connection to the daemon of a session, which is started if there is none. Problem daemon-failed. */
export async function reachDaemon(
  files: SessionFiles,
  { daemons, waiting }: ReachOptions,
  signal: AbortSignal,
): Promise<MessageConnection> {
  const began = performance.now();
  let told = false;
  for (;;) {
    signal.throwIfAborted();
    const running = await dialIfThere(files, signal);
    if (running) {
      daemons[Symbol.dispose]();
      return running;
    }
    const announcement = announcementOf(await daemons.start(files.key), files);
    if (announcement.kind === 'failed') throw new Problem(announcement.problem);
    if (announcement.kind === 'ready') continue;
    // Another client's daemon has the lock but does not listen yet, or is about to end; or somebody undoes an old session.
    do {
      const waited = performance.now() - began;
      if (waited > takenMilliseconds) throw daemonGone(files);
      if (waited > startingMilliseconds && !told) waiting();
      told ||= waited > startingMilliseconds;
      await delay(pollMilliseconds, undefined, { signal });
      const begun = await dialIfThere(files, signal);
      if (begun) return begun;
    } while (await isLocked(files.lock));
  }
}

/** Undefined if no daemon listens. One that is stopped is waited for. */
async function dialIfThere(files: SessionFiles, signal: AbortSignal): Promise<MessageConnection | undefined> {
  const wanted = AbortSignal.any([signal, AbortSignal.timeout(takenMilliseconds)]);
  try {
    return await dialDaemon(files, wanted);
  } catch (error) {
    signal.throwIfAborted();
    if (wanted.aborted) throw daemonSilent(files);
    if (error instanceof Problem && error.code !== 'defect') throw error;
    return undefined;
  }
}

/** The daemon is there no more, or never came. */
export function daemonGone(files: SessionFiles): Problem {
  return new Problem({
    code: 'daemon-failed',
    what: 'The session daemon does not answer.',
    why: `Its log is ${files.log}.`,
    remedy: 'Run "kubernetes-local status", then "kubernetes-local restore".',
  });
}

/** The daemon lives, but says nothing. */
export function daemonSilent(files: SessionFiles): Problem {
  return new Problem({
    code: 'daemon-failed',
    what: 'The session daemon lives, but does not answer.',
    why: `It may be stopped, or busy. Its log is ${files.log}.`,
    remedy: 'Let it go on, or end it; the next command undoes what it leaves.',
  });
}

/** Problem daemon-failed if it ended without a word. */
function announcementOf(line: string, files: SessionFiles): Announcement {
  const parsed = announcementSchema.safeParse(line === '' ? undefined : JSON.parse(line));
  if (!parsed.success) throw daemonGone(files);
  return parsed.data;
}

/** A connection to a daemon that runs; rejects if there is none. Aborting ends the wait for one that does not answer. */
export async function dialDaemon(files: SessionFiles, signal?: AbortSignal): Promise<MessageConnection> {
  const socket = await new Promise<Socket>((resolve, reject) => {
    const opening = connectSocket(files.socket);
    opening.once('connect', () => resolve(opening));
    opening.once('error', reject);
  });
  const abort = () => socket.destroy();
  signal?.addEventListener('abort', abort, { once: true });
  socket.on('error', () => {});
  const rpc = rpcOver(socket);
  sockets.set(rpc, socket);
  rpc.listen();
  // A request that is pending when the connection closes is never answered by vscode-jsonrpc.
  const gone = closed(rpc).then(async () => {
    await delay(lastWordsMilliseconds);
    throw new Error('the daemon has hung up');
  });
  gone.catch(() => {});
  try {
    const hello = { version: sessionProtocolVersion, token: readFileSync(files.token, 'utf8') };
    await Promise.race([rpc.sendRequest(helloRequest, hello), gone]);
    return rpc;
  } catch (error) {
    rpc.dispose();
    socket.destroy();
    signal?.throwIfAborted();
    throw fromResponseError(error);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** A daemon that does not answer must not keep its client from ending. */
const goodbyeMilliseconds = 1_000;

/** Tells that no process is left to be ended, and hangs up. */
export async function sayGoodbye(rpc: MessageConnection): Promise<void> {
  try {
    // A request that is pending when the connection closes is never answered by vscode-jsonrpc.
    await within(goodbyeMilliseconds, Promise.race([rpc.sendRequest(goodbyeRequest), closed(rpc)]), undefined);
  } catch {
    // It is gone, and its guard with it.
  }
  hangUp(rpc);
}

/** Closes the socket too: an open one would keep this process alive, and so would one that a stopped daemon does not close. */
export function hangUp(rpc: MessageConnection): void {
  rpc.end();
  rpc.dispose();
  sockets.get(rpc)?.unref();
}

const sockets = new WeakMap<MessageConnection, Socket>();
