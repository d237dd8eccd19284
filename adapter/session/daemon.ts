/**
 * The session daemon: a detached process that owns one session, so that its undo does not depend on the client's life.
 * Clients are counted by their live sockets. The last one's end starts the undo; after it the process ends.
 */

import { rmSync } from 'node:fs';
import { type Cluster, openCluster } from '../cluster/cluster.ts';
import type { Log } from '../diagnostics/log.ts';
import { startHelper } from '../network/helper-client.ts';
import { Problem } from '../problem.ts';
import { type Client, Clients } from './clients.ts';
import { Journal, readJournal, type SessionAct } from './journal.ts';
import { LiveSession } from './live-session.ts';
import {
  type ConnectAnswer,
  type Connection,
  type ConnectRequest,
  type Ending,
  lostNotification,
  type Notice,
  noticeNotification,
  progressNotification,
  type Status,
} from './protocol.ts';
import type { SessionFiles } from './state-folder.ts';
import { undo } from './undo.ts';

/** A daemon whose client died before it spoke has nothing to do. */
const firstClientMilliseconds = 30_000;
/** An adapter that is restarted by its IDE comes back at once; a killed one never does. */
const graceMilliseconds = 1_000;

type State =
  | { readonly kind: 'idle' }
  | { readonly kind: 'connecting'; readonly abort: AbortController; readonly connection: Promise<Connection> }
  | { readonly kind: 'connected'; readonly connection: Connection }
  | { readonly kind: 'undoing'; readonly undone: Promise<void> }
  | { readonly kind: 'ended' };

export interface DaemonOptions {
  readonly id: string;
  readonly files: SessionFiles;
  readonly token: string;
  readonly program: readonly string[];
  readonly log: Log;
}

