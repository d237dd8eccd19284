/** One debug session between a client and a real debug adapter, from `initialize` to the last process that ended. */
import type { Socket } from 'node:net';
import type { DebuggerProfile } from '../debuggers/profile.ts';
import { findProfile } from '../debuggers/registry.ts';
import { Problem } from '../problem.ts';
import { changedCapabilities, mergeCapabilities } from './capabilities.ts';
import { Channel } from './channel.ts';
import { Children, joinParent, type Ticket, ticketOf } from './children.ts';
import { Client } from './client.ts';
import { Configured } from './configured.ts';
import { connectSurroundings, progressId } from './connecting.ts';
import type { Debugger } from './debugger.ts';
import { adoptChild } from './inner.ts';
import { childLaunch, delegateLaunch, given, givenUp, Launch } from './launch.ts';
import {
  type Event,
  field,
  isEvent,
  isRaw,
  isRequest,
  isResponse,
  type Raw,
  type Request,
  type Response,
} from './message.ts';
import { NoDebug } from './no-debug.ts';
import type { ServeOptions, Timing, TraceDirection } from './options.ts';
import { errorOf, inOneText } from './problem-response.ts';
import { Requests } from './requests.ts';
import { changedConfiguration, launchAnew, restartRequest } from './restart.ts';
import { concealedEvent, ReverseRequests } from './reverse-requests.ts';
import { died, type Started, Starter } from './starting.ts';
import type { Keep, ParsedLaunch } from './surroundings.ts';
import { programOf, reasonIn, translateEvent } from './translate.ts';
import { unlessAborted, within } from './within.ts';

type State =
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

/** These end us as soon as `terminate` is answered (field notes, §1.6). */
const clientsThatKillOnTerminate = new Set<unknown>(['lsp4e.debug', 'dape']);
/** How often to look for processes that the program started, in ms. */
const lookEvery = 2000;

export class Conversation {
  readonly #options: ServeOptions;
  readonly #timing: Timing;
  readonly #channel: Channel;
  readonly #client: Client;
  readonly #starter: Starter;
  readonly #children: Children;
  readonly #reverse: ReverseRequests;
  /** Requests of our own to the client, and those of the debugger. */
  readonly #toClient: Requests;
  readonly #configured = new Configured();
  readonly #noDebug = new NoDebug();
  readonly #over = Promise.withResolvers<number>();
  /** Resolved by the client's `disconnect` or its absence, after we said that the session is over. */
  readonly #farewell = Promise.withResolvers<void>();
  #state: State = { name: 'waiting-for-initialize' };
  #initializeArguments: Raw = {};
  /** The capabilities that the client was answered. */
  #told: Raw = {};
  /** The real debug adapter that is in use. */
  #debugger: Debugger | undefined;
  /** The client's messages that wait until the debugger can take them. */
  #held: Raw[] = [];
  /** The client's `launch`, once it came. */
  #launched: Launch | undefined;
  /** The parent's socket, if this is a child session. */
  #parent: Socket | undefined;
  #heldTerminate: Raw | undefined;
  #initializedSeen = false;
  #programEnded = false;
  #keep: Keep | undefined;
  #look: NodeJS.Timeout | undefined;

