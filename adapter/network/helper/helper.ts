/**
 * The privileged helper: the one process that may write the hosts file. It checks every argument itself, does nothing but
 * its own fenced blocks with addresses of 127.0.0.0/8, and undoes all it wrote when its client is gone, however that went.
 */
import { timingSafeEqual } from 'node:crypto';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ErrorCodes, type MessageConnection, ResponseError } from 'vscode-jsonrpc/node';
import type { z } from 'zod';
import { Problem } from '../../problem.ts';
import { rpcOver } from '../../rpc.ts';
import { assertWritable, removeBlock, setBlock, systemHostsFile } from '../hosts/hosts-writer.ts';
import { flushResolverCaches } from '../hosts/resolver-cache.ts';
import { inspectMeetingPlace } from './helper-meeting.ts';
import {
  argumentSchema,
  clearHostsSchema,
  type HelperArgument,
  type HelperMethod,
  helloSchema,
  helperVersion,
  setHostsSchema,
  socketName,
} from './helper-protocol.ts';

/** A client that connects says hello at once. */
const helloMilliseconds = 10_000;
const undoAttempts = 5;
const undoPauseMilliseconds = 500;

/** Runs the helper until its client is gone or it is told to end; all its blocks are removed then. Problem helper-failed, hosts-unwritable. */
export async function runHelper(argument: string): Promise<void> {
  // A terminal's Ctrl-C and its closing reach the whole group; the client decides about the end, by closing the channel.
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  // Nobody reads it any more once the client is killed.
  process.stderr.on('error', () => {});
  const ended = new AbortController();
  process.once('SIGTERM', () => ended.abort());

  const { directory, uid, hostsFile } = parseArgument(argument);
  const token = await inspectMeetingPlace(directory, uid);
  // Keeps no folder of the user's busy.
  process.chdir('/');
  const socket = createConnection(join(directory, socketName));
  socket.on('error', () => {});
  socket.once('close', () => ended.abort());
  const hosts = new HelperHosts(hostsFile ?? systemHostsFile());
  serve(socket, token, hosts);
  await new Promise<void>((resolve) => {
    if (ended.signal.aborted) resolve();
    else ended.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await hosts.undo();
  socket.destroy();
}

/** Decodes and judges the helper's argument. */
function parseArgument(argument: string): HelperArgument {
  const parsed = argumentSchema.safeParse(decode(argument));
  if (!parsed.success) throw refusal('Its argument is not one of this version of kubernetes-local.');
  const { version, uid, hostsFile } = parsed.data;
  if (version !== helperVersion) throw versionProblem(version);
  const caller = process.env.SUDO_UID;
  if (caller !== undefined && Number(caller) !== uid) throw refusal(`User ${caller} asked for it, not user ${uid}.`);
  // Otherwise whoever may start the helper could write any file of root's.
  if (hostsFile !== undefined && process.getuid?.() !== uid) {
    throw refusal('Another hosts file is for tests without privileges only.');
  }
  return parsed.data;
}

function decode(argument: string): unknown {
  try {
    return JSON.parse(Buffer.from(argument, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function serve(socket: Socket, token: string, hosts: HelperHosts): void {
  const connection = rpcOver(socket);
  connection.onError(() => socket.destroy());
  const deadline = setTimeout(() => socket.destroy(), helloMilliseconds);
  socket.once('close', () => clearTimeout(deadline));
  let trusted = false;
  const assertTrusted = () => {
    if (!trusted) throw refusal('The caller did not show the token.');
  };
  answer(connection, 'hello', (parameters) => {
    const { version, token: shown } = check(helloSchema, parameters);
    if (version !== helperVersion) throw versionProblem(version);
    if (!isSame(shown, token)) throw refusal('The caller showed a wrong token.');
    trusted = true;
    clearTimeout(deadline);
    return { version: helperVersion, pid: process.pid };
  });
  answer(connection, 'ping', () => {
    assertTrusted();
    return {};
  });
  answer(connection, 'checkHosts', async () => {
    assertTrusted();
    await hosts.check();
    return {};
  });
  answer(connection, 'setHosts', (parameters) => {
    assertTrusted();
    const { session, lines } = check(setHostsSchema, parameters);
    return hosts.set(session, lines);
  });
  answer(connection, 'clearHosts', (parameters) => {
    assertTrusted();
    return hosts.clear(check(clearHostsSchema, parameters).session);
  });
  connection.listen();
}

/** The file as this process changes it: one change after the other, and a memory of what to undo. */
class HelperHosts {
  readonly #file: string;
  readonly #sessions = new Set<string>();
  #queue: Promise<unknown> = Promise.resolve();
  #ending = false;

  constructor(file: string) {
    this.#file = file;
  }

  check(): Promise<void> {
    return assertWritable(this.#file);
  }

  set(session: string, lines: z.infer<typeof setHostsSchema>['lines']): Promise<unknown> {
    return this.#enqueue(async () => {
      if (this.#ending) throw refusal('It is ending.');
      this.#sessions.add(session);
      const shadowed = await setBlock(this.#file, session, lines, new AbortController().signal);
      await this.#flush();
      return { shadowed };
    });
  }

  clear(session: string): Promise<unknown> {
    return this.#enqueue(async () => {
      await removeBlock(this.#file, session, new AbortController().signal);
      this.#sessions.delete(session);
      await this.#flush();
      return {};
    });
  }

  /** Removes every block that this process wrote. Tries again, for nobody else is left to do it. Problem hosts-unwritable. */
  async undo(): Promise<void> {
    this.#ending = true;
    for (let attempt = 1; ; attempt++) {
      const results = await Promise.allSettled([...this.#sessions].map((session) => this.clear(session)));
      const failure = results.find((result) => result.status === 'rejected');
      if (failure === undefined) return;
      if (attempt === undoAttempts) throw failure.reason;
      await delay(undoPauseMilliseconds);
    }
  }

  #enqueue<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(act);
    this.#queue = result.catch(() => {});
    return result;
  }

  async #flush(): Promise<void> {
    if (this.#file === systemHostsFile()) await flushResolverCaches();
  }
}

function answer(connection: MessageConnection, method: HelperMethod, act: (parameters: unknown) => unknown): void {
  connection.onRequest(method, async (parameters: unknown) => {
    try {
      return await act(parameters);
    } catch (error) {
      const problem = Problem.from(error);
      return new ResponseError(ErrorCodes.InternalError, problem.message, problem.toJSON());
    }
  });
}

function check<T>(schema: z.ZodType<T>, parameters: unknown): T {
  const parsed = schema.safeParse(parameters);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refusal(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
}

function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function refusal(why: string): Problem {
  return new Problem({ code: 'helper-failed', what: 'The privileged helper refused.', why, remedy: '' });
}

function versionProblem(version: number): Problem {
  return new Problem({
    code: 'helper-failed',
    what: 'The privileged helper is of another version of kubernetes-local.',
    why: `It speaks version ${helperVersion}, its client version ${version}.`,
    remedy: 'Install kubernetes-local again, so that all its parts are of one version, and end running sessions.',
  });
}
