/** What the parts of one debug session share: its state, its two ends, and what all of them do with those. */

import type { Socket } from 'node:net';
import { Problem } from '../problem.ts';
import { within } from '../within.ts';
import { Children } from './children.ts';
import { Client } from './client.ts';
import { Configured } from './configured.ts';
import type { Debugger } from './debugger.ts';
import type { Launch } from './launch.ts';
import { type Event, field, type Raw, type Request, type Response } from './message.ts';
import { NoDebug } from './no-debug.ts';
import type { ServeOptions, Timing, TraceDirection } from './options.ts';
import { errorOf } from './problem-response.ts';
import { Questions } from './questions.ts';
import { Requests } from './requests.ts';
import { ReverseRequests } from './reverse-requests.ts';
import { Starter } from './starting.ts';
import type { Keep } from './surroundings.ts';
import { Channel } from './wire/channel.ts';

/** How often to look for processes that the program started, in ms. */
const lookEvery = 2000;

export type State =
  | { readonly name: 'waiting-for-initialize' }
  /** The real debug adapter is being started and asked what it can do. */
  | { readonly name: 'initializing'; readonly request: Request }
  | { readonly name: 'initialized' }
  | { readonly name: 'connecting'; readonly launch: Launch }
  | { readonly name: 'running'; readonly launch: Launch }
  /** The real debug adapter, which cannot restart the program, is being replaced by a new one. */
  | { readonly name: 'restarting'; readonly launch: Launch }
  /** The launch failed; only the end is left to ask for. `code`: the exit code. */
  | { readonly name: 'failed'; readonly code: number }
  | { readonly name: 'ending' }
  | { readonly name: 'ended' };

/** Where the messages of the debugger go, and the client's that were held. */
export interface Routes {
  hear(from: Debugger, message: Raw): void;
  gone(from: Debugger, how: string): void;
  /** Lets the client's held messages go. */
  release(): void;
}

export class DebugSession {
  readonly options: ServeOptions;
  readonly timing: Timing;
  readonly channel: Channel;
  readonly client: Client;
  /** Undefined if the client cannot be asked. */
  readonly questions: Questions | undefined;
  readonly starter: Starter;
  readonly children: Children;
  readonly reverse: ReverseRequests;
  /** Requests of our own to the client, and those of the debugger. */
  readonly toClient: Requests;
  readonly configured = new Configured();
  readonly noDebug = new NoDebug();
  readonly over = Promise.withResolvers<number>();
  /** Resolved by the client's `disconnect` or its absence, after we said that the session is over. */
  readonly farewell = Promise.withResolvers<void>();
  state: State = { name: 'waiting-for-initialize' };
  initializeArguments: Raw = {};
  /** The capabilities that the client was answered. */
  told: Raw = {};
  /** The real debug adapter that is in use. */
  debugger: Debugger | undefined;
  /** The client's messages that wait until the debugger can take them. */
  held: Raw[] = [];
  /** The client's `launch`, once it came. */
  launched: Launch | undefined;
  /** The parent's socket, if this is a child session. */
  parent: Socket | undefined;
  heldTerminate: Raw | undefined;
  initializedSeen = false;
  programEnded = false;
  keep: Keep | undefined;
  look: NodeJS.Timeout | undefined;

  readonly #routes: Routes;
  /** What debug adapters have said about themselves, and which of them said it first. */
  readonly #introductions = new Map<string, Debugger>();

  constructor(options: ServeOptions, timing: Timing, routes: Routes) {
    this.#routes = routes;
    this.options = options;
    this.timing = timing;
    const { log } = options;
    this.channel = new Channel(options.input, options.output, (message) => this.trace('to client', message));
    this.client = new Client({
      channel: this.channel,
      undo: () => this.undoSurroundings(),
      logPath: () => log.path,
      ...(options.extension && { remedy: options.extension.remedy }),
    });
    if (options.extension !== undefined) this.questions = new Questions(this.client);
    this.toClient = new Requests(this.channel);
    this.children = new Children(log);
    const [toClient, children, patience] = [this.toClient, this.children, timing.reverseRequest];
    this.reverse = new ReverseRequests({ toClient, children, log, patience });
    this.starter = new Starter({
      log,
      timing,
      initializeArguments: () => this.initializeArguments,
      hear: (from, message) => routes.hear(from, message),
      gone: (from, how) => routes.gone(from, how),
      sent: (message) => this.trace('to debugger', message),
      printed: (text, stream) => this.client.print(text, stream),
    });
  }

