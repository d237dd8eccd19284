/**
 * The session daemon: a detached process that owns one session, so that its undo does not depend on the client's life.
 * Clients are counted by their live sockets. The last one's end starts the undo; after it the process ends.
 * This folder: the process of one session: its states, its clients, its end.
 */

import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../../cluster/cluster.ts';
import type { Diagnosis } from '../../diagnostics/diagnosis.ts';
import type { Log } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import { within } from '../../within.ts';
import { takeDiagnosis, takeLogs } from '../diagnosis.ts';
import type { SessionAct } from '../journal/journal.ts';
import { LiveSession } from '../live-session.ts';
import {
  type ConnectAnswer,
  type Connection,
  type ConnectRequest,
  type Ending,
  type Leave,
  lostNotification,
  type Release,
  type Released,
  type Status,
} from '../protocol.ts';
import { askThrough } from '../questions/ask.ts';
import type { SessionFiles } from '../state-folder.ts';
import { Step } from '../timings.ts';
import { openSessionCluster } from '../undo/session-cluster.ts';
import { type Client, Clients } from './clients.ts';
import { Keeps } from './keeps.ts';
import { News } from './news.ts';
import { OwnUndo } from './own-undo.ts';
import { optionsOf, otherOptions } from './session-options.ts';

/** A daemon whose client died before it spoke has nothing to do. */
const firstClientMilliseconds = 30_000;
/** An adapter that is restarted by its IDE comes back at once; a killed one never does. */
const graceMilliseconds = 1_000;
/** What was begun ends at once when it is given up; a part that does not must not keep the undo. */
const begunMilliseconds = 20_000;
/** How often the daemon looks whether anybody can still find it. */
const lookMilliseconds = 5_000;

