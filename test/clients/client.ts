/**
 * What all emulated clients have in common: they start the debug adapter, debug one program up to a breakpoint, look at
 * its variables, and end. How each does that, and what it does not tolerate, is in its own file, after its source.
 */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { field, isRaw, type Raw, type Request } from '../../adapter/dap/message.ts';
import { failureIn, Wire } from './wire.ts';

/** What is debugged, and with which debug adapter. */
export interface Scene {
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** The launch configuration as the user writes it. */
  readonly configuration: Raw;
  readonly breakpoint: { readonly path: string; readonly line: number };
  /** Where the debug adapter writes what it does with the surroundings. */
  readonly journal: string;
}

/** A stop at the breakpoint, in this session or in a child session of it. */
export interface Stop {
  readonly session: EmulatedClient;
  readonly threadId: number;
  readonly line: number;
  readonly variables: ReadonlyMap<string, string>;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface Options {
  /** The debug adapter runs in a process group of its own, which this client may kill as a whole. */
  readonly detached?: boolean;
  /** For the answer to every request, in ms; without it this client waits without end. */
  readonly limit?: number;
  /** Whether it talks over the standard streams. */
  readonly streams?: boolean;
  readonly parent?: EmulatedClient;
  /** It is one more connection to the parent's debug adapter. */
  readonly sharesProcess?: boolean;
}

export abstract class EmulatedClient {
  readonly scene: Scene;
  /** The debug adapter's process, as this client starts it. */
  readonly process: ChildProcess;
  /** Resolves when that process has ended. */
  readonly exited: Promise<Exit>;
  /** What the user gets to see of the session's output and, where the client starts it in a terminal, the program's. */
  shown = '';
  /** All requests of the debug adapter, of child sessions too. */
  readonly reverseRequests: Request[] = [];
  readonly terminals: ChildProcess[] = [];
  readonly children: EmulatedClient[] = [];
  /** What the journal said when this client killed the debug adapter. */
  journalAtKill: string | undefined;
  /** Why the launch failed, as the debug adapter explains it to the user. */
  failure: string | undefined;
  /** This client is ending the session: whatever fails now is of no interest. */
  protected ending = false;
  /** What the debug adapter answered to `initialize`. */
  protected capabilities: Raw = {};
  /** For every request, in ms; undefined if this client waits without end. */
  protected readonly limit: number | undefined;
  protected readonly firstSeq: number = 1;
  protected readonly parent: EmulatedClient | undefined;
  #wire: Wire | undefined;
  readonly #stopped = Promise.withResolvers<{ session: EmulatedClient; threadId: number }>();
  readonly #launched = Promise.withResolvers<Raw>();

  constructor(scene: Scene, options: Options = {}) {
    this.scene = scene;
    this.limit = options.limit;
    this.parent = options.parent;
    if (options.parent !== undefined && options.sharesProcess === true) {
      this.process = options.parent.process;
      this.exited = options.parent.exited;
    } else {
      const [program = '', ...args] = scene.command;
      const stdio = options.streams === false ? 'ignore' : 'pipe';
      const streams = { stdio: [stdio, stdio, stdio] } satisfies SpawnOptions;
      this.process = spawn(program, args, { env: scene.environment, ...streams, detached: options.detached === true });
      this.process.stderr?.resume();
      this.exited = once(this.process, 'exit').then(([code, signal]) => ({ code, signal }));
    }
    this.#stopped.promise.catch(() => {});
    this.#launched.promise.catch(() => {});
  }

  get pid(): number {
    const { pid } = this.process;
    if (pid === undefined) throw new Error('The debug adapter did not start.');
    return pid;
  }

  get journal(): string {
    return existsSync(this.scene.journal) ? readFileSync(this.scene.journal, 'utf8') : '';
  }

  /** All messages in both directions. */
  get transcript(): string {
    return this.wire.transcript.join('\n');
  }

