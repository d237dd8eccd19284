/**
 * A client's side of a session: finds or starts the daemon, connects, hears its notices, leaves.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connect as connectSocket, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { z } from 'zod';
import { Problem } from '../problem.ts';
import { rpcOver } from '../rpc.ts';
import { type Announcement, announcementDescriptor } from './daemon-process.ts';
import {
  type Connection,
  type ConnectRequest,
  connectionSchema,
  connectRequest,
  type Ending,
  endedNotification,
  endingSchema,
  fromResponseError,
  helloRequest,
  leaveRequest,
  lostNotification,
  type Notice,
  noticeNotification,
  noticeSchema,
  programNotification,
  progressNotification,
  progressSchema,
  type Status,
  sessionProtocolVersion,
  statusRequest,
  statusSchema,
} from './protocol.ts';
import { type SessionFiles, sessionFiles } from './state-folder.ts';

const announcementSchema: z.ZodType<Announcement> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('taken') }),
  z.object({ kind: z.literal('failed'), problem: z.custom<Problem>((value) => Problem.isData(value)) }),
]);

export interface SessionHooks {
  progress(text: string): void;
  notice(notice: Notice): void;
  /** The session cannot stand any longer, or its daemon is gone. */
  lost(problem: Problem): void;
}

/** Sessions for the same target in the same place share a daemon. `server` tells same-named contexts apart. */
export function sessionKey(request: Pick<ConnectRequest, 'context' | 'namespace' | 'target'>, server: string): string {
  const target = request.target.includes('/') ? request.target : `service/${request.target}`;
  const parts = [server, request.context, request.namespace, target.toLowerCase()];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** An open session. Disposing of it leaves without waiting longer than the daemon needs to begin. */
export class SessionClient {
  readonly files: SessionFiles;
  readonly connection: Connection;
  readonly #rpc: MessageConnection;
  #left = false;

  readonly #gone: Promise<void>;

  private constructor(
    files: SessionFiles,
    connection: Connection,
    rpc: MessageConnection,
    gone: Promise<void>,
    hooks: SessionHooks,
  ) {
    this.files = files;
    this.connection = connection;
    this.#rpc = rpc;
    this.#gone = gone;
    void gone.then(() => {
      if (this.#left) return;
      hooks.lost(
        new Problem({
          code: 'daemon-failed',
          what: 'The session daemon ended unexpectedly.',
          why: `Its log is ${files.log}.`,
          remedy: 'Run "kubernetes-local restore" to undo what it left.',
        }),
      );
    });
  }

  /** Connects, starting the daemon if there is none. `program` starts this program. Aborting undoes what was begun. */
  static async connect(
    key: string,
    request: ConnectRequest,
    program: readonly string[],
    hooks: SessionHooks,
    signal: AbortSignal,
  ): Promise<SessionClient> {
    const files = sessionFiles(key);
    for (;;) {
      signal.throwIfAborted();
      const rpc = await attach(files, program, signal);
      let lost = false;
      rpc.onNotification(progressNotification, (value) => hooks.progress(progressSchema.parse(value).text));
      rpc.onNotification(noticeNotification, (value) => hooks.notice(noticeSchema.parse(value)));
      rpc.onNotification(lostNotification, (value) => {
        lost = true;
        if (Problem.isData(value)) hooks.lost(new Problem(value));
      });
      const gone = whenGone(rpc);
      const abort = () => void rpc.sendRequest(leaveRequest, { budget: 0 }).catch(() => {});
      signal.addEventListener('abort', abort, { once: true });
      try {
        const answer = connectionSchema.parse(
          await Promise.race([
            rpc.sendRequest(connectRequest, request),
            gone.then(() => {
              throw daemonGone(files);
            }),
          ]),
        );
        if (answer.kind === 'ending') {
          hooks.progress('Waiting for the last session to finish its undo');
          await gone;
          hangUp(rpc);
          continue;
        }
        signal.throwIfAborted();
        return new SessionClient(files, answer, rpc, gone, {
          ...hooks,
          lost: (problem) => !lost && hooks.lost(problem),
        });
      } catch (error) {
        hangUp(rpc);
        throw fromResponseError(error);
      } finally {
        signal.removeEventListener('abort', abort);
      }
    }
  }

  /** Tells which process the user's program is. */
  programStarted(pid: number): void {
    void this.#rpc.sendNotification(programNotification, { pid });
  }

  /** Leaves; the last client's leaving starts the undo. `finishing` after `budget` milliseconds: the daemon goes on. */
  async leave(budget: number): Promise<Ending> {
    this.#left = true;
    // A daemon that ends without an answer has been killed; the next start goes on with its undo.
    const killed = this.#gone.then((): Ending => 'finishing');
    try {
      return endingSchema.parse(await Promise.race([this.#rpc.sendRequest(leaveRequest, { budget }), killed]));
    } catch (error) {
      throw fromResponseError(error);
    } finally {
      hangUp(this.#rpc);
    }
  }
}

/** The status of the session with this key; undefined if no daemon runs. */
export async function sessionStatus(key: string): Promise<Status | undefined> {
  const rpc = await dial(sessionFiles(key)).catch(() => undefined);
  if (!rpc) return undefined;
  try {
    return statusSchema.parse(await rpc.sendRequest(statusRequest));
  } finally {
    hangUp(rpc);
  }
}

/** A killed daemon has no last word; what it said before is handled within this time. */
const lastWordsMilliseconds = 250;

/**
 * Resolves when the daemon has closed the connection and all that it said before is handled: vscode-jsonrpc tells of a
 * close while it still has messages in its queue.
 */
async function whenGone(rpc: MessageConnection): Promise<void> {
  const lastWord = new Promise<void>((resolve) => rpc.onNotification(endedNotification, resolve));
  await new Promise<void>((resolve) => rpc.onClose(resolve));
  await Promise.race([lastWord, delay(lastWordsMilliseconds, undefined, { ref: false })]);
}

async function attach(
  files: SessionFiles,
  program: readonly string[],
  signal: AbortSignal,
): Promise<MessageConnection> {
  for (let attempt = 0; attempt < 50; attempt++) {
    signal.throwIfAborted();
    const running = await dial(files).catch((error: unknown) => {
      if (error instanceof Problem && error.code !== 'defect') throw error;
      return undefined;
    });
    if (running) return running;
    const announcement = await startDaemon(files, program);
    if (announcement.kind === 'failed') throw new Problem(announcement.problem);
    // Another client's daemon has the lock but does not listen yet, or is about to end.
    if (announcement.kind === 'taken') await delay(100, undefined, { signal });
  }
  throw daemonGone(files);
}

function daemonGone(files: SessionFiles): Problem {
  return new Problem({
    code: 'daemon-failed',
    what: 'The session daemon does not answer.',
    why: `Its log is ${files.log}.`,
    remedy: 'Run "kubernetes-local status", then "kubernetes-local restore".',
  });
}

async function startDaemon(files: SessionFiles, program: readonly string[]): Promise<Announcement> {
  const [command, ...args] = program;
  if (command === undefined) throw new Error('no program to start the daemon with');
  const child = spawn(command, [...args, 'daemon', files.key], {
    detached: true,
    cwd: files.folder,
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
    windowsHide: true,
  });
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => {});
  child.unref();
  const announced = child.stdio[announcementDescriptor] as Readable;
  const line = await Promise.race([text(announced), failed]);
  const parsed = announcementSchema.safeParse(line === '' ? undefined : JSON.parse(line));
  if (!parsed.success) throw daemonGone(files);
  return parsed.data;
}

async function dial(files: SessionFiles): Promise<MessageConnection> {
  const socket = await new Promise<Socket>((resolve, reject) => {
    const opening = connectSocket(files.socket);
    opening.once('connect', () => resolve(opening));
    opening.once('error', reject);
  });
  socket.on('error', () => {});
  const rpc = rpcOver(socket);
  rpc.listen();
  try {
    await rpc.sendRequest(helloRequest, {
      version: sessionProtocolVersion,
      token: readFileSync(files.token, 'utf8'),
    });
    return rpc;
  } catch (error) {
    rpc.dispose();
    socket.destroy();
    throw fromResponseError(error);
  }
}

/** Closes the socket too: an open one would keep this process alive. */
function hangUp(rpc: MessageConnection): void {
  rpc.end();
  rpc.dispose();
}
