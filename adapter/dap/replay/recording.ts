/** A recorded session, and what follows from it for those who play along: surroundings and debugger. */
import { catalogue, Problem, type ProblemCode } from '../../problem.ts';
import { ticketOf } from '../children.ts';
import { progressId } from '../connecting.ts';
import { field, isRaw, type Raw } from '../message.ts';
import { maskedValue, variableNames } from '../trace/content.ts';
import type { TraceEntry, TraceHead } from '../trace/format.ts';

export interface RecordedSession {
  readonly head: TraceHead;
  /** At least one. */
  readonly entries: readonly TraceEntry[];
}

/** How connecting went. */
interface Connecting {
  /** It is over when all that was received before this entry has been; undefined if it never was, or was given up. */
  readonly until: number | undefined;
  /** Why it failed, if it did. */
  readonly refusal: Problem | undefined;
}

/** Exit codes of what goes wrong in the cluster or on the way there, see problem.ts. */
const ofSurroundings = new Set([3, 4, 5]);

export class Recording {
  readonly entries: readonly TraceEntry[];
  readonly options: Raw;
  readonly #launch: { readonly index: number; readonly message: Raw } | undefined;

  /** Throws Problem trace-unusable if the session cannot be played by itself. */
  constructor({ head, entries }: RecordedSession) {
    this.entries = entries;
    this.options = head.options;
    this.#launch = this.#find(
      'from client',
      ({ type, command }) => type === 'request' && (command === 'launch' || command === 'attach'),
    );
    const why = this.#whyNot();
    if (why === undefined) return;
    throw new Problem({
      code: 'trace-unusable',
      what: 'This session cannot be played again.',
      why,
      remedy: 'Read it without --replay, or name another session with --session.',
    });
  }

  #whyNot(): string | undefined {
    if (!this.entries.some(({ direction }) => direction === 'from client')) return 'The client says nothing in it.';
    if (ticketOf(field(this.#launch?.message, 'arguments')) !== undefined) {
      return 'It is the child session of another one, which has its debugger and its configuration.';
    }
    const child = this.#find(
      'from debugger',
      ({ command, type }) => type === 'request' && command === 'startDebugging',
    );
    const hidden = field(field(this.#initialize, 'arguments'), 'supportsStartDebuggingRequest') !== true;
    if (child !== undefined && hidden && this.#starts.some((index) => index > child.index)) {
      return 'Two debuggers speak at once in it, as the client knows no child sessions, and a trace does not tell which of them says what.';
    }
    return undefined;
  }

  /** The program on the command line that starts the debugger, if one was given. */
  get command(): readonly string[] | undefined {
    const { command } = this.options;
    return Array.isArray(command) ? command.map(String) : undefined;
  }

  get delegate(): string | undefined {
    const { delegate } = this.options;
    return typeof delegate === 'string' ? delegate : undefined;
  }

  /** Whether the debugger was there: not if it is missing. */
  get reachesDebugger(): boolean {
    return this.entries.some(({ direction }) => direction === 'to debugger');
  }

  /** How many debuggers ended before their first word, until one spoke. */
  get silentStarts(): number {
    const first = this.entries.findIndex(({ direction }) => direction === 'from debugger');
    if (first === -1) return Number.POSITIVE_INFINITY;
    return this.#starts.filter((index) => index < first).length - 1;
  }

  /** Whether the debugger that was started to learn what it can do is replaced by the one that the launch asks for. */
  get replacesAtLaunch(): boolean {
    const launch = this.#launch?.index ?? this.entries.length;
    const end = this.#forwarded?.index ?? this.entries.length;
    return this.#starts.some((index) => index > launch && index < end);
  }

  get disconnectIsAnswered(): boolean {
    const answered = ({ type, command }: Raw) => type === 'response' && command === 'disconnect';
    return this.#find('from debugger', answered) !== undefined;
  }

  /** The variables that the program got. Their values are nobody's business. */
  get environment(): Readonly<Record<string, string>> {
    const args = field(this.#forwarded?.message, 'arguments');
    const own = field(field(field(this.#launch?.message, 'arguments'), 'debugAdapter'), 'environmentKey');
    const names = isRaw(args) ? variableNames(args, own) : [];
    return Object.fromEntries(names.map((name) => [name, maskedValue]));
  }

  /** Why the debugger was found unfit, if it was. */
  get missing(): Problem | undefined {
    return this.#refusal?.code === 'delegate-missing' ? this.#refusal : undefined;
  }

  get connecting(): Connecting {
    const launch = this.#launch;
    const refusal = this.#refusal;
    if (launch === undefined || refusal?.code === 'cancelled') return { until: undefined, refusal: undefined };
    const later = (direction: TraceEntry['direction'], matches: (message: Raw) => boolean) =>
      this.#find(direction, matches, launch.index)?.index;
    const late = this.#refusedLate;
    const signs = [
      late,
      this.#forwarded?.index,
      later('to debugger', ({ command }) => command === 'initialize'),
      later('to client', ({ event, body }) => event === 'progressEnd' && field(body, 'progressId') === progressId),
      later('to client', (message) => isAnswer(message, launch.message) && message.success === false),
    ];
    const until = Math.min(...signs.filter((index) => index !== undefined));
    return {
      until: Number.isFinite(until) ? until : undefined,
      refusal: refusal !== undefined && ofSurroundings.has(refusal.exitCode) ? refusal : lateRefusal(late),
    };
  }

  /** The entry from which on the surroundings are undone, at or after this one. */
  undoneBy(index: number): number | undefined {
    const found = this.#find(
      'to client',
      ({ type, event, command, success }) =>
        event === 'terminated' ||
        (type === 'response' &&
          (command === 'disconnect' || command === 'terminate' || (command === this.#verb && success === false))),
      index - 1,
    );
    return found?.index;
  }

  get #initialize(): Raw | undefined {
    return this.#find('from client', ({ command }) => command === 'initialize')?.message;
  }

  /** Where the debuggers are started, one after another. */
  get #starts(): readonly number[] {
    return this.entries.flatMap((entry, index) => (isAsked(entry, 'to debugger', 'initialize') ? [index] : []));
  }

  get #verb(): unknown {
    return this.#launch?.message.command;
  }

  /** The launch as the debugger got it. */
  get #forwarded() {
    const isLaunch = ({ type, command }: Raw) => type === 'request' && (command === 'launch' || command === 'attach');
    return this.#find('to debugger', isLaunch);
  }

  /** The problem that the launch was answered with, if it was one of ours. */
  get #refusal(): Problem | undefined {
    const launch = this.#launch;
    const answer = launch && this.#find('to client', (message) => isAnswer(message, launch.message));
    const code = answer?.message.message;
    if (answer?.message.success !== false || this.#forwarded !== undefined || !isCode(code)) return undefined;
    const what = field(field(answer.message.body, 'error'), 'format');
    return new Problem({ code, what: String(what ?? ''), why: '', remedy: '' });
  }

  /** For a client that was told of success before it came (Timing, `earlyAnswer`): where it was told that there is none. */
  get #refusedLate(): number | undefined {
    const launch = this.#launch;
    if (launch === undefined || this.#forwarded !== undefined) return undefined;
    const early = this.#find('to client', (message) => isAnswer(message, launch.message) && message.success === true);
    const told = ({ event, body }: Raw) => event === 'output' && field(body, 'category') === 'important';
    return early && this.#find('to client', told, early.index)?.index;
  }

  /** The first message of this direction behind `after`. */
  #find(direction: TraceEntry['direction'], matches: (message: Raw) => boolean, after = -1) {
    for (const [index, entry] of this.entries.entries()) {
      if (index <= after || entry.direction !== direction || !('message' in entry)) continue;
      if (matches(entry.message)) return { index, message: entry.message };
    }
    return undefined;
  }
}

function isAsked(entry: TraceEntry, direction: TraceEntry['direction'], command: string): boolean {
  if (entry.direction !== direction || !('message' in entry)) return false;
  return entry.message.type === 'request' && entry.message.command === command;
}

function isAnswer(message: Raw, to: Raw): boolean {
  return message.type === 'response' && Number(message.request_seq) === Number(to.seq);
}

function isCode(text: unknown): text is ProblemCode {
  return typeof text === 'string' && Object.hasOwn(catalogue, text);
}

/** Its words are in an output event, and those of the cluster are not compared. */
function lateRefusal(index: number | undefined): Problem | undefined {
  if (index === undefined) return undefined;
  return new Problem({ code: 'cluster-unreachable', what: 'Connecting failed.', why: '', remedy: '' });
}