  constructor(options: ServeOptions, timing: Timing) {
    this.#options = options;
    this.#timing = timing;
    const { log } = options;
    this.#channel = new Channel(options.input, options.output, (message) => this.#trace('to client', message));
    this.#client = new Client(this.#channel, () => this.#undoSurroundings());
    this.#toClient = new Requests(this.#channel);
    this.#children = new Children(log);
    const [toClient, children, patience] = [this.#toClient, this.#children, timing.reverseRequest];
    this.#reverse = new ReverseRequests({ toClient, children, log, patience });
    this.#starter = new Starter({
      log,
      timing,
      initializeArguments: () => this.#initializeArguments,
      hear: (from, message) => this.#fromDebugger(from, message),
      gone: (from, how) => this.#debuggerGone(from, how),
      sent: (message) => this.#trace('to debugger', message),
      printed: (text) => this.#client.print(text),
    });
  }

  async run(): Promise<number> {
    const gone = (why: string) => this.#background(this.#clientGone(why));
    const signals = (['SIGTERM', 'SIGINT', 'SIGHUP'] as const).map((name) => {
      const handler = () => gone(`${name} was received.`);
      process.on(name, handler);
      return () => process.off(name, handler);
    });
    this.#channel.listen({
      message: (message) => this.#fromClient(message),
      unreadable: (error) => this.#options.log.write('warn', 'The client sent something unreadable.', { error }),
      broken: (error) => gone(`The client cannot be written to: ${error.message}`),
      end: () => gone('The client closed its end.'),
    });
    const code = await this.#over.promise;
    for (const remove of signals) remove();
    clearInterval(this.#look);
    this.#children[Symbol.dispose]();
    this.#parent?.destroy();
    await this.#starter.ended();
    await within(1000, this.#channel.flushed(), undefined);
    this.#reverse[Symbol.dispose]();
    this.#options.input.destroy();
    this.#options.log.write('info', 'The debug session is over.', { code });
    return code;
  }

  // ---- from the client

  #fromClient(message: Raw): void {
    this.#trace('from client', message);
    try {
      if (isRequest(message)) this.#requestFromClient(message);
      else if (isResponse(message)) this.#reverse.answered(message);
      else this.#pass(message);
    } catch (error) {
      this.#options.log.write('error', 'A message of the client could not be handled.', { error });
      if (isRequest(message)) this.#client.respond(message, errorOf(Problem.from(error)));
    }
    this.#front?.delegate.channel.throttle(this.#channel);
  }

  /** The debugger that the client talks to. */
  get #front(): Debugger | undefined {
    return this.#debugger?.inner ?? this.#debugger;
  }

  #requestFromClient(request: Request): void {
    const state = this.#state;
    switch (request.command) {
      case 'initialize':
        if (state.name === 'waiting-for-initialize') this.#background(this.#initialize(request));
        else this.#client.refuse(request, 'initialize may be sent only once.');
        return;
      case 'disconnect':
        this.#background(this.#disconnect(request));
        return;
      case 'terminate':
        this.#terminate(request);
        return;
      case 'cancel':
        if (!this.#cancel(request)) this.#pass(request);
        return;
      case 'launch':
      case 'attach':
        if (state.name === 'initialized') this.#background(this.#launch(new Launch(request, request.command)));
        else this.#pass(request);
        return;
      case 'restart':
        if (state.name === 'running' && this.#debugger !== undefined) {
          this.#restart(request, state.launch, this.#debugger);
        } else {
          this.#pass(request);
        }
        return;
      default:
        this.#pass(request);
    }
  }

  /** A message of the client goes to the debugger now, or when the debugger can take it. */
  #pass(message: Raw): void {
    const request = isRequest(message) ? message : undefined;
    switch (this.#state.name) {
      case 'waiting-for-initialize':
        if (request !== undefined) this.#client.refuse(request, 'The first request must be initialize.');
        return;
      case 'failed':
      case 'ending':
      case 'ended':
        if (request !== undefined) this.#client.refuse(request, 'The debug session is over.');
        return;
      case 'initializing':
      case 'connecting':
      case 'restarting':
        this.#held.push(message);
        return;
      case 'initialized':
      case 'running':
    }
    const front = this.#front;
    if (this.#held.length > 0 || (front === undefined && this.#state.name === 'initialized')) {
      this.#held.push(message);
    } else if (front === undefined) {
      if (request !== undefined) this.#client.refuse(request, 'The debugger has ended.');
    } else if (request === undefined) {
      front.delegate.channel.send(message);
    } else {
      this.#forward(request, front);
    }
  }

  #forward(request: Request, to: Debugger): void {
    this.#configured.asked(request);
    const ours = this.#noDebug.answer(request);
    if (ours !== undefined) {
      this.#client.respond(request, ours);
    } else if (request.command === 'configurationDone' && to.capabilities.supportsConfigurationDoneRequest !== true) {
      this.#client.respond(request, { success: true });
    } else {
      to.requests.forward(request);
    }
  }

  /** Lets the client's held messages go. */
  #release(): void {
    for (const message of this.#held.splice(0)) {
      if (isRequest(message)) this.#requestFromClient(message);
      else this.#pass(message);
    }
  }

  /** Whether the cancel request has been dealt with: by stopping what we do, or by saying that it cannot be done. */
  #cancel(request: Request): boolean {
    const id = field(request.arguments, 'requestId');
    const ours = field(request.arguments, 'progressId') === progressId;
    const state = this.#state;
    const done = () => {
      this.#client.respond(request, { success: true });
      return true;
    };
    if (state.name === 'connecting' && (ours || Number(state.launch.request.seq) === id)) {
      state.launch.abort.abort(givenUp());
      return done();
    }
    if (ours) return done();
    const held = this.#held.findIndex((one) => isRequest(one) && Number(one.seq) === id);
    const [unsent] = held === -1 ? [] : this.#held.splice(held, 1);
    if (unsent !== undefined && isRequest(unsent)) {
      this.#client.respond(unsent, errorOf(givenUp()));
      return done();
    }
    const front = this.#front;
    // `cancel` is a hint and its success promises nothing (DAP, "Cancel Request").
    if (front?.capabilities.supportsCancelRequest !== true) return done();
    const requestId = front.requests.sentAs(id);
    if (id === undefined) return false;
    if (requestId === undefined) return done();
    const asked = isRaw(request.arguments) ? request.arguments : {};
    front.requests.forward(request, { ...request, arguments: { ...asked, requestId } });
    return true;
  }

  // ---- initialize

  async #initialize(request: Request): Promise<void> {
    this.#state = { name: 'initializing', request };
    this.#initializeArguments = isRaw(request.arguments) ? request.arguments : {};
    let profile: DebuggerProfile | undefined;
    try {
      profile = this.#announcedProfile();
    } catch (error) {
      const problem = Problem.from(error);
      this.#state = failedBy(problem);
      this.#client.respond(request, errorOf(problem));
      return;
    }
    const started = profile && (await this.#startEarly(profile));
    if (this.#state.name !== 'initializing') return;
    this.#state = { name: 'initialized' };
    if (started?.response.success === false) {
      // What it does not like about the client, it says in its own words.
      this.#client.send({ ...started.response, request_seq: Number(request.seq) });
      this.#state = { name: 'failed', code: 0 };
      return;
    }
    this.#told = started?.debugger.capabilities ?? { ...profile?.capabilities };
    const frame = started?.response ?? { type: 'response', command: 'initialize', success: true };
    this.#client.send({ ...frame, request_seq: Number(request.seq), body: mergeCapabilities(this.#told) });
    this.#release();
  }

  /** The delegate by command line, or by a client that can only configure the type: `kubernetes-local/debugpy`. */
  #announcedProfile(): DebuggerProfile | undefined {
    const adapterID = this.#initializeArguments.adapterID;
    const [, encoded] = typeof adapterID === 'string' ? adapterID.split(/^kubernetes-local\//) : [];
    const type = this.#options.delegate ?? encoded;
    return type === undefined ? undefined : findProfile(type, this.#options.profiles);
  }

  /** Starts the debugger to learn what it can do. Whatever fails here is told when `launch` needs it. */
  async #startEarly(profile: DebuggerProfile): Promise<Started | undefined> {
    if (profile.startsAt === 'launch') return undefined;
    const { debugAdapter, log } = this.#options;
    try {
      const command = profile.command({ args: {}, ...(debugAdapter && { debugAdapter }) });
      const started = await this.#starter.start({ profile, command, environment: {} }, this.#timing.initialize);
      if (started !== undefined && this.#state.name === 'initializing') this.#debugger = started.debugger;
      return started;
    } catch (error) {
      log.write('info', 'What the debugger can do is not known before the launch.', { error });
      return undefined;
    }
  }

  // ---- launch

  async #launch(launch: Launch): Promise<void> {
    this.#state = { name: 'connecting', launch };
    this.#launched = launch;
    const { signal } = launch.abort;
    const budget = this.#timing.earlyAnswer[String(this.#initializeArguments.clientID)];
    const early =
      budget === undefined ? undefined : setTimeout(() => this.#answerLaunch(launch, { success: true }), budget);
    try {
      const ticket = ticketOf(launch.request.arguments);
      await (ticket === undefined ? this.#connect(launch, signal) : this.#join(launch, ticket, signal));
      signal.throwIfAborted();
      this.#forwardLaunch(launch);
    } catch (error) {
      await this.#launchFailed(launch, Problem.from(signal.aborted ? signal.reason : error));
    } finally {
      clearTimeout(early);
      launch.over.resolve();
    }
  }

  async #connect(launch: Launch, signal: AbortSignal): Promise<void> {
    const { surroundings, admit, profiles } = this.#options;
    const { request, verb } = launch;
    admit?.(request.arguments);
    const parsed = surroundings.parse(request.arguments, verb);
    const profile = findProfile(parsed.delegateType, profiles);
    const late = profile.environmentAt(given(parsed)) === 'start' || profile.startsAt === 'launch';
    // Nothing in the cluster is touched before the debugger is known to work.
    if (!late) await this.#prepareDebugger(profile, parsed, {}, signal);
    const { environment } = await connectSurroundings({
      surroundings,
      client: this.#client,
      request,
      initializeArguments: this.#initializeArguments,
      lost: (problem) => this.#lost(launch, problem),
      signal,
    });
    launch.settled = { profile, parsed, environment };
    if (late) await this.#prepareDebugger(profile, parsed, environment, signal);
  }

  /** A child session: its surroundings are its parent's, and mostly its debugger too. */
  async #join(launch: Launch, ticket: Ticket, signal: AbortSignal): Promise<void> {
    const { socket, invitation } = await joinParent(ticket, signal);
    this.#parent = socket;
    const parsed = childLaunch(invitation, launch.request.arguments);
    const profile = findProfile(parsed.delegateType, this.#options.profiles);
    launch.settled = { profile, parsed, environment: {} };
    if (!invitation.served) {
      socket
        .on('error', () => {})
        .once('close', () => this.#lost(launch, died(profile, 'Its parent session is over.')));
      socket.resume();
      await this.#prepareDebugger(profile, parsed, {}, signal);
      return;
    }
    if (this.#debugger !== undefined) void this.#starter.dismiss(this.#debugger, true);
    const transport = { kind: 'running', endpoint: { path: ticket.endpoint } } as const;
    const command = { argv: [], origin: 'the parent session', transport };
    const starting = this.#starter.start({ profile, command, environment: {} }, this.#timing.initialize, socket);
    this.#adopt(profile, await unlessAborted(starting, signal));
  }

  #lost(launch: Launch, problem: Problem): void {
    if (this.#state.name === 'connecting') launch.abort.abort(problem);
    else if (this.#state.name === 'running' || this.#state.name === 'restarting') {
      this.#background(this.#cutShort(problem));
    }
  }

  /** Sees to it that the debugger runs. */
  async #prepareDebugger(
    profile: DebuggerProfile,
    parsed: ParsedLaunch,
    environment: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    const current = this.#debugger;
    if (current !== undefined) {
      const suits = current.profile === profile && parsed.debugAdapter === undefined;
      if (suits && profile.environmentAt(given(parsed)) === 'launch') return;
      this.#debugger = undefined;
      void this.#starter.dismiss(current, true);
    }
    const command = profile.command(given(parsed));
    const starting = this.#starter.start({ profile, command, environment }, this.#timing.initialize);
    const started = await unlessAborted(starting, signal);
    if (started === undefined) await profile.check(command, signal);
    this.#adopt(profile, started);
  }

  /** From now on this is the debugger; a client that was told other capabilities hears of the differences. */
  #adopt(profile: DebuggerProfile, started: Started | undefined): void {
    if (started === undefined) throw died(profile, this.#starter.whyNot);
    const { debugger: one, response } = started;
    this.#debugger = one;
    if (response.success === false) throw died(profile, String(response.message ?? 'It refused to start.'));
    const changed = changedCapabilities(this.#told, one.capabilities);
    if (Object.keys(changed).length > 0) {
      this.#client.send({ type: 'event', event: 'capabilities', body: { capabilities: changed } });
    }
  }

  #forwardLaunch(launch: Launch): void {
    const one = this.#debugger;
    if (launch.settled === undefined) throw new Error('The launch is not settled.');
    if (one === undefined) throw died(launch.settled.profile, this.#starter.whyNot);
    one.requests.forward(launch.request, { ...launch.request, ...delegateLaunch(launch.settled) });
    this.#state = { name: 'running', launch };
    this.#watchProcesses(one);
    const events = one.held ?? [];
    one.held = undefined;
    for (const event of events) this.#eventFromDebugger(one, event);
  }

  /** Answers `launch` unless that has been done. */
  #answerLaunch(launch: Launch, answer: Raw): void {
    if (launch.answered) return;
    launch.answered = true;
    this.#client.respond(launch.request, answer);
  }

  async #launchFailed(launch: Launch, problem: Problem): Promise<void> {
    this.#state = failedBy(problem);
    this.#options.log.write('warn', 'The launch failed.', { problem: problem.toJSON() });
    this.#dismissCurrent(true);
    this.#debugger = undefined;
    await this.#client.undo();
    if (launch.answered) {
      if (problem.code !== 'cancelled') this.#client.tell(inOneText(problem), 'important');
      this.#client.sayTerminated();
    } else {
      this.#answerLaunch(launch, errorOf(problem));
    }
    for (const message of this.#held.splice(0)) {
      if (isRequest(message)) this.#client.refuse(message, 'The debug session is over.');
    }
  }

  #launchAnswered(launch: Launch, message: Raw): void {
    const early = launch.answered;
    launch.answered = true;
    if (message.success !== false) {
      if (!early) this.#client.send(message);
      if (launch.noDebug && !this.#initializedSeen) {
        const event = this.#noDebug.initializedFor(this.#initializeArguments.clientID);
        if (event !== undefined) this.#client.send(event);
      }
    } else if (early) {
      this.#client.tell(reasonIn(message), 'important');
      this.#client.sayTerminated();
    } else {
      this.#client.sendAfterUndo(message);
    }
    this.#release();
  }

  // ---- restart

  #restart(request: Request, launch: Launch, one: Debugger): void {
    const { surroundings, profiles } = this.#options;
    if (launch.settled !== undefined && this.#parent === undefined) {
      const changed = changedConfiguration(request, (args) => surroundings.parse(args, launch.verb));
      const profile = changed && findProfile(changed.delegateType, profiles);
      if (changed && profile) launch.settled = { ...launch.settled, parsed: changed, profile };
    }
    const same = launch.settled?.profile === one.profile;
    if (same && one.capabilities.supportsRestartRequest === true) {
      one.requests.forward(request, restartRequest(request, launch));
    } else {
      this.#background(this.#restartAnew(request, launch, one));
    }
  }

  /** Replaces the debugger by a new one, for the same surroundings. */
  async #restartAnew(request: Request, launch: Launch, old: Debugger): Promise<void> {
    const { settled } = launch;
    if (settled === undefined) return;
    this.#state = { name: 'restarting', launch };
    const unchanged = () => this.#state.name === 'restarting';
    clearInterval(this.#look);
    old.retired = true;
    await this.#askToDisconnect(old, this.#ownDisconnect());
    this.#abandon(old, givenUp());
    await this.#starter.dismiss(old, !launch.attaches);
    if (!unchanged()) return this.#client.respond(request, errorOf(givenUp()));
    for (const threadId of old.threads) {
      this.#client.send({ type: 'event', event: 'thread', body: { reason: 'exited', threadId } });
    }
    const { profile, parsed, environment } = settled;
    const atStart = profile.environmentAt(given(parsed)) === 'start' ? environment : {};
    const start = { profile, command: profile.command(given(parsed)), environment: atStart };
    const started = await this.#starter.start(start, this.#timing.initialize);
    if (!unchanged()) return this.#client.respond(request, errorOf(givenUp()));
    if (started === undefined || started.response.success === false) {
      const problem = died(profile, this.#starter.whyNot);
      this.#client.respond(request, errorOf(problem));
      return this.#cutShort(problem);
    }
    const one = started.debugger;
    this.#debugger = one;
    this.#programEnded = false;
    this.#watchProcesses(one);
    const gone = one.delegate.exited.then(() => failure);
    const { answer, configured } = launchAnew(one, launch, this.#configured, (event) => this.#client.send(event));
    // The client's own messages come after what it had configured.
    await Promise.race([configured, answer, gone]);
    if (unchanged()) {
      this.#state = { name: 'running', launch };
      this.#release();
    }
    const { success, message } = await Promise.race([answer, gone]);
    if (success !== false) return this.#client.respond(request, { success: true });
    const problem = died(profile, String(message ?? 'It refused to start the program.'));
    this.#client.respond(request, errorOf(problem));
    if (this.#debugger === one) return this.#cutShort(problem);
  }

  // ---- from the debugger

  #fromDebugger(from: Debugger, message: Raw): void {
    // One that was dismissed has nothing to say any more, but for its answer to our farewell.
    if (from.dismissed) {
      if (isResponse(message)) from.requests.answer(message);
      return;
    }
    this.#trace('from debugger', message);
    if (isResponse(message)) {
      const answer = from.requests.answer(message);
      if (answer !== undefined) this.#answerFromDebugger(from, answer.request, answer.message);
    } else if (isEvent(message)) {
      this.#eventFromDebugger(from, message);
    } else if (isRequest(message)) {
      this.#requestFromDebugger(from, message);
    } else {
      this.#client.send(message);
    }
    this.#channel.throttle(from.delegate.channel);
  }

  #requestFromDebugger(from: Debugger, request: Request): void {
    const known = this.#initializeArguments.supportsStartDebuggingRequest === true;
    if (request.command !== 'startDebugging' || known || from.profile.childEndpoint === undefined) {
      this.#reverse.pass(from, request, this.#launched?.clientType ?? 'kubernetes-local');
      return;
    }
    const adopting = adoptChild(from, request, {
      configured: this.#configured,
      start: (parent, endpoint) => {
        const transport = { kind: 'running', endpoint } as const;
        const command = { argv: [], origin: 'the parent session', transport };
        const start = { profile: parent.profile, command, environment: {} };
        return this.#starter.start(start, this.#timing.initialize);
      },
      tell: (event) => this.#client.send(event),
    });
    this.#background(adopting);
  }

  #answerFromDebugger(from: Debugger, request: Request, answer: Raw): void {
    const message = from.breakpointIds?.translate(answer) ?? answer;
    this.#configured.answered(request, message);
    if (this.#state.name === 'running' && request === this.#state.launch.request) {
      this.#launchAnswered(this.#state.launch, message);
    } else if (request.command === 'terminate' && this.#killsOnTerminate()) {
      this.#heldTerminate = message;
      // The debuggee may refuse to end; then the client must not wait for ever.
      setTimeout(() => this.#releaseTerminate(), this.#timing.undo).unref();
    } else {
      this.#client.send(message);
    }
  }

  #eventFromDebugger(from: Debugger, event: Event): void {
    if (from.held !== undefined && (event.event === 'initialized' || from.held.length > 0)) {
      from.held.push(event);
      return;
    }
    from.note(event);
    const inner = this.#debugger !== undefined && this.#debugger.inner === from;
    if (from.retired && event.event !== 'output') return;
    switch (event.event) {
      case 'initialized':
        if (from.initialized()) return;
        this.#initializedSeen = true;
        this.#client.send(event);
        this.#release();
        return;
      case 'terminated':
        if (inner && this.#debugger !== undefined) {
          // Its parent says it too, when its last child has ended.
          this.#innerGone(this.#debugger, from);
        } else this.#terminated(event);
        return;
      case 'exited':
        if (!inner) this.#programEnded = true;
        break;
      case 'process':
        this.#programSeen(from, event);
        break;
      case 'debugpyAttach':
        this.#background(this.#childOfDebugpy(from, event));
        return;
    }
    this.#client.send(translateEvent(from.breakpointIds?.translate(event) ?? event, from.requests));
  }

  #terminated(event: Event): void {
    this.#programEnded = true;
    if (field(event.body, 'restart')) {
      // The client starts the program again, at once, in a session of its own.
      this.#keep = forRestart;
      this.#releaseTerminate();
      this.#client.send(event);
      return;
    }
    this.#releaseTerminate(true);
    this.#client.sendAfterUndo(event);
  }

  /** debugpy below 1.6.7 asks in its own way for a child session. */
  async #childOfDebugpy(from: Debugger, event: Event): Promise<void> {
    const type = this.#launched?.clientType ?? 'kubernetes-local';
    if (this.#initializeArguments.supportsStartDebuggingRequest !== true || !isRaw(event.body)) {
      this.#client.send(concealedEvent(event));
    } else if (!(await this.#reverse.startChild(from, event.body, type))) {
      this.#client.tell('The client did not start a debug session for a process of the program.', 'console');
    }
  }

  #programSeen(from: Debugger, event: Event): void {
    const program = programOf(event);
    if (program === undefined) return;
    // A program that was running before is not ours to end, so it does not join the tree.
    if (this.#launched?.attaches || !program.started) {
      this.#options.surroundings.processStarted(program.pid, 'program');
    } else {
      this.#background(from.delegate.tree.add(program.pid, 'program').then((pids) => this.#tellPrograms(pids)));
    }
  }

  #watchProcesses(one: Debugger): void {
    const { pid } = one.delegate;
    if (pid !== undefined) this.#options.surroundings.processStarted(pid, 'debugger');
    clearInterval(this.#look);
    this.#look = setInterval(() => this.#background(this.#lookForProcesses(one)), lookEvery).unref();
  }

  async #lookForProcesses(one: Debugger): Promise<void> {
    if (!one.delegate.gone) this.#tellPrograms(await one.delegate.tree.refresh());
  }

  #tellPrograms(pids: readonly number[]): void {
    for (const pid of pids) this.#options.surroundings.processStarted(pid, 'program');
  }

  #debuggerGone(from: Debugger, how: string): void {
    const main = this.#debugger;
    if (main?.inner === from) this.#innerGone(main, from);
    if (main !== from) return;
    this.#debugger = undefined;
    this.#starter.remember(from, how);
    const problem = died(from.profile, this.#starter.whyNot);
    const state = this.#state;
    if (state.name === 'running' && !this.#programEnded) {
      this.#background(this.#cutShort(problem, from));
      return;
    }
    // It ended in peace, or before anything began: then it is started again when it is needed.
    this.#abandon(from, problem);
    void this.#starter.dismiss(from, true);
    if (state.name === 'connecting') state.launch.abort.abort(problem);
    if (state.name === 'running') this.#client.sayTerminated();
  }

  #innerGone(parent: Debugger, child: Debugger): void {
    parent.inner = undefined;
    this.#abandon(child, givenUp());
    void this.#starter.dismiss(child, false);
  }

  /** Answers what the client asked and nobody will answer any more. */
  #abandon(one: Debugger, problem: Problem): void {
    for (const request of one.requests.abandon()) {
      const launch = this.#launched;
      if (request === launch?.request) this.#answerLaunch(launch, errorOf(problem));
      else this.#client.respond(request, { success: false, message: problem.code });
    }
  }

  // ---- the end

  #terminate(request: Request): void {
    const state = this.#state;
    if (field(request.arguments, 'restart') === true) this.#keep = forRestart;
    const done = () => {
      this.#client.respond(request, { success: true });
      this.#client.sayTerminated();
    };
    if (state.name === 'waiting-for-initialize') {
      this.#client.refuse(request, 'The first request must be initialize.');
    } else if (state.name === 'restarting') {
      this.#held.push(request);
    } else if (state.name === 'connecting') {
      state.launch.abort.abort(givenUp());
      void state.launch.over.promise.then(done);
    } else if (state.name === 'running' && this.#debugger !== undefined) {
      // A request to the program, which may refuse: the surroundings stay until it has really ended.
      if (this.#debugger.capabilities.supportsTerminateRequest === true) this.#debugger.requests.forward(request);
      else this.#background(this.#stopProgram(this.#debugger).then(done));
    } else {
      done();
    }
  }

  /** `terminate` for debug adapters that only know `disconnect`. */
  async #stopProgram(one: Debugger): Promise<void> {
    this.#programEnded = true;
    const undo = this.#client.undo();
    await this.#askToDisconnect(one, this.#ownDisconnect());
    await undo;
  }

  #killsOnTerminate(): boolean {
    return clientsThatKillOnTerminate.has(this.#initializeArguments.clientID);
  }

  #releaseTerminate(afterUndo = false): void {
    const message = this.#heldTerminate;
    this.#heldTerminate = undefined;
    if (message === undefined) return;
    if (afterUndo) this.#client.sendAfterUndo(message);
    else this.#client.send(message);
  }

  async #disconnect(request: Request): Promise<void> {
    const state = this.#state;
    if (state.name === 'ended') return;
    if (state.name === 'ending') {
      await this.#client.undo();
      this.#client.respond(request, { success: true });
      this.#farewell.resolve();
      return;
    }
    const leave = await this.#leavesProgram(request);
    const code = await this.#beginEnding(state);
    const one = this.#debugger;
    const response = one && (await this.#askToDisconnect(one, request));
    if (one !== undefined) this.#abandon(one, givenUp());
    // Nothing of what the debugger says from now on may overtake its answer.
    this.#client.sendAfterUndo({
      ...(response ?? { type: 'response', success: true }),
      command: request.command,
      request_seq: Number(request.seq),
    });
    this.#dismissCurrent(!leave);
    await this.#client.undo();
    this.#finish(code);
  }

  /** Whether the program outlives the session by the client's wish; decides what the surroundings are kept for. */
  async #leavesProgram(request: Request): Promise<boolean> {
    if (field(request.arguments, 'restart') === true) this.#keep = forRestart;
    const one = this.#debugger;
    const launched = this.#launched !== undefined && !this.#launched.attaches;
    const leaves = field(request.arguments, 'terminateDebuggee') === false && launched && !this.#programEnded;
    if (!leaves || one === undefined) return leaves;
    if (field(request.arguments, 'suspendDebuggee') === true) {
      this.#client.tell('The program stays suspended; its way into the cluster ends now.', 'important');
    } else {
      this.#tellPrograms(await one.delegate.tree.refresh());
      this.#keep ??= { for: 'program' };
    }
    return true;
  }

  /** Gives up what is under way and begins the undo, in parallel to the end of the program. Returns the exit code. */
  async #beginEnding(state: State): Promise<number> {
    if (state.name === 'connecting') {
      state.launch.abort.abort(givenUp());
      await state.launch.over.promise;
    }
    if (state.name === 'initializing') this.#client.respond(state.request, errorOf(givenUp()));
    const code = this.#state.name === 'failed' ? this.#state.code : 0;
    this.#state = { name: 'ending' };
    for (const message of this.#held.splice(0)) {
      if (isRequest(message)) this.#client.refuse(message, 'The debug session is over.');
    }
    void this.#client.undo();
    return code;
  }

  /** End of file from the client, or a signal: nobody listens any more. */
  async #clientGone(why: string): Promise<void> {
    this.#options.log.write('info', 'The client is gone.', { why });
    const state = this.#state;
    this.#farewell.resolve();
    if (state.name === 'ending' || state.name === 'ended') return;
    const code = await this.#beginEnding(state);
    if (this.#debugger !== undefined) await this.#askToDisconnect(this.#debugger, this.#ownDisconnect());
    this.#dismissCurrent(true);
    await this.#client.undo();
    this.#finish(code);
  }

  /** The session ends by no wish of the client: the connection is lost, or the debugger died (`dead`). */
  async #cutShort(problem: Problem, dead?: Debugger): Promise<void> {
    this.#options.log.write('error', 'The debug session is cut short.', { problem: problem.toJSON() });
    // All that is said from here on means the end.
    this.#client.holdUntilUndone();
    const one = dead ?? this.#debugger;
    if (dead !== undefined) this.#abandon(dead, problem);
    this.#state = { name: 'ending' };
    this.#client.tell(inOneText(problem), 'important');
    if (one !== undefined && dead === undefined) {
      await this.#askToDisconnect(one, this.#ownDisconnect());
      this.#abandon(one, problem);
    }
    if (one !== undefined) void this.#starter.dismiss(one, true);
    this.#dismissCurrent(true);
    await this.#client.undo();
    this.#client.sayTerminated();
    await within(this.#timing.farewell, this.#farewell.promise, undefined);
    this.#finish(problem.exitCode);
  }

  /** Ends a program that was launched and leaves one that was attached to. */
  #ownDisconnect(): Raw {
    const terminateDebuggee = this.#launched?.attaches !== true;
    return { type: 'request', command: 'disconnect', arguments: { terminateDebuggee } };
  }

  /** The debugger's answer to `disconnect`; undefined if none comes in time. */
  #askToDisconnect(one: Debugger, message: Raw): Promise<Response | undefined> {
    const gone = one.delegate.exited.then(() => undefined);
    return within(this.#timing.disconnect, Promise.race([one.requests.ask(message), gone]), undefined);
  }

  #dismissCurrent(everything: boolean): void {
    this.#starter.giveUp();
    if (this.#debugger !== undefined) void this.#starter.dismiss(this.#debugger, everything);
  }

  /** Undoes the surroundings; never rejects, and never takes longer than its budget. */
  async #undoSurroundings(): Promise<void> {
    // A child session's are its parent's.
    if (this.#launched === undefined || this.#parent !== undefined) return;
    const { surroundings, log } = this.#options;
    try {
      const undoing = surroundings.disconnect(this.#timing.undo, this.#keep);
      const outcome = await within(this.#timing.undo, undoing, 'finishing');
      log.write('info', 'The surroundings were disconnected.', { outcome });
    } catch (error) {
      log.write('error', 'The surroundings could not be disconnected.', { error });
    }
  }

  #finish(code: number): void {
    if (this.#state.name === 'ended') return;
    this.#state = { name: 'ended' };
    this.#over.resolve(code);
  }

  #trace(direction: TraceDirection, message: Raw): void {
    this.#options.trace?.(direction, message);
  }

  /** Runs what nobody waits for; a failure of it is a defect, is logged, and ends the session. */
  #background(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#options.log.write('error', 'The debug session failed.', { error });
      this.#dismissCurrent(true);
      void this.#client.undo().then(() => this.#finish(Problem.from(error).exitCode));
    });
  }
}

/** A client that starts the program again does so at once; IDEs ask their configuration providers first. */
const forRestart: Keep = { for: 'restart', ms: 15_000 };
/** In place of an answer that will not come. */
const failure = { success: false, message: undefined } as const;

/** What the user gave up himself is no failure. */
function failedBy(problem: Problem): State {
  return { name: 'failed', code: problem.code === 'cancelled' ? 0 : problem.exitCode };
}
