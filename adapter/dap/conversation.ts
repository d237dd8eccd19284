/** One debug session between a client and a real debug adapter, from `initialize` to the last process that ended. */
import type { DebuggerProfile, Given } from '../debuggers/profile.ts';
import { findProfile } from '../debuggers/registry.ts';
import { Problem } from '../problem.ts';
import { changedCapabilities, mergeCapabilities } from './capabilities.ts';
import { Channel } from './channel.ts';
import { Client } from './client.ts';
import { connectSurroundings, progressId } from './connecting.ts';
import { Delegate } from './delegate.ts';
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
import type { ServeOptions, Timing, TraceDirection } from './options.ts';
import { errorOf, inOneText } from './problem-response.ts';
import { Requests } from './requests.ts';
import { died, initialize, type Ready, reasonOf, type Start } from './starting.ts';
import type { Connection, ParsedLaunch } from './surroundings.ts';
import { TerminalFiles } from './terminal.ts';
import { programOf, reasonIn, translateEvent } from './translate.ts';
import { unlessAborted, within } from './within.ts';

type State =
  | { readonly name: 'waiting-for-initialize' }
  /** The real debug adapter is being started and asked what it can do. */
  | { readonly name: 'initializing' }
  | { readonly name: 'initialized' }
  | { readonly name: 'connecting'; readonly launch: Launch }
  | { readonly name: 'running'; readonly launch: Launch }
  /** The launch failed; only the end is left to ask for. `code`: the exit code. */
  | { readonly name: 'failed'; readonly code: number }
  | { readonly name: 'ending' }
  | { readonly name: 'ended' };

/** The client's `launch` or `attach`. */
interface Launch {
  readonly request: Request;
  readonly verb: 'launch' | 'attach';
  readonly abort: AbortController;
  /** Resolves when connecting is over, whichever way. */
  readonly settled: PromiseWithResolvers<void>;
  /** The client has its answer; what happens later is told by events. */
  answered: boolean;
}

/** These end us as soon as `terminate` is answered (field notes, §1.6). */
const clientsThatKillOnTerminate = new Set<unknown>(['lsp4e.debug', 'dape']);
/** How often to look for processes that the program started, in ms. */
const lookEvery = 2000;

export class Conversation {
  readonly #options: ServeOptions;
  readonly #timing: Timing;
  readonly #channel: Channel;
  readonly #client: Client;
  /** Requests of the delegate that the client has not answered. */
  readonly #toClient: Requests;
  readonly #terminalFiles = new TerminalFiles();
  readonly #over = Promise.withResolvers<number>();
  /** Resolved by the client's `disconnect` or its absence, after we said that the session is over. */
  readonly #farewell = Promise.withResolvers<void>();
  readonly #ends: Promise<void>[] = [];
  #state: State = { name: 'waiting-for-initialize' };
  #initializeArguments: Raw = {};
  #told: Raw = {};
  /** The delegate that is being started or in use. */
  #delegate: Delegate | undefined;
  #ready: Ready | undefined;
  /** Why the last delegate is not there (any more). */
  #whyNot = '';
  /** The client's messages that wait until the delegate can take them. */
  #held: Raw[] = [];
  /** The delegate's events from its `initialized` on, for as long as it has no `launch`. */
  #heldEvents: Event[] | undefined = [];
  /** The client's `launch`, once it came. */
  #launched: Launch | undefined;
  #heldTerminate: Raw | undefined;
  #programEnded = false;
  #look: NodeJS.Timeout | undefined;
  #starting: AbortController | undefined;

