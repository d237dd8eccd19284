/** One real debug adapter in the conversation, from its start to its dismissal. */
import type { DebuggerProfile, DelegateCommand } from '../debuggers/profile.ts';
import { within } from '../within.ts';
import type { BreakpointIds } from './breakpoint-ids.ts';
import type { Delegate } from './delegate.ts';
import { type Event, field, isRaw, numberOf, type Raw, type Response } from './message.ts';
import type { Place } from './place.ts';
import { Requests } from './requests.ts';

/** How a debugger is to be started. */
export interface Start {
  readonly profile: DebuggerProfile;
  readonly command: DelegateCommand;
  /** For debuggers that take it only here. */
  readonly environment: Readonly<Record<string, string>>;
  /** Where it and the program run; undefined for anywhere on this computer. */
  readonly place?: Place | undefined;
}

export class Debugger {
  readonly start: Start;
  readonly delegate: Delegate;
  /** The client's requests and ours that it has not answered. */
  readonly requests: Requests;
  /** What it can do, as far as it has said by now. */
  capabilities: Raw = {};
  /** Its events from `initialized` on, held back until it has its `launch`; undefined from then on. */
  held: Event[] | undefined = [];
  /** It has nothing to say any more, but for its answer to our farewell. */
  dismissed = false;
  /** Another one takes its place: what it still prints is passed on, and nothing else. */
  retired = false;
  /** It serves the child session of another one, inside this conversation (see inner.ts). */
  inner: Debugger | undefined;
  /** Set if it took the place of another one: the client knows its breakpoints by other numbers. */
  breakpointIds: BreakpointIds | undefined;
  /**
   * Called at its first `initialized` (js-debug says it twice), which the client then does not see: we configure it
   * ourselves, with what the client had configured in the one before it.
   */
  onInitialized: (() => void) | undefined;
  /** What it wrote that is no DAP, the beginning. */
  rubbish = '';
  readonly #threads = new Set<number>();
  readonly #afterRubbish: number;
  #spoiling: NodeJS.Timeout | undefined;
  readonly #spoiled = Promise.withResolvers<string>();

  /** `afterRubbish`: how long one that wrote something else may still come to DAP, in ms; some print a banner first. */
  constructor(start: Start, delegate: Delegate, afterRubbish: number) {
    this.#afterRubbish = afterRubbish;
    this.start = start;
    this.delegate = delegate;
    this.requests = new Requests(delegate.channel);
  }

  get profile(): DebuggerProfile {
    return this.start.profile;
  }

  /**
   * Sends `initialize` with the client's arguments. Resolves with its answer, which may be a refusal; or with the reason
   * if it ends instead, writes something that is no DAP, or does not answer within `patience` ms.
   */
  async initialize(clientArguments: Raw, patience: number): Promise<Response | string> {
    const answer = this.requests.ask({
      type: 'request',
      command: 'initialize',
      arguments: { ...clientArguments, adapterID: this.profile.adapterID },
    });
    const outcomes = [answer, this.delegate.exited, this.#spoiled.promise];
    const outcome = await within(patience, Promise.race(outcomes), 'It did not answer.');
    if (typeof outcome !== 'string' && isRaw(outcome.body)) this.capabilities = outcome.body;
    return outcome;
  }

  /** Whether its `initialized` is ours to answer. */
  initialized(): boolean {
    if (this.onInitialized === undefined) return false;
    const act = this.onInitialized;
    this.onInitialized = () => {};
    act();
    return true;
  }

  /** It wrote something that cannot be read as DAP. */
  spoil(text: string): void {
    this.rubbish = (this.rubbish + text).slice(0, 1000);
    const give = () => this.#spoiled.resolve('It wrote something else than DAP messages.');
    this.#spoiling ??= setTimeout(give, this.#afterRubbish).unref();
  }

  /** Keeps what an event says about capabilities and threads. */
  note(event: Event): void {
    const thread = field(event.body, 'threadId');
    if (event.event === 'capabilities') {
      const changes = field(event.body, 'capabilities');
      if (isRaw(changes)) this.capabilities = { ...this.capabilities, ...changes };
    } else if (event.event === 'thread' && field(event.body, 'reason') === 'exited') {
      this.#threads.delete(numberOf(thread));
    } else if ((event.event === 'thread' || event.event === 'stopped') && Number.isSafeInteger(thread)) {
      this.#threads.add(Number(thread));
    }
  }

  /** The threads that the client knows of. */
  get threads(): readonly number[] {
    return [...this.#threads];
  }

  /** What it complained about, for messages: `how` it ended first. */
  reason(how: string): string {
    return [how, this.rubbish.trim(), this.delegate.complaint].filter(Boolean).join('\n');
  }
}