/** Serves one session until it has ended; resolves when everything is undone and the process may exit. */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #clients: Clients;
  readonly #started = new Date().toISOString();
  readonly #ended = Promise.withResolvers<void>();
  #state: State = { kind: 'idle' };
  #request: ConnectRequest | undefined;
  #session: LiveSession | undefined;
  /** Its connections are open already, which saves the undo their opening. */
  #cluster: Cluster | undefined;
  #problem: string | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#clients = new Clients({
      token: options.token,
      log: options.log,
      connect: (client, request) => this.#connect(client, request),
      leave: (client, budget) => this.#leave(client, budget),
      status: () => this.#status(),
      programStarted: (pid) => this.#session?.programStarted(pid),
      vanished: () => setTimeout(() => this.#endIfAlone(), graceMilliseconds),
    });
  }

  /** Resolves when clients can connect. */
  async listen(): Promise<void> {
    await this.#clients.listen(this.#options.files.socket);
    setTimeout(() => {
      if (this.#state.kind === 'idle') this.#end();
    }, firstClientMilliseconds).unref();
  }

  /** Resolves when the session has ended and all of it is undone, or is left to `restore`. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Undoes everything and ends, whoever is still connected. */
  stop(reason: string): void {
    this.#options.log.write('info', 'stopping', { reason });
    this.#startUndo();
  }

  async #connect(client: Client, request: ConnectRequest): Promise<ConnectAnswer> {
    client.pid = request.clientPid;
    switch (this.#state.kind) {
      case 'undoing':
      case 'ended':
        return { kind: 'ending' };
      case 'connected':
      case 'connecting':
        client.joined = true;
        this.#assertSame(request);
        return this.#state.connection;
      case 'idle': {
        client.joined = true;
        this.#request = request;
        const abort = new AbortController();
        const connection = this.#establish(request, abort.signal);
        this.#state = { kind: 'connecting', abort, connection };
        return connection;
      }
    }
  }

  async #establish(request: ConnectRequest, signal: AbortSignal): Promise<Connection> {
    const { files, log, id, program } = this.#options;
    try {
      await this.#undoLeftovers();
      const cluster = await openCluster(
        {
          context: request.context,
          namespace: request.namespace,
          log,
          ...(request.kubeconfig !== undefined && { kubeconfig: request.kubeconfig }),
        },
        signal,
      );
      this.#cluster = cluster;
      const journal = new Journal(files.journal);
      journal.append({
        act: 'session',
        version: 1,
        id,
        started: this.#started,
        pid: process.pid,
        context: request.context,
        namespace: request.namespace,
        target: request.target,
        ...(request.kubeconfig !== undefined && { kubeconfig: request.kubeconfig }),
      });
      this.#session = new LiveSession({
        id,
        request,
        cluster,
        journal,
        log,
        program,
        logFile: files.log,
        progress: (text) => this.#progress(text),
        notice: (notice) => this.#notice(notice),
        lost: (problem) => this.#lost(problem),
      });
      const connection = await this.#session.connect(signal);
      if (signal.aborted) signal.throwIfAborted();
      this.#state = { kind: 'connected', connection };
      log.write('info', 'connected', { workload: connection.workload, pods: connection.pods });
      return connection;
    } catch (error) {
      const problem = Problem.from(signal.aborted ? signal.reason : error);
      log.write('warn', 'connecting failed; undoing', { error });
      this.#problem = problem.message;
      const undone = this.#startUndo();
      // A failure is reported when it has left nothing behind, so that the next attempt meets a clean cluster.
      await undone.catch((incomplete: unknown) =>
        this.#notice({ level: 'warning', text: Problem.from(incomplete).message }),
      );
      throw problem;
    }
  }

  /** What a crashed daemon of this same session left is undone before a new start. */
  async #undoLeftovers(): Promise<void> {
    const { files } = this.#options;
    const acts = readJournal(files.journal);
    if (acts.length > 0) {
      this.#progress('Undoing what an interrupted session left');
      await this.#undoActs(acts);
    }
    rmSync(files.journal, { force: true });
  }

  #undoActs(acts: Parameters<typeof undo>[0]['acts']): Promise<void> {
    const { log, program } = this.#options;
    const { signal } = new AbortController();
    const session = this.#session;
    return undo({
      acts,
      openCluster: async (act) => this.#cluster ?? (await openRecordedCluster(act, log, signal)),
      openHelper: () => session?.helper(signal) ?? startHelper({ log, command: program, signal }),
      progress: (text) => this.#progress(text),
      notice: (text) => this.#notice({ level: 'warning', text }),
      signal,
    });
  }

  async #leave(client: Client, budget: number): Promise<Ending> {
    client.joined = false;
    if (this.#clients.joined.length > 0) return 'kept';
    const undone = this.#startUndo();
    const { promise: over, resolve } = Promise.withResolvers<'finishing'>();
    const timer = setTimeout(() => resolve('finishing'), budget);
    try {
      return await Promise.race([undone.then(() => 'undone' as const), over]);
    } finally {
      clearTimeout(timer);
    }
  }

  #endIfAlone(): void {
    if (this.#clients.joined.length === 0) this.#startUndo();
  }

  /** The one way to the end, whatever asks for it. */
  #startUndo(): Promise<void> {
    if (this.#state.kind === 'undoing') return this.#state.undone;
    if (this.#state.kind === 'ended') return Promise.resolve();
    if (this.#state.kind === 'connecting') this.#state.abort.abort();
    const { files, log } = this.#options;
    const session = this.#session;
    const undone = (async () => {
      const running = this.#undoActs(readJournal(files.journal));
      // Its failure is awaited below, after the resources are freed.
      running.catch(() => {});
      await session?.[Symbol.asyncDispose]();
      await running;
      rmSync(files.journal, { force: true });
      log.write('info', 'everything is undone');
    })();
    undone
      .catch((error: unknown) => {
        this.#problem = Problem.from(error).message;
        log.write('error', 'the undo is incomplete', { error });
      })
      .finally(() => this.#end());
    this.#state = { kind: 'undoing', undone };
    return undone;
  }

  #end(): void {
    if (this.#state.kind === 'ended') return;
    this.#state = { kind: 'ended' };
    void this.#clients.close().finally(() => this.#ended.resolve());
  }

  #assertSame(request: ConnectRequest): void {
    const key = ({ ports, container, agentImage }: ConnectRequest) => JSON.stringify({ ports, container, agentImage });
    if (this.#request && key(this.#request) !== key(request)) {
      throw new Problem({
        code: 'session-mismatch',
        what: `A session for ${request.target} stands already, with other options.`,
        why: `It has ${key(this.#request)}.`,
        remedy: 'Use the same "ports", "container" and "agentImage", or end the other session first.',
      });
    }
  }

  #lost(problem: Problem): void {
    this.#problem = problem.message;
    this.#clients.tell(lostNotification, problem.toJSON());
    this.#startUndo();
  }

  #progress(text: string): void {
    this.#options.log.write('info', text);
    this.#clients.tell(progressNotification, { text });
  }

  #notice(notice: Notice): void {
    const redacted = { ...notice, text: this.#options.log.redactor.redact(notice.text) };
    this.#options.log.write(notice.level === 'warning' ? 'warn' : 'info', notice.text);
    this.#clients.tell(noticeNotification, redacted);
  }

  #status(): Status {
    const connection = this.#session?.status;
    return {
      state: this.#state.kind,
      session: this.#options.id,
      pid: process.pid,
      started: this.#started,
      clients: this.#clients.joined.map((client) => client.pid),
      ...(connection && { connection }),
      ...(this.#problem !== undefined && { problem: this.#problem }),
    };
  }
}

/** The cluster that a journal speaks of. */
export function openRecordedCluster(act: SessionAct, log: Log, signal: AbortSignal) {
  return openCluster(
    {
      context: act.context,
      namespace: act.namespace,
      log,
      ...(act.kubeconfig !== undefined && { kubeconfig: act.kubeconfig }),
    },
    signal,
  );
}