  constructor(options: ServeOptions, timing: Timing) {
    this.#options = options;
    this.#timing = timing;
    this.#channel = new Channel(options.input, options.output, (message) => this.#trace('to client', message));
    this.#client = new Client(this.#channel, () => this.#undoSurroundings());
    this.#toClient = new Requests(this.#channel);
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
    await Promise.all(this.#ends);
    await within(1000, this.#channel.flushed(), undefined);
    this.#terminalFiles[Symbol.dispose]();
    this.#options.input.destroy();
    this.#options.log.write('info', 'The debug session is over.', { code });
    return code;
  }

  // ---- from the client

  #fromClient(message: Raw): void {
    this.#trace('from client', message);
    try {
      if (isRequest(message)) this.#requestFromClient(message);
      else if (isResponse(message)) this.#answerFromClient(message);
      else this.#pass(message);
    } catch (error) {
      this.#options.log.write('error', 'A message of the client could not be handled.', { error });
      if (isRequest(message)) this.#client.respond(message, errorOf(Problem.from(error)));
    }
    this.#ready?.delegate.channel.throttle(this.#channel);
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
        if (state.name === 'initialized') this.#background(this.#launch(request, request.command));
        else this.#pass(request);
        return;
      default:
        this.#pass(request);
    }
  }

