/**
 * A client's side of a session: finds or starts the daemon, connects, hears its notices, leaves.
 * This folder: what a command or an editor does with sessions: finds, begins, chooses and asks them.
 */
import { createHash } from 'node:crypto';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { Problem } from '../../problem.ts';
import { within } from '../../within.ts';
import {
  askRequest,
  type Connection,
  type ConnectRequest,
  connectionSchema,
  connectRequest,
  type Ending,
  endingSchema,
  fromResponseError,
  type Keep,
  leaveRequest,
  lostNotification,
  type Notice,
  noticeNotification,
  noticeSchema,
  progressNotification,
  progressSchema,
  type Release,
  type Released,
  releasedSchema,
  releaseRequest,
  type Status,
  standingRequest,
  standingSchema,
  statusRequest,
  statusSchema,
  type Timings,
  timingsNotification,
  timingsSchema,
} from '../protocol.ts';
import { type Ask, answerQuestion } from '../questions/ask.ts';
import { type SessionFiles, sessionFiles } from '../state-folder.ts';
import { Step } from '../timings.ts';
import type { DaemonStart } from './daemon-start.ts';
import { daemonGone, daemonSilent, dialDaemon, hangUp, reachDaemon, sayGoodbye, whenGone } from './reach-daemon.ts';
import { ReportedProcesses } from './reported-processes.ts';

export interface SessionHooks {
  progress(text: string): void;
  notice(notice: Notice): void;
  /** Asks the user of this client. */
  readonly ask: Ask;
  /** Where the daemon's time of a connect or disconnect went. */
  timings?(told: Timings): void;
  /** The connect as a whole, for the timing of the client's parts. */
  readonly step?: Step;
  /** The session cannot stand any longer, or its daemon is gone. */
  lost(problem: Problem): void;
}

