/**
 * The sessions that this window holds, and those of this computer that it only sees. Debug sessions, tasks and commands
 * share them: each is a holder, and a session ends when the last one has let go.
 */
import * as vscode from 'vscode';
import type { Log } from '../../diagnostics/log.ts';
import type { LaunchConfiguration } from '../../launch/configuration.ts';
import { Problem } from '../../problem.ts';
import { SessionClient, standingConnection } from '../../session/client/client.ts';
import { DaemonStart } from '../../session/client/daemon-start.ts';
import type { SessionRequest } from '../../session/client/session-request.ts';
import { optionsOf, otherOptions } from '../../session/daemon/session-options.ts';
import type { Connection, Ending, Notice } from '../../session/protocol.ts';
import type { Ask } from '../../session/questions/ask.ts';
import { windowQuestions } from '../../session/questions/cancelled-question.ts';
import type { ExtensionProgram } from '../program.ts';
import { foreignSessions } from './foreign-sessions.ts';
import { inFolder } from './in-folder.ts';
import type { ConnectionState, ForeignSession, HeldConnection } from './state.ts';
import { watchSessions } from './watch-sessions.ts';

export interface ConnectOptions {
  /** What relative paths of the configuration are relative to. */
  readonly folder: string;
  /** The caller starts the program itself afterwards, so its ports must be free now. */
  readonly startsProgram: boolean;
  /** Who lets go of it, by `release`. Default: the user, by the command. */
  readonly holder?: string;
  /** Hears of each step. */
  readonly step?: (text: string) => void;
}

/** What the user sees and is asked while a session begins and stands. */
export interface ConnectionSurface {
  /** Shows that something is waited for; the user can end the waiting, which aborts the signal that `work` gets. */
  progress<T>(
    title: string,
    work: (report: (step: string) => void, signal: AbortSignal) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T>;
  notice(notice: Notice): void;
  readonly ask: Ask;
  lost(problem: Problem, held: Pick<HeldConnection, 'target' | 'place'>): void;
}

export interface ConnectionsOptions {
  readonly program: () => Promise<ExtensionProgram>;
  readonly log: Log;
  readonly surface: ConnectionSurface;
  /** The configuration with what the settings say. */
  withSettings(configuration: LaunchConfiguration): LaunchConfiguration;
}

/** The holder of what the user connected by the command. */
const userHolder = 'user';
/** An undo of a rollout takes seconds, a slow one longer; then the daemon goes on by itself. */
const undoBudgetMilliseconds = 180_000;
/** VS Code does not wait long for an extension whose window closes. */
const closingBudgetMilliseconds = 500;
const unsettledMilliseconds = 1_000;

interface Entry {
  readonly request: SessionRequest;
  readonly held: HeldConnection;
  readonly client: SessionClient;
  readonly holders: Set<string>;
}

interface Attempt {
  readonly request: SessionRequest;
  readonly target: string;
  readonly entry: Promise<Entry>;
  readonly abort: AbortController;
  readonly listeners: Set<(step: string) => void>;
  step: string;
  waiting: number;
}

export class Connections implements vscode.Disposable {
  readonly #options: ConnectionsOptions;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #entries = new Map<string, Entry>();
  readonly #attempts = new Map<string, Attempt>();
  /** Key → target of what is being undone. */
  readonly #undoing = new Map<string, string>();
  readonly #watch: Disposable;
  #foreign: readonly ForeignSession[] = [];
  #refreshing: Promise<void> | undefined;
  #refreshAgain = false;
  #closed = false;
  #soon: NodeJS.Timeout | undefined;

  readonly onDidChange: vscode.Event<void> = this.#changed.event;

  constructor(options: ConnectionsOptions) {
    this.#options = options;
    this.#watch = watchSessions(() => void this.refresh(), options.log);
  }