  /** Lets the client's held messages go. */
  release(): void {
    this.#routes.release();
  }

  /** Whether another debug adapter of this session, in whose place this one is, has introduced itself in the same words. */
  isRepeated(from: Debugger, event: Event): boolean {
    if (event.event !== 'output' || field(event.body, 'category') !== 'telemetry') return false;
    const words = JSON.stringify(event.body);
    const first = this.#introductions.get(words) ?? from;
    this.#introductions.set(words, first);
    return first !== from;
  }

  /** Answers `launch` unless that has been done. */
  answerLaunch(launch: Launch, answer: Raw): void {
    if (launch.answered) return;
    launch.answered = true;
    this.client.respond(launch.request, answer);
  }

  watchProcesses(one: Debugger): void {
    const { pid } = one.delegate;
    if (pid !== undefined) this.options.surroundings.processStarted(pid, 'debugger');
    clearInterval(this.look);
    this.look = setInterval(() => this.background(this.lookForProcesses(one)), lookEvery).unref();
  }

  async lookForProcesses(one: Debugger): Promise<void> {
    if (!one.delegate.gone) this.tellPrograms(await one.delegate.tree.refresh());
  }

  tellPrograms(pids: readonly number[]): void {
    for (const pid of pids) this.options.surroundings.processStarted(pid, 'program');
  }

  /** Answers what the client asked and nobody will answer any more. */
  abandon(one: Debugger, problem: Problem): void {
    for (const request of one.requests.abandon()) {
      const launch = this.launched;
      if (request === launch?.request) this.answerLaunch(launch, errorOf(problem));
      else this.client.respond(request, { success: false, message: problem.code });
    }
  }

  /** Ends a program that was launched and leaves one that was attached to. */
  ownDisconnect(): Raw {
    const terminateDebuggee = this.launched?.attaches !== true;
    return { type: 'request', command: 'disconnect', arguments: { terminateDebuggee } };
  }

  /** The debugger's answer to `disconnect`; undefined if none comes in time. */
  askToDisconnect(one: Debugger, message: Raw): Promise<Response | undefined> {
    const gone = one.delegate.exited.then(() => undefined);
    return within(this.timing.disconnect, Promise.race([one.requests.ask(message), gone]), undefined);
  }

  dismissCurrent(everything: boolean): void {
    this.starter.giveUp();
    if (this.debugger !== undefined) void this.starter.dismiss(this.debugger, everything);
  }

  /** Undoes the surroundings; never rejects, and never takes longer than its budget. */
  async undoSurroundings(): Promise<void> {
    // A child session's are its parent's.
    if (this.launched === undefined || this.parent !== undefined) return;
    const { surroundings, log } = this.options;
    try {
      const undoing = surroundings.disconnect(this.timing.undo, this.keep);
      const outcome = await within(this.timing.undo, undoing, 'finishing');
      log.write('info', 'The surroundings were disconnected.', { outcome });
    } catch (error) {
      log.write('error', 'The surroundings could not be disconnected.', { error });
    }
  }

  finish(code: number): void {
    if (this.state.name === 'ended') return;
    this.state = { name: 'ended' };
    this.over.resolve(code);
  }

  trace(direction: TraceDirection, message: Raw): void {
    this.options.trace?.(direction, message);
  }

  /** Runs what nobody waits for; a failure of it is a defect, is logged, and ends the session. */
  background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.options.log.write('error', 'The debug session failed.', { error });
      this.dismissCurrent(true);
      void this.client.undo().then(() => this.finish(Problem.from(error).exitCode));
    });
  }

  /** The debugger that the client talks to. */
  get front(): Debugger | undefined {
    return this.debugger?.inner ?? this.debugger;
  }

  /** Resolves when nothing of the session is left in this process or started by it. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.look);
    this.children[Symbol.dispose]();
    this.parent?.destroy();
    await this.starter.ended();
    await within(1000, this.channel.flushed(), undefined);
    this.reverse[Symbol.dispose]();
    this.options.input.destroy();
  }
}