type State =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'connecting';
      readonly abort: AbortController;
      readonly connection: Promise<Connection>;
      /** Settles when nothing more is begun. */
      readonly begun: Promise<unknown>;
    }
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
  readonly #keeps: Keeps;
  readonly #news: News;
  readonly #undo: OwnUndo;
  readonly #started = new Date().toISOString();
  readonly #ended = Promise.withResolvers<void>();
  #state: State = { kind: 'idle' };
  #request: ConnectRequest | undefined;
  #session: LiveSession | undefined;
  /** Its connections are open already, which saves the undo their opening. */
  #cluster: Cluster | undefined;
  #problem: Problem | undefined;
  #first: NodeJS.Timeout | undefined;
  #look: NodeJS.Timeout | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#keeps = new Keeps(options.log, () => this.#endIfAlone());
    this.#clients = new Clients({
      token: options.token,
      log: options.log,
      connect: (client, request) => this.#connect(client, request),
      leave: (client, leave) => this.#leave(client, leave),
      release: (release) => this.#release(release),
      status: async () => {
        await this.#session?.nameCallers();
        return this.#status();
      },
      standing: () => (this.#state.kind === 'connected' ? this.#state.connection : undefined),
      diagnosis: () => this.#diagnosis(),
      logs: () => takeLogs(options.files, options.log),
      processStarted: ({ pid, role }) => {
        if (role !== 'debugger') this.#session?.programStarted(pid);
      },
      vanished: () => setTimeout(() => this.#endIfAlone(), graceMilliseconds),
    });
    this.#news = new News(options.log, this.#clients);
    this.#undo = new OwnUndo({
      ...options,
      news: this.#news,
      cluster: () => this.#cluster,
      helper: (signal) => this.#session?.helper(signal),
    });
  }

  /** Resolves when clients can connect. */
  async listen(): Promise<void> {
    const { socket } = this.#options.files;
    await this.#clients.listen(socket);
    if (process.platform !== 'win32') {
      this.#look = setInterval(() => {
        if (!existsSync(socket)) this.#lost(folderGone(this.#options.files));
      }, lookMilliseconds).unref();
    }
    this.#first = setTimeout(() => {
      if (this.#state.kind === 'idle') this.#end();
    }, firstClientMilliseconds).unref();
  }

  /** Resolves when the session has ended and all of it is undone, or is left to `restore`. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Undoes everything and ends, whoever is still connected; clients hear the reason. An undo under way goes on. */
  stop(reason: string): void {
    const { log, files } = this.#options;
    log.write('info', 'stopping', { reason });
    if (this.#state.kind === 'undoing' || this.#state.kind === 'ended') return;
    this.#lost(
      new Problem({
        code: 'daemon-failed',
        what: `The session daemon was ended: ${reason}.`,
        why: `Its log is ${files.log}.`,
        remedy: 'It undoes the session; then start again.',
      }),
    );
  }

  async #connect(client: Client, request: ConnectRequest): Promise<ConnectAnswer> {
    client.pid = request.clientPid;
    switch (this.#state.kind) {
      case 'undoing':
      case 'ended':
        this.#clients.hurry();
        return { kind: 'ending' };
      case 'connected':
      case 'connecting':
        return this.#join(client, request, this.#state.connection);
      case 'idle': {
        client.joined = true;
        this.#request = request;
        const abort = new AbortController();
        const step = new Step('the session is built');
        const begun = this.#begin(client, request, step, abort.signal);
        const connection = this.#establish(begun, step, abort.signal);
        this.#state = { kind: 'connecting', abort, connection, begun };
        return connection;
      }
    }
  }

  #join(client: Client, request: ConnectRequest, connection: ConnectAnswer | Promise<Connection>) {
    this.#keeps.clientCame();
    if (this.#request && optionsOf(this.#request) !== optionsOf(request)) {
      if (this.#inUse) throw otherOptions(request, this.#request);
      // It was kept for a restart only, and this restart wants another one.
      this.#startUndo();
      return { kind: 'ending' } as const;
    }
    client.joined = true;
    return connection;
  }

  async #begin(client: Client, request: ConnectRequest, step: Step, signal: AbortSignal): Promise<Connection> {
    const { files, log, id, program } = this.#options;
    await this.#undo.leftovers();
    const act: SessionAct = {
      act: 'session',
      version: 1,
      id,
      started: this.#started,
      pid: process.pid,
      context: request.context,
      namespace: request.namespace,
      target: request.target,
      ...(request.kubeconfig !== undefined && { kubeconfig: request.kubeconfig }),
    };
    const cluster = await step.time('the cluster answers', () => openSessionCluster(act, log, signal));
    this.#cluster = cluster;
    signal.throwIfAborted();
    const journal = this.#undo.begin(act);
    this.#session = new LiveSession({
      id,
      request,
      cluster,
      journal,
      log,
      program,
      logFile: files.log,
      folder: files.folder,
      step,
      progress: (text) => this.#news.progress(text),
      notice: (notice) => this.#news.notice(notice),
      ask: askThrough((question) => this.#clients.ask(client, question)),
      clients: () => this.#clients.joined.map(({ pid }) => pid),
      lost: (problem) => this.#lost(problem),
    });
    const connection = await this.#session.connect(signal);
    signal.throwIfAborted();
    return connection;
  }

  async #establish(begun: Promise<Connection>, step: Step, signal: AbortSignal): Promise<Connection> {
    const { log } = this.#options;
    try {
      const connection = await begun.finally(() => this.#news.timings('connect', step));
      if (signal.aborted) signal.throwIfAborted();
      this.#state = { kind: 'connected', connection };
      log.write('info', 'connected', { workload: connection.workload, pods: connection.pods });
      return connection;
    } catch (error) {
      const problem = Problem.from(signal.aborted ? signal.reason : error);
      log.write('warn', 'connecting failed; undoing', { error });
      this.#problem = problem;
      const undone = this.#startUndo();
      // A failure is reported when it has left nothing behind, so that the next attempt meets a clean cluster.
      await undone.catch((incomplete: unknown) =>
        this.#news.notice({ level: 'warning', text: Problem.from(incomplete).message }),
      );
      throw problem;
    }
  }

  async #leave(client: Client, { budget, keep }: Leave): Promise<Ending> {
    client.joined = false;
    if (keep !== undefined && this.#state.kind === 'connected') await this.#keeps.add(keep, client.guard);
    if (this.#inUse) return 'kept';
    const undone = this.#startUndo();
    const over = delay(budget, 'finishing' as const, { ref: false });
    return Promise.race([undone.then(() => 'undone' as const), over]);
  }

  /** Whether somebody needs the session: a client, or whoever a client kept it for. */
  get #inUse(): boolean {
    return this.#clients.joined.length > 0 || this.#keeps.any;
  }

  #endIfAlone(): void {
    if (!this.#inUse) this.#startUndo();
  }

  #release({ hold, after }: Release): Released {
    if (this.#keeps.isHeld) {
      if (!hold) return 'held';
      if (after === undefined) this.#keeps.dropHold();
      else this.#keeps.hold(after);
    }
    if (this.#clients.joined.length > 0) return 'in-use';
    if (this.#keeps.isHeld) return 'later';
    this.#startUndo();
    return 'ended';
  }

  /** The one way to the end, whatever asks for it. */
  #startUndo(reason?: Problem): Promise<void> {
    if (this.#state.kind === 'undoing') return this.#state.undone;
    if (this.#state.kind === 'ended') return Promise.resolve();
    const begun = this.#state.kind === 'connecting' ? this.#state.begun : undefined;
    if (this.#state.kind === 'connecting') this.#state.abort.abort(reason);
    this.#keeps.clear();
    clearInterval(this.#look);
    const { log } = this.#options;
    const step = new Step('everything is undone');
    const undone = (async () => {
      // What is begun in the same moment would be undone before it is done.
      const over = within(begunMilliseconds, Promise.resolve(begun).catch(ignored), undefined);
      if (begun !== undefined) await step.time('what was begun ends', () => over);
      const session = this.#session;
      await step.time('volumes are written back', () => session?.settle());
      const running = step.time('the undo', (part) => this.#undo.all(part));
      // Its failure is awaited below, after the resources are freed.
      running.catch(() => {});
      await step.time('tunnels and listeners close', () => session?.[Symbol.asyncDispose]());
      await running;
      this.#undo.forget();
      log.write('info', 'everything is undone');
    })().finally(() => this.#news.timings('disconnect', step));
    undone
      .catch((error: unknown) => {
        this.#problem = Problem.from(error);
        log.write('error', 'the undo is incomplete', { error });
      })
      .then(() => this.#clients.farewells())
      .finally(() => this.#end());
    this.#state = { kind: 'undoing', undone };
    return undone;
  }

  #end(): void {
    if (this.#state.kind === 'ended') return;
    clearInterval(this.#look);
    clearTimeout(this.#first);
    this.#cluster?.api.close();
    this.#undo.close();
    this.#state = { kind: 'ended' };
    void this.#clients.close().finally(() => this.#ended.resolve());
  }

  #lost(problem: Problem): void {
    this.#problem = problem;
    this.#clients.tell(lostNotification, problem.toJSON());
    this.#startUndo(problem);
  }

  #diagnosis(): Promise<Diagnosis> {
    const source = {
      files: this.#options.files,
      status: this.#status(),
      request: this.#request,
      inside: this.#session?.inside,
      problem: this.#problem,
      notices: this.#news.notices,
      log: this.#options.log,
    };
    return takeDiagnosis(source, new AbortController().signal);
  }

  #status(): Status {
    const connection = this.#session?.status;
    return {
      state: this.#state.kind,
      session: this.#options.id,
      pid: process.pid,
      started: this.#started,
      clients: this.#clients.joined.map((client) => client.pid),
      kept: this.#keeps.status,
      ...(connection && { connection }),
      ...(this.#problem !== undefined && { problem: this.#problem.message }),
    };
  }
}

/** Whoever waits for the result hears of it. */
function ignored(): void {}

/** Nobody could join, hold or end such a session any more, and its journal would not survive a crash. */
function folderGone({ socket, log }: SessionFiles): Problem {
  return new Problem({
    code: 'state-unwritable',
    what: 'The session is ended: somebody has removed its state folder.',
    why: `${socket} is gone. The log is ${log}.`,
    remedy: 'It undoes everything; then start again.',
  });
}