/** Sessions for the same target in the same place share a daemon. `server` tells same-named contexts apart. */
export function sessionKey(request: Pick<ConnectRequest, 'context' | 'namespace' | 'target'>, server: string): string {
  const target = request.target.includes('/') ? request.target : `service/${request.target}`;
  const parts = [server, request.context, request.namespace, target.toLowerCase()];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** An open session: its holder leaves it, ends the processes that it reported, and closes it. */
export class SessionClient {
  readonly files: SessionFiles;
  readonly connection: Connection;
  readonly processes: ReportedProcesses;
  readonly #rpc: MessageConnection;
  #left = false;

  readonly #gone: Promise<void>;

  private constructor(
    files: SessionFiles,
    connection: Connection,
    rpc: MessageConnection,
    gone: Promise<void>,
    hooks: SessionHooks,
    processes: ReportedProcesses,
  ) {
    this.files = files;
    this.connection = connection;
    this.processes = processes;
    this.#rpc = rpc;
    this.#gone = gone;
    void gone.then(() => {
      if (this.#left) return;
      hooks.lost(
        new Problem({
          code: 'daemon-failed',
          what: 'The session daemon ended unexpectedly.',
          why: `Its log is ${files.log}.`,
          remedy: 'The next command undoes what it left; "kubernetes-local restore" does it while you look on.',
        }),
      );
    });
  }

  /**
   * Connects, starting the daemon if there is none. Aborting undoes what was begun.
   * `processes` may be reported before, while and after it connects; should this process be killed, the daemon ends them.
   */
  static async connect(
    key: string,
    request: ConnectRequest,
    daemons: DaemonStart,
    hooks: SessionHooks,
    signal: AbortSignal,
    processes = new ReportedProcesses(),
  ): Promise<SessionClient> {
    const files = sessionFiles(key);
    const { step = new Step('connect') } = hooks;
    for (;;) {
      signal.throwIfAborted();
      const waiting = () => hooks.progress('Waiting for the undo of an interrupted session');
      const rpc = await step.time('the daemon starts', () => reachDaemon(files, { daemons, waiting }, signal));
      const building = step.begin('the session is built');
      processes.reportTo(rpc);
      let lost = false;
      rpc.onRequest(askRequest, (value) => answerQuestion(hooks.ask, value, signal));
      rpc.onNotification(progressNotification, (value) => hooks.progress(progressSchema.parse(value).text));
      rpc.onNotification(noticeNotification, (value) => hooks.notice(noticeSchema.parse(value)));
      rpc.onNotification(timingsNotification, (value) => {
        const told = timingsSchema.parse(value);
        if (told.of === 'connect') for (const each of told.timing.steps) building.attach(each);
        hooks.timings?.(told);
      });
      rpc.onNotification(lostNotification, (value) => {
        lost = true;
        if (Problem.isData(value)) hooks.lost(new Problem(value));
      });
      const gone = whenGone(rpc);
      const abort = () => void giveUp(rpc);
      signal.addEventListener('abort', abort, { once: true });
      try {
        signal.throwIfAborted();
        const asked = rpc.sendRequest(connectRequest, request);
        const answer = connectionSchema.parse(await unlessGone(asked, gone, files));
        if (answer.kind === 'ending') {
          hooks.progress('Waiting for the last session to finish its undo');
          await gone;
          hangUp(rpc);
          continue;
        }
        signal.throwIfAborted();
        const once = { ...hooks, lost: (problem: Problem) => !lost && hooks.lost(problem) };
        return new SessionClient(files, answer, rpc, gone, once, processes);
      } catch (error) {
        await sayGoodbye(rpc);
        throw fromResponseError(error);
      } finally {
        building.end();
        signal.removeEventListener('abort', abort);
      }
    }
  }

  /**
   * Leaves; the last client's leaving starts the undo, unless it says what the session is to be kept for. `finishing`
   * after `budget` milliseconds: the daemon goes on. The reported processes stay under guard until `close`.
   */
  async leave(budget: number, keep?: Keep): Promise<Ending> {
    this.#left = true;
    // A daemon that ends without an answer has been killed; the next start goes on with its undo.
    const killed = this.#gone.then((): Ending => 'finishing');
    const leave = { budget, ...(keep !== undefined && { keep }) };
    try {
      const answer = Promise.race([this.#rpc.sendRequest(leaveRequest, leave), killed]);
      // One that is stopped does not even say that it goes on.
      return endingSchema.parse(await within(budget + statusMilliseconds, answer, 'finishing'));
    } catch (error) {
      throw fromResponseError(error);
    }
  }

  /** Hangs up. The reported processes have been ended, or may live on. */
  async close(): Promise<void> {
    this.#left = true;
    await sayGoodbye(this.#rpc);
  }
}

/** An answer of the daemon; Problem daemon-failed if it goes without one, for vscode-jsonrpc then leaves it pending. */
function unlessGone<T>(answer: Promise<T>, gone: Promise<void>, files: SessionFiles): Promise<T> {
  const none = gone.then(() => {
    throw daemonGone(files);
  });
  return Promise.race([answer, none]);
}

/** The answer is that to the pending request to connect. */
async function giveUp(rpc: MessageConnection): Promise<void> {
  try {
    await rpc.sendRequest(leaveRequest, { budget: 0 });
  } catch {
    // The daemon is gone, which ends the request to connect too.
  }
}

/** A daemon that is stopped (SIGSTOP, a debugger) is alive, but does not answer. */
const statusMilliseconds = 3_000;

/** The status of the session with this key; undefined if no daemon runs. Problem daemon-failed if one does, but does not answer us. */
export async function sessionStatus(key: string): Promise<Status | undefined> {
  const files = sessionFiles(key);
  const patience = AbortSignal.timeout(statusMilliseconds);
  const rpc = await dialDaemon(files, patience).catch((error: unknown) => {
    if (patience.aborted) throw daemonSilent(files);
    // One of another version has said why it does not talk to us.
    if (error instanceof Problem && error.code === 'daemon-failed') throw error;
    return undefined;
  });
  if (!rpc) return undefined;
  try {
    const answer = unlessGone(rpc.sendRequest(statusRequest), whenGone(rpc), files);
    const status = await within(statusMilliseconds, answer, undefined);
    if (status === undefined) throw daemonSilent(files);
    return statusSchema.parse(status);
  } finally {
    hangUp(rpc);
  }
}

/** The connection of the session with this key, whatever its options; undefined if none stands. Nothing begins or ends by it. */
export async function standingConnection(key: string): Promise<Connection | undefined> {
  const files = sessionFiles(key);
  const rpc = await dialDaemon(files).catch(noDaemon);
  if (rpc === undefined) return undefined;
  try {
    return standingSchema.parse(await unlessGone(rpc.sendRequest(standingRequest), whenGone(rpc), files)) ?? undefined;
  } catch (error) {
    throw fromResponseError(error);
  } finally {
    hangUp(rpc);
  }
}

/** A socket that nobody serves is left by a daemon that was killed. */
function noDaemon(error: unknown): undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') return undefined;
  throw error;
}

/**
 * Ends the session with this key if it stands without a client, as `release` says; resolves when it is over, or stands on.
 * Undefined if no daemon runs.
 */
export async function releaseSession(key: string, release: Release): Promise<Released | undefined> {
  const files = sessionFiles(key);
  const rpc = await dialDaemon(files).catch(() => undefined);
  if (!rpc) return undefined;
  try {
    const over = whenGone(rpc);
    const released = releasedSchema.parse(await unlessGone(rpc.sendRequest(releaseRequest, release), over, files));
    if (released === 'ended') await over;
    return released;
  } finally {
    hangUp(rpc);
  }
}