  /** A message of the client goes to the delegate now, or when the delegate can take it. */
  #pass(message: Raw): void {
    const ready = this.#ready;
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
        this.#held.push(message);
        return;
      case 'initialized':
      case 'running':
    }
    if (this.#held.length > 0 || (ready === undefined && this.#state.name === 'initialized')) {
      this.#held.push(message);
    } else if (ready === undefined) {
      if (request !== undefined) this.#client.refuse(request, 'The debugger has ended.');
    } else if (request === undefined) {
      ready.delegate.channel.send(message);
    } else if (
      request.command === 'configurationDone' &&
      ready.capabilities.supportsConfigurationDoneRequest !== true
    ) {
      this.#client.respond(request, { success: true });
    } else {
      ready.requests.forward(request);
    }
  }

  /** Lets the client's held messages go. */
  #release(): void {
    for (const message of this.#held.splice(0)) {
      if (isRequest(message)) this.#requestFromClient(message);
      else this.#pass(message);
    }
  }

  #answerFromClient(response: Response): void {
    const answer = this.#toClient.answer(response);
    if (answer !== undefined) this.#ready?.delegate.channel.send(answer.message);
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
    // `cancel` is a hint and its success promises nothing (DAP, "Cancel Request").
    if (this.#ready?.capabilities.supportsCancelRequest !== true) return done();
    const requestId = this.#ready.requests.sentAs(id);
    if (id === undefined) return false;
    if (requestId === undefined) return done();
    const given = isRaw(request.arguments) ? request.arguments : {};
    this.#ready.requests.forward(request, { ...request, arguments: { ...given, requestId } });
    return true;
  }

  // ---- initialize

  async #initialize(request: Request): Promise<void> {
    this.#state = { name: 'initializing' };
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
    const start = profile?.startsAt === 'initialize' && {
      profile,
      command: profile.command({ args: {}, ...this.#given() }),
      environment: {},
    };
    const ready = start === false ? undefined : start && (await this.#startDelegate(start));
    if (this.#state.name !== 'initializing') return;
    this.#state = { name: 'initialized' };
    if (ready?.response.success === false) {
      // What it does not like about the client, it says in its own words.
      this.#client.send({ ...ready.response, request_seq: Number(request.seq) });
      this.#state = { name: 'failed', code: 0 };
      return;
    }
    const told = ready?.capabilities ?? { ...profile?.capabilities };
    this.#told = told;
    const frame = ready === undefined ? { type: 'response', command: 'initialize', success: true } : ready.response;
    this.#client.send({ ...frame, request_seq: Number(request.seq), body: mergeCapabilities(told) });
    this.#release();
  }

  /** The delegate by command line, or by a client that can only configure the type: `kubernetes-local/debugpy`. */
  #announcedProfile(): DebuggerProfile | undefined {
    const adapterID = this.#initializeArguments.adapterID;
    const [, encoded] = typeof adapterID === 'string' ? adapterID.split(/^kubernetes-local\//) : [];
    const type = this.#options.delegate ?? encoded;
    return type === undefined ? undefined : findProfile(type, this.#options.profiles);
  }

  #given(): Pick<Given, 'debugAdapter'> {
    const { debugAdapter } = this.#options;
    return debugAdapter === undefined ? {} : { debugAdapter };
  }

  /** Starts a debug adapter; undefined if it does not come up, with the reason in `#whyNot`. */
  async #startDelegate({ profile, command, environment }: Start): Promise<Ready | undefined> {
    const { log } = this.#options;
    const sent = (message: Raw) => this.#trace('to debugger', message);
    const printed = (text: string) => this.#client.print(text);
    const starting = new AbortController();
    this.#starting = starting;
    let delegate: Delegate;
    try {
      const patience = AbortSignal.timeout(this.#timing.initialize);
      delegate = await Delegate.start(
        { command, environment, log, sent, printed },
        AbortSignal.any([starting.signal, patience]),
      );
    } catch (error) {
      this.#whyNot = log.redactor.redact(error instanceof Error ? error.message : String(error));
      log.write('warn', 'The debug adapter did not come up.', { reason: this.#whyNot });
      return undefined;
    }
    const requests = new Requests(delegate.channel);
    this.#delegate = delegate;
    this.#heldEvents = [];
    delegate.channel.listen({
      message: (message) => this.#fromDelegate(delegate, requests, message),
      unreadable: (error) => log.write('warn', 'The debug adapter sent something unreadable.', { error }),
      broken: (error) => log.write('info', 'The debug adapter cannot be written to.', { error }),
      end: () => {},
    });
    log.write('info', 'The debug adapter was started.', { argv: command.argv, origin: command.origin });
    const outcome = await initialize(delegate, requests, profile, this.#initializeArguments, this.#timing.initialize);
    // Given up or replaced in the meantime.
    if (delegate !== this.#delegate) return undefined;
    if (typeof outcome === 'string') {
      this.#whyNot = reasonOf(outcome, delegate, log);
      log.write('warn', 'The debug adapter did not come up.', { reason: this.#whyNot });
      this.#dismiss(delegate, true);
      return undefined;
    }
    this.#ready = outcome;
    void delegate.exited.then((how) => this.#delegateGone(outcome, how));
    return outcome;
  }

  // ---- launch

  async #launch(request: Request, verb: 'launch' | 'attach'): Promise<void> {
    const launch: Launch = {
      request,
      verb,
      abort: new AbortController(),
      settled: Promise.withResolvers(),
      answered: false,
    };
    this.#state = { name: 'connecting', launch };
    this.#launched = launch;
    const { signal } = launch.abort;
    const budget = this.#timing.earlyAnswer[String(this.#initializeArguments.clientID)];
    const early =
      budget === undefined ? undefined : setTimeout(() => this.#answerLaunch(launch, { success: true }), budget);
    try {
      const parsed = this.#options.surroundings.parse(request.arguments, verb);
      const profile = findProfile(parsed.delegateType, this.#options.profiles);
      // Nothing in the cluster is touched before the debugger is known to work.
      const late = profile.environmentAt(given(parsed)) === 'start' || profile.startsAt === 'launch';
      if (!late) await this.#prepareDelegate(profile, parsed, {}, signal);
      const { surroundings } = this.#options;
      const connection = await connectSurroundings({
        surroundings,
        client: this.#client,
        request,
        initializeArguments: this.#initializeArguments,
        lost: (problem) => this.#lost(launch, problem),
        signal,
      });
      if (late) {
        await this.#prepareDelegate(profile, parsed, connection.environment, signal);
      }
      signal.throwIfAborted();
      this.#forwardLaunch(launch, profile, parsed, connection);
    } catch (error) {
      await this.#launchFailed(launch, Problem.from(signal.aborted ? signal.reason : error));
    } finally {
      clearTimeout(early);
      launch.settled.resolve();
    }
  }

  #lost(launch: Launch, problem: Problem): void {
    if (this.#state.name === 'connecting') launch.abort.abort(problem);
    else if (this.#state.name === 'running') this.#background(this.#cutShort(problem));
  }

  /** Sees to it that the delegate runs; a client that was told other capabilities hears of the differences. */
  async #prepareDelegate(
    profile: DebuggerProfile,
    parsed: ParsedLaunch,
    environment: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<void> {
    const current = this.#ready;
    if (current !== undefined) {
      if (current.profile === profile && profile.environmentAt(given(parsed)) === 'launch') return;
      this.#ready = undefined;
      this.#dismiss(current.delegate, true);
    }
    const command = profile.command(given(parsed));
    const ready = await unlessAborted(this.#startDelegate({ profile, command, environment }), signal);
    if (ready === undefined) {
      await profile.check(command, signal);
      throw died(profile, this.#whyNot);
    }
    if (ready.response.success === false) throw died(profile, String(ready.response.message ?? 'It refused to start.'));
    const changed = changedCapabilities(this.#told, ready.capabilities);
    if (Object.keys(changed).length > 0) {
      this.#client.send({ type: 'event', event: 'capabilities', body: { capabilities: changed } });
    }
  }

  #forwardLaunch(launch: Launch, profile: DebuggerProfile, parsed: ParsedLaunch, connection: Connection): void {
    const ready = this.#ready;
    if (ready === undefined) throw died(profile, this.#whyNot);
    ready.requests.forward(launch.request, {
      ...launch.request,
      ...profile.request(given(parsed), connection.environment, parsed.request),
    });
    this.#state = { name: 'running', launch };
    this.#look = setInterval(() => this.#background(this.#lookForProcesses(ready)), lookEvery).unref();
    const events = this.#heldEvents ?? [];
    this.#heldEvents = undefined;
    for (const event of events) this.#eventFromDelegate(ready, event);
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
    this.#delegate = undefined;
    this.#ready = undefined;
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

  // ---- from the delegate

  #fromDelegate(delegate: Delegate, requests: Requests, message: Raw): void {
    // A delegate that was dismissed has nothing to say any more, but for its answer to our farewell.
    if (delegate !== this.#delegate) {
      if (isResponse(message)) requests.answer(message);
      return;
    }
    this.#trace('from debugger', message);
    const ready = this.#ready;
    if (isResponse(message)) {
      const answer = requests.answer(message);
      if (answer !== undefined) this.#answerFromDelegate(answer.request, answer.message);
    } else if (isEvent(message)) {
      this.#eventFromDelegate(ready, message);
    } else if (isRequest(message)) {
      this.#requestFromDelegate(delegate, message);
    } else {
      this.#client.send(message);
    }
    this.#channel.throttle(delegate.channel);
  }

  #requestFromDelegate(delegate: Delegate, request: Request): void {
    try {
      const concealed = request.command === 'runInTerminal' ? this.#terminalFiles.conceal(request) : request;
      this.#toClient.forward(request, concealed);
    } catch (error) {
      this.#options.log.write('error', 'A request of the debug adapter could not be passed on.', { error });
      const answer = { type: 'response', request_seq: Number(request.seq), command: request.command, success: false };
      delegate.channel.send({ ...answer, message: Problem.from(error).message });
    }
  }

  #answerFromDelegate(request: Request, message: Raw): void {
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

  #launchAnswered(launch: Launch, message: Raw): void {
    const early = launch.answered;
    launch.answered = true;
    if (message.success !== false) {
      if (!early) this.#client.send(message);
      this.#release();
      return;
    }
    if (early) this.#client.tell(reasonIn(message), 'important');
    else this.#client.sendAfterUndo(message);
    if (early) this.#client.sayTerminated();
    this.#release();
  }

  #eventFromDelegate(ready: Ready | undefined, event: Event): void {
    if (this.#heldEvents !== undefined && (event.event === 'initialized' || this.#heldEvents.length > 0)) {
      this.#heldEvents.push(event);
      return;
    }
    switch (event.event) {
      case 'initialized':
        this.#client.send(event);
        this.#release();
        return;
      case 'terminated':
        this.#programEnded = true;
        this.#releaseTerminate(true);
        this.#client.sendAfterUndo(event);
        return;
      case 'exited':
        this.#programEnded = true;
        break;
      case 'process':
        if (ready !== undefined) this.#programSeen(ready, event);
        break;
      case 'capabilities': {
        const changes = field(event.body, 'capabilities');
        if (ready !== undefined && isRaw(changes)) ready.capabilities = { ...ready.capabilities, ...changes };
        break;
      }
    }
    this.#client.send(translateEvent(event, ready?.requests));
  }

  #programSeen(ready: Ready, event: Event): void {
    const program = programOf(event);
    if (program === undefined) return;
    // A program that was running before is not ours to end, so it does not join the tree.
    if (this.#launched?.verb === 'attach' || !program.started) {
      this.#options.surroundings.processStarted(program.pid, 'program');
    } else {
      this.#background(ready.delegate.tree.add(program.pid, 'program').then((pids) => this.#tellPrograms(pids)));
    }
  }

  async #lookForProcesses(ready: Ready): Promise<void> {
    if (!ready.delegate.gone) this.#tellPrograms(await ready.delegate.tree.refresh());
  }

  #tellPrograms(pids: readonly number[]): void {
    for (const pid of pids) this.#options.surroundings.processStarted(pid, 'program');
  }

  #delegateGone(ready: Ready, how: string): void {
    if (ready !== this.#ready) return;
    this.#ready = undefined;
    this.#whyNot = reasonOf(how, ready.delegate, this.#options.log);
    const problem = died(ready.profile, this.#whyNot);
    const state = this.#state;
    if (state.name === 'running' && !this.#programEnded) {
      this.#background(this.#cutShort(problem, ready));
    } else {
      // It ended in peace, or before anything began: then it is started again when it is needed.
      this.#abandon(ready, problem);
      if (state.name === 'connecting') state.launch.abort.abort(problem);
      if (state.name === 'running') this.#client.sayTerminated();
    }
  }

  /** Answers what the client asked and nobody will answer any more. */
  #abandon(ready: Ready, problem: Problem): void {
    for (const request of ready.requests.abandon()) {
      const launch = this.#launched;
      if (request === launch?.request) this.#answerLaunch(launch, errorOf(problem));
      else this.#client.respond(request, { success: false, message: problem.code });
    }
  }

  // ---- the end

  #terminate(request: Request): void {
    const state = this.#state;
    const done = () => {
      this.#client.respond(request, { success: true });
      this.#client.sayTerminated();
    };
    if (state.name === 'waiting-for-initialize') {
      this.#client.refuse(request, 'The first request must be initialize.');
    } else if (state.name === 'connecting') {
      state.launch.abort.abort(givenUp());
      void state.launch.settled.promise.then(done);
    } else if (state.name === 'running' && this.#ready !== undefined) {
      // A request to the program, which may refuse: the surroundings stay until it has really ended.
      if (this.#ready.capabilities.supportsTerminateRequest === true) this.#ready.requests.forward(request);
      else this.#background(this.#stopProgram(this.#ready).then(done));
    } else {
      done();
    }
  }

  /** `terminate` for debug adapters that only know `disconnect`. */
  async #stopProgram(ready: Ready): Promise<void> {
    this.#programEnded = true;
    const undo = this.#client.undo();
    await this.#askToDisconnect(ready, this.#ownDisconnect());
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
    const code = await this.#beginEnding(state);
    const ready = this.#ready;
    const response = ready && (await this.#askToDisconnect(ready, request));
    // Nothing of what the delegate says from now on may overtake its answer.
    this.#client.sendAfterUndo({
      ...(response ?? { type: 'response', success: true }),
      command: request.command,
      request_seq: Number(request.seq),
    });
    const leave = field(request.arguments, 'terminateDebuggee') === false && !this.#programEnded;
    this.#dismissCurrent(!(leave && this.#launched?.verb === 'launch'));
    await this.#client.undo();
    this.#finish(code);
  }

  /** Gives up connecting and begins the undo, in parallel to the end of the program. Returns the exit code. */
  async #beginEnding(state: State): Promise<number> {
    if (state.name === 'connecting') {
      state.launch.abort.abort(givenUp());
      await state.launch.settled.promise;
    }
    const code = this.#codeOfFailure();
    this.#state = { name: 'ending' };
    void this.#client.undo();
    return code;
  }

  /** The exit code if the launch failed, else 0. */
  #codeOfFailure(): number {
    return this.#state.name === 'failed' ? this.#state.code : 0;
  }

  /** End of file from the client, or a signal: nobody listens any more. */
  async #clientGone(why: string): Promise<void> {
    this.#options.log.write('info', 'The client is gone.', { why });
    const state = this.#state;
    this.#farewell.resolve();
    if (state.name === 'ending' || state.name === 'ended') return;
    const code = await this.#beginEnding(state);
    if (this.#ready !== undefined) {
      await this.#askToDisconnect(this.#ready, this.#ownDisconnect());
    }
    this.#dismissCurrent(true);
    await this.#client.undo();
    this.#finish(code);
  }

  /** The session ends by no wish of the client: the connection is lost, or the delegate died (`dead`). */
  async #cutShort(problem: Problem, dead?: Ready): Promise<void> {
    this.#options.log.write('error', 'The debug session is cut short.', { problem: problem.toJSON() });
    // All that is said from here on means the end.
    this.#client.holdUntilUndone();
    const ready = dead ?? this.#ready;
    if (dead !== undefined) this.#abandon(dead, problem);
    this.#state = { name: 'ending' };
    this.#client.tell(inOneText(problem), 'important');
    if (ready !== undefined && dead === undefined) {
      await this.#askToDisconnect(ready, this.#ownDisconnect());
      this.#abandon(ready, problem);
    }
    this.#dismissCurrent(true);
    await this.#client.undo();
    this.#client.sayTerminated();
    await within(this.#timing.farewell, this.#farewell.promise, undefined);
    this.#finish(problem.exitCode);
  }

  /** Ends a program that was launched and leaves one that was attached to. */
  #ownDisconnect(): Raw {
    const terminateDebuggee = this.#launched?.verb !== 'attach';
    return { type: 'request', command: 'disconnect', arguments: { terminateDebuggee } };
  }

  /** The delegate's answer to `disconnect`; undefined if none comes in time. */
  #askToDisconnect(ready: Ready, message: Raw): Promise<Response | undefined> {
    const gone = ready.delegate.exited.then(() => undefined);
    return within(this.#timing.disconnect, Promise.race([ready.requests.ask(message), gone]), undefined);
  }

  #dismissCurrent(everything: boolean): void {
    this.#starting?.abort(givenUp());
    if (this.#delegate !== undefined) this.#dismiss(this.#delegate, everything);
  }

  /** Ends a delegate; the session ends only when that is done. */
  #dismiss(delegate: Delegate, everything: boolean): void {
    const ending = delegate.end(this.#timing, everything).catch((error: unknown) => {
      this.#options.log.write('error', 'The debug adapter could not be ended.', { error });
    });
    this.#ends.push(ending);
  }

  /** Undoes the surroundings; never rejects, and never takes longer than its budget. */
  async #undoSurroundings(): Promise<void> {
    if (this.#launched === undefined) return;
    const { surroundings, log } = this.#options;
    try {
      const outcome = await within(this.#timing.undo, surroundings.disconnect(this.#timing.undo), 'finishing');
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

function given(parsed: ParsedLaunch): Given {
  const { delegateArguments: args, debugAdapter } = parsed;
  return { args, ...(debugAdapter !== undefined && { debugAdapter }) };
}

/** What the user gave up himself is no failure. */
function failedBy(problem: Problem): State {
  return { name: 'failed', code: problem.code === 'cancelled' ? 0 : problem.exitCode };
}

function givenUp(): Problem {
  return new Problem({ code: 'cancelled', what: 'Cancelled.', why: '', remedy: '' });
}