  get state(): ConnectionState {
    const [attempt] = this.#attempts.values();
    if (attempt !== undefined) return { kind: 'connecting', target: attempt.target, step: attempt.step };
    const [undoing] = this.#undoing.values();
    if (undoing !== undefined) return { kind: 'undoing', target: undoing };
    if (this.#entries.size === 0 && this.#foreign.length === 0) return { kind: 'none' };
    return { kind: 'connected', held: this.held, foreign: this.foreign };
  }

  /** The sessions that this window holds, whatever else is going on. */
  get held(): readonly HeldConnection[] {
    return [...this.#entries.values()].map(({ held }) => held);
  }

  /** The sessions of this computer that it does not hold, as last seen. */
  get foreign(): readonly ForeignSession[] {
    return this.#foreign.filter(({ key }) => !this.#entries.has(key) && !this.#undoing.has(key));
  }

  /**
   * Connects by this window, or joins what it holds already; those who ask at the same time share one attempt. Problem as
   * the session throws them, session-mismatch if it holds one with other options, cancelled.
   */
  async connect(
    configuration: LaunchConfiguration,
    options: ConnectOptions,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<HeldConnection> {
    const { holder = userHolder } = options;
    const request = await this.requestFor(configuration, options);
    const { key } = request;
    const standing = this.#entries.get(key);
    if (standing !== undefined) {
      checkOptions(request, standing.request);
      standing.holders.add(holder);
      return standing.held;
    }
    let attempt = this.#attempts.get(key);
    if (attempt === undefined) attempt = this.#attempt(request);
    else checkOptions(request, attempt.request);
    if (options.step !== undefined) attempt.listeners.add(options.step);
    const entry = await this.#waitFor(attempt, signal);
    entry.holders.add(holder);
    return entry.held;
  }

  /** What `connect` asks the session for. Problems of the kubeconfig. */
  async requestFor(
    configuration: LaunchConfiguration,
    { folder, startsProgram }: ConnectOptions,
  ): Promise<SessionRequest> {
    // Much is behind it, which a window that never connects need not load.
    const { sessionRequest } = await import('../../session/client/session-request.ts');
    const complete = inFolder(this.#options.withSettings(configuration), folder);
    return sessionRequest(complete, startsProgram, this.#options.log);
  }

  /** Who holds it, by this window. */
  holdersOf(key: string): readonly string[] {
    return [...(this.#entries.get(key)?.holders ?? [])];
  }

  /** Another holder of what stands already. */
  hold(key: string, holder: string): void {
    this.#entries.get(key)?.holders.add(holder);
  }

  /** From now on the user holds it instead, until he disconnects. */
  handToUser(key: string, holder: string): void {
    if (this.#entries.get(key)?.holders.delete(holder) === true) this.hold(key, userHolder);
  }

  /** Lets go for one holder; the last one leaves. `keepMs` as for `disconnect`. */
  async release(key: string, holder: string, keepMs?: number): Promise<Ending> {
    const entry = this.#entries.get(key);
    if (entry === undefined || !entry.holders.delete(holder) || entry.holders.size > 0) return 'kept';
    return this.disconnect(key, keepMs);
  }

  /** Leaves; `keepMs` lets a session that follows soon reuse it. Resolves when undone, finishing or kept. */
  async disconnect(key: string, keepMs?: number): Promise<Ending> {
    const attempt = this.#attempts.get(key);
    attempt?.abort.abort();
    const entry = this.#entries.get(key);
    if (entry === undefined) return 'undone';
    this.#entries.delete(key);
    this.#undoing.set(key, entry.held.target);
    this.#changed.fire();
    const { client } = entry;
    try {
      this.#options.log.write('info', `leaving ${entry.held.target}`, { session: key });
      const keep =
        keepMs !== undefined && keepMs > 0 ? ({ for: 'restart', ms: Math.round(keepMs) } as const) : undefined;
      const ending = await client.leave(undoBudgetMilliseconds, keep);
      this.#options.log.write('info', described[ending], { session: key });
      return ending;
    } finally {
      await client.close();
      this.#undoing.delete(key);
      this.#changed.fire();
      await this.refresh();
    }
  }

  /** The connection of any standing session; undefined if it does not stand (any more). */
  async standing(key: string): Promise<Connection | undefined> {
    return this.#entries.get(key)?.held.connection ?? (await standingConnection(key));
  }

  /** Looks which sessions of others there are. */
  async refresh(): Promise<void> {
    if (this.#closed) return;
    this.#refreshAgain = true;
    this.#refreshing ??= this.#look().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  /** The window closes: leaves everything at once. What is not undone then, the daemons finish. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch[Symbol.dispose]();
    clearTimeout(this.#soon);
    for (const { abort } of this.#attempts.values()) abort.abort();
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.allSettled(
      entries.map(async ({ client }) => {
        await client.leave(closingBudgetMilliseconds);
        await client.close();
      }),
    );
  }

  dispose(): void {
    void this.close();
    this.#changed.dispose();
  }

  #attempt(request: SessionRequest): Attempt {
    const { target } = request.request;
    const abort = new AbortController();
    const attempt: Attempt = {
      request,
      target,
      abort,
      listeners: new Set(),
      step: 'Starting',
      waiting: 0,
      entry: this.#options.surface.progress(
        `Connecting to ${target}`,
        (report, signal) => {
          const step = (text: string) => {
            attempt.step = text;
            report(text);
            for (const listener of attempt.listeners) listener(text);
            this.#options.log.write('info', text, { target });
            this.#changed.fire();
          };
          return this.#establish(request, step, signal);
        },
        abort.signal,
      ),
    };
    this.#attempts.set(request.key, attempt);
    this.#changed.fire();
    const over = () => {
      this.#attempts.delete(request.key);
      this.#changed.fire();
      void this.refresh();
    };
    attempt.entry.then(over, over);
    return attempt;
  }

  async #waitFor(attempt: Attempt, signal: AbortSignal): Promise<Entry> {
    attempt.waiting++;
    const gaveUp = Promise.withResolvers<never>();
    gaveUp.promise.catch(() => {});
    const giveUp = () => {
      attempt.waiting--;
      // Others may wait for the same. The last one ends it, and waits until it is undone.
      if (attempt.waiting === 0) attempt.abort.abort();
      else gaveUp.reject(Problem.cancelled());
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([attempt.entry, gaveUp.promise]);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  async #establish({ key, request, choice }: SessionRequest, step: (text: string) => void, signal: AbortSignal) {
    const { log, surface, program } = this.#options;
    const place = `${request.namespace} of ${request.context}`;
    const { target } = request;
    const { command, args } = await program();
    const questions = windowQuestions(surface.ask);
    const client = await SessionClient.connect(
      key,
      request,
      new DaemonStart([command, ...args]),
      {
        progress: step,
        notice: (notice) => surface.notice(notice),
        ask: questions.ask,
        lost: (problem) => void this.#lost(key, problem),
      },
      signal,
    ).catch((error: unknown) => {
      throw signal.aborted ? Problem.cancelled() : questions.failure(error);
    });
    const { connection } = client;
    for (const { secret, value } of connection.environment) if (secret) log.redactor.add(value);
    const entry: Entry = {
      request: { key, request, choice },
      held: { key, connection, target, place },
      client,
      holders: new Set(),
    };
    if (this.#closed) {
      await client.leave(closingBudgetMilliseconds);
      await client.close();
      throw Problem.cancelled();
    }
    this.#entries.set(key, entry);
    log.write('info', `connected to ${connection.workload}`, { session: key, network: connection.network.mode });
    return entry;
  }

  async #lost(key: string, problem: Problem): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#options.log.write('warn', problem.message, { session: key });
    this.#changed.fire();
    this.#options.surface.lost(problem, entry.held);
    await entry.client.close();
    await this.refresh();
  }

  async #look(): Promise<void> {
    while (this.#refreshAgain && !this.#closed) {
      this.#refreshAgain = false;
      const ours = new Set([...this.#entries.keys(), ...this.#attempts.keys(), ...this.#undoing.keys()]);
      try {
        const found = await foreignSessions(ours);
        const before = JSON.stringify(this.#foreign);
        this.#foreign = found;
        if (JSON.stringify(found) !== before) this.#changed.fire();
        this.#lookSoon(found.some(({ state }) => state === 'connecting' || state === 'undoing'));
      } catch (error) {
        this.#options.log.write('warn', 'the sessions of this computer could not be looked for', { error });
      }
    }
  }

  /** The end of what others do just now writes no file. */
  #lookSoon(isNeeded: boolean): void {
    clearTimeout(this.#soon);
    if (isNeeded) this.#soon = setTimeout(() => void this.refresh(), unsettledMilliseconds).unref();
  }
}

const described: Readonly<Record<Ending, string>> = {
  undone: 'Everything is as it was before.',
  finishing: 'The undo goes on by itself.',
  kept: 'The session stands on: for its other clients, or for the next one.',
};

function checkOptions(asked: SessionRequest, standing: SessionRequest): void {
  if (optionsOf(asked.request) !== optionsOf(standing.request)) throw otherOptions(asked.request, standing.request);
}