  protected get wire(): Wire {
    if (this.#wire === undefined) throw new Error('There is no connection.');
    return this.#wire;
  }

  /** The arguments of `initialize`. */
  protected abstract initializeArguments(): Raw;
  /** What the client does when `initialized` came. */
  protected abstract configure(): Promise<void>;
  /** What it does when `terminated` came. */
  protected abstract atTerminated(): Promise<void>;
  /** What it does when the launch failed, or was given up. */
  protected abstract atFailedLaunch(): Promise<void>;
  /** What it does when the user wants to stop; resolves when the client regards the session as over. */
  abstract stop(): Promise<void>;

  /** Connects by the standard streams; a client that does it otherwise overrides this. */
  protected async streams(): Promise<{ input: Readable; output: Writable }> {
    const { stdout, stdin } = this.process;
    if (stdout === null || stdin === null) throw new Error('The debug adapter has no streams.');
    return { input: stdout, output: stdin };
  }

  /** Starts the session; resolves when `launch` has been sent. */
  async begin(): Promise<void> {
    const { input, output } = await this.streams();
    const wire = new Wire(input, output, {
      firstSeq: this.firstSeq,
      check: (message) => this.check(message),
      event: (name, body) => this.event(name, body),
      asked: (request) => {
        this.root.reverseRequests.push(request);
        this.asked(request);
      },
    });
    this.#wire = wire;
    wire.broken.catch((error) => {
      this.#stopped.reject(error);
      this.parent?.wire.fail(error.message);
    });
    void wire.closed.then(() => this.#stopped.reject(new Error(`It ended before the breakpoint.\n${this.transcript}`)));
    const answer = await this.request('initialize', this.initializeArguments());
    this.capabilities = isRaw(answer.body) ? answer.body : {};
    const verb = this.scene.configuration.request === 'attach' ? 'attach' : 'launch';
    const launch = wire.request(verb, this.launchArguments(), this.limit);
    void launch.then(this.#launched.resolve, this.#launched.reject);
    this.work(
      this.launched.then((answer) => {
        if (answer.success === true) return;
        this.failure = failureIn(answer);
        return this.atFailedLaunch();
      }),
    );
    this.sent();
  }

  /** The stop at the breakpoint, and what the client shows then. Rejects at whatever this client does not tolerate. */
  async stopped(): Promise<Stop> {
    const { session, threadId } = await this.wire.unlessBroken(this.#stopped.promise);
    return session.inspect(threadId);
  }

  async inspect(threadId: number): Promise<Stop> {
    await this.request('threads', undefined);
    const { stackFrames } = await this.ask<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId });
    const [frame] = stackFrames;
    const { scopes } = await this.ask<DebugProtocol.ScopesResponse['body']>('scopes', { frameId: frame?.id ?? -1 });
    const variables = new Map<string, string>();
    for (const { variablesReference, expensive } of scopes) {
      if (expensive) continue;
      const answer = await this.ask<DebugProtocol.VariablesResponse['body']>('variables', { variablesReference });
      for (const { name, value } of answer.variables) variables.set(name, value);
    }
    return { session: this, threadId, line: frame?.line ?? 0, variables };
  }

  /** The user continues; the program ends by itself. Resolves when the process of the debug adapter has ended. */
  async runToEnd({ session, threadId }: Stop): Promise<Exit> {
    await session.request('continue', { threadId });
    return this.gone();
  }

  /** Resolves when the processes of the debug adapter have ended without having broken a rule. */
  async gone(): Promise<Exit> {
    const exit = await this.wire.unlessBroken(this.exited);
    await this.wire.closed;
    this.wire.assertWhole();
    for (const child of this.children) await child.gone();
    return exit;
  }

  /** The answer to `launch`. */
  get launched(): Promise<Raw> {
    return this.#launched.promise;
  }

  /** Right after `launch` was sent. */
  protected sent(): void {}

  /** A check of each message that comes; throws. */
  protected check(_message: Raw): void {}

  /** Whether the user gets to see output of this category. */
  protected shows(category: unknown): boolean {
    return category !== 'telemetry';
  }

  protected launchArguments(): Raw {
    return this.scene.configuration;
  }

  protected event(name: string, body: unknown): void {
    if (name === 'initialized') this.work(this.configure());
    else if (name === 'terminated') this.work(this.atTerminated());
    else if (name === 'stopped') {
      this.root.#stopped.resolve({ session: this, threadId: Number(field(body, 'threadId')) });
    } else if (name === 'output' && this.shows(field(body, 'category'))) {
      this.root.shown += String(field(body, 'output'));
    }
  }

  /** A request of the debug adapter. */
  protected asked(request: Request): void {
    throw new Error(`This client cannot answer ${request.command}.`);
  }

  /** Starts a child session. */
  protected async startChild(child: EmulatedClient): Promise<void> {
    this.root.children.push(child);
    await child.begin();
  }

  protected get root(): EmulatedClient {
    return this.parent?.root ?? this;
  }

  /** Runs a program in a terminal of the client; its output is shown. Returns its process id. */
  protected openTerminal(args: unknown, environment: NodeJS.ProcessEnv, cwd?: unknown): number {
    const [program = '', ...rest] = Array.isArray(args) ? args.map(String) : [];
    const directory = typeof cwd === 'string' && cwd !== '' ? { cwd } : {};
    const terminal = spawn(program, rest, { env: environment, ...directory, stdio: ['ignore', 'pipe', 'pipe'] });
    this.root.terminals.push(terminal);
    for (const stream of [terminal.stdout, terminal.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.root.shown += text;
      });
    }
    if (terminal.pid === undefined) throw new Error(`The terminal cannot start ${program}.`);
    return terminal.pid;
  }

  /** Ends the debug adapter, or all of its process group. */
  protected kill(signal: NodeJS.Signals, group = false): void {
    this.journalAtKill ??= this.journal;
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    if (group) process.kill(-this.pid, signal);
    else this.process.kill(signal);
  }

  /** What nobody waits for; its failure is this client's, unless it has killed the debug adapter itself. */
  protected work(doing: Promise<void>): void {
    doing.catch((error: unknown) => {
      if (this.journalAtKill === undefined) this.wire.fail(error instanceof Error ? error.message : String(error));
    });
  }

  protected respond({ seq, command }: Request, body: Raw | undefined, success = true): void {
    this.wire.send({ type: 'response', request_seq: seq, success, command, ...(body && { body }) });
  }

  /** A request that has to succeed. */
  protected async request(command: string, args: Raw | null | undefined): Promise<Raw> {
    const response = await this.wire.request(command, args, this.limit);
    if (response.success !== true) throw new Error(failureIn(response));
    return response;
  }

  protected async ask<T>(command: string, args: Raw): Promise<T> {
    // It is the real debug adapter's answer, and the test looks at what it needs of it.
    return (await this.request(command, args)).body as T;
  }

  protected setBreakpoints(source: Raw = {}): Promise<Raw> {
    const { path, line } = this.scene.breakpoint;
    return this.request('setBreakpoints', { source: { path, ...source }, breakpoints: [{ line }] });
  }

  /** The filters that are on by default, if there are any to choose from. */
  protected get filters(): string[] | undefined {
    const all = field(this.capabilities, 'exceptionBreakpointFilters');
    if (!Array.isArray(all)) return undefined;
    return all.filter((one) => field(one, 'default') === true).map((one) => String(field(one, 'filter')));
  }
}
