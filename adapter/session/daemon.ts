/**
 * The session daemon: a detached process that owns one session, so that its undo does not depend on the client's life.
 * Clients are counted by their live sockets. The last one's end starts the undo; after it the process ends.
 */

import { rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from '../cluster/cluster.ts';
import type { Diagnosis } from '../diagnostics/diagnosis.ts';
import type { Log } from '../diagnostics/log.ts';
import { startHelper } from '../network/helper/helper-client.ts';
import { Problem } from '../problem.ts';
import { askThrough } from './ask.ts';
import { type Client, Clients } from './clients.ts';
import { takeDiagnosis, takeLogs } from './diagnosis.ts';
import { Journal, readJournal, type SessionAct } from './journal.ts';
import { Keeps } from './keeps.ts';
import { LiveSession } from './live-session.ts';
import {
  type ConnectAnswer,
  type Connection,
  type ConnectRequest,
  type Ending,
  type Leave,
  lostNotification,
  type Notice,
  noticeNotification,
  progressNotification,
  type Release,
  type Released,
  type Status,
} from './protocol.ts';
import { openSessionCluster } from './session-cluster.ts';
import { optionsOf, otherOptions } from './session-options.ts';
import type { SessionFiles } from './state-folder.ts';
import { undo } from './undo.ts';

/** A daemon whose client died before it spoke has nothing to do. */
const firstClientMilliseconds = 30_000;
/** An adapter that is restarted by its IDE comes back at once; a killed one never does. */
const graceMilliseconds = 1_000;
/** A diagnosis shows the last ones; a session that is told something again and again must not grow without end. */
const mostNotices = 200;

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
  readonly #keeps: Keeps;
  readonly #started = new Date().toISOString();
  readonly #ended = Promise.withResolvers<void>();
  #state: State = { kind: 'idle' };
  #request: ConnectRequest | undefined;
  #session: LiveSession | undefined;
  /** Its connections are open already, which saves the undo their opening. */
  #cluster: Cluster | undefined;
  #problem: Problem | undefined;
  /** What the user was told, for a diagnosis. */
  readonly #notices: (Notice & { readonly time: string })[] = [];

  constructor(options: DaemonOptions) {
    this.#options = options;
    this.#keeps = new Keeps(options.log, () => this.#endIfAlone());
    this.#clients = new Clients({
      token: options.token,
      log: options.log,
      connect: (client, request) => this.#connect(client, request),
      leave: (client, leave) => this.#leave(client, leave),
      release: (release) => this.#release(release),
      status: () => this.#status(),
      standing: () => (this.#state.kind === 'connected' ? this.#state.connection : undefined),
      diagnosis: () => this.#diagnosis(),
      logs: () => takeLogs(options.files, options.log),
      processStarted: ({ pid, role }) => {
        if (role !== 'debugger') this.#session?.programStarted(pid);
      },
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

  /** Undoes everything and ends, whoever is still connected; clients hear the reason. */
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
        const connection = this.#establish(client, request, abort.signal);
        this.#state = { kind: 'connecting', abort, connection };
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

  async #establish(client: Client, request: ConnectRequest, signal: AbortSignal): Promise<Connection> {
    const { files, log, id, program } = this.#options;
    try {
      await this.#undoLeftovers();
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
      const cluster = await openSessionCluster(act, log, signal);
      this.#cluster = cluster;
      const journal = new Journal(files.journal);
      journal.append(act);
      this.#session = new LiveSession({
        id,
        request,
        cluster,
        journal,
        log,
        program,
        logFile: files.log,
        folder: files.folder,
        progress: (text) => this.#progress(text),
        notice: (notice) => this.#notice(notice),
        ask: askThrough((question) => this.#clients.ask(client, question)),
        clients: () => this.#clients.joined.map(({ pid }) => pid),
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
      this.#problem = problem;
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
      openCluster: async (act) => this.#cluster ?? (await openSessionCluster(act, log, signal)),
      openHelper: () => session?.helper(signal) ?? startHelper({ log, command: program, signal }),
      progress: (text) => this.#progress(text),
      notice: (text) => this.#notice({ level: 'warning', text }),
      signal,
    });
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
    if (this.#state.kind === 'connecting') this.#state.abort.abort(reason);
    this.#keeps.clear();
    const { files, log } = this.#options;
    const session = this.#session;
    const undone = (async () => {
      await session?.settle();
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
    this.#state = { kind: 'ended' };
    void this.#clients.close().finally(() => this.#ended.resolve());
  }

  #lost(problem: Problem): void {
    this.#problem = problem;
    this.#clients.tell(lostNotification, problem.toJSON());
    this.#startUndo(problem);
  }

  #progress(text: string): void {
    this.#options.log.write('info', text);
    this.#clients.tell(progressNotification, { text });
  }

  #notice(notice: Notice): void {
    const redacted = { ...notice, text: this.#options.log.redactor.redact(notice.text) };
    this.#notices.push({ ...redacted, time: new Date().toISOString() });
    if (this.#notices.length > mostNotices) this.#notices.shift();
    this.#options.log.write(notice.level === 'warning' ? 'warn' : 'info', notice.text);
    this.#clients.tell(noticeNotification, redacted);
  }

  #diagnosis(): Promise<Diagnosis> {
    const source = {
      files: this.#options.files,
      status: this.#status(),
      request: this.#request,
      inside: this.#session?.inside,
      problem: this.#problem,
      notices: this.#notices,
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
