/** Starting real debug adapters as far as their answer to `initialize`, and ending them. */
import type { Socket } from 'node:net';
import type { DebuggerProfile } from '../debuggers/profile.ts';
import type { Log } from '../diagnostics/log.ts';
import { Problem } from '../problem.ts';
import { Debugger, type Start } from './debugger.ts';
import { Delegate, type DelegateOptions } from './delegate.ts';
import type { Raw, Response } from './message.ts';
import type { Timing } from './options.ts';

export interface StarterOptions {
  readonly log: Log;
  readonly timing: Timing;
  /** The client's arguments of `initialize`. */
  initializeArguments(): Raw;
  /** A message of a debug adapter that is not dismissed. */
  hear(from: Debugger, message: Raw): void;
  /** A debug adapter that had answered `initialize` is gone, `how`. */
  gone(from: Debugger, how: string): void;
  sent(message: Raw): void;
  printed(text: string, stream: 'stdout' | 'stderr'): void;
}

/** A debug adapter with its answer to `initialize`, which may be a refusal. */
export interface Started {
  readonly debugger: Debugger;
  readonly response: Response;
}

export class Starter {
  readonly #options: StarterOptions;
  readonly #ends: Promise<void>[] = [];
  readonly #living = new Set<Debugger>();
  readonly #dismissals = new Map<Debugger, Promise<void>>();
  #abort = new AbortController();
  /** Why the last debug adapter is not there (any more), in words for the user. */
  whyNot = '';

  constructor(options: StarterOptions) {
    this.#options = options;
  }

  /**
   * Starts a debug adapter, or talks over a socket to one that runs. Undefined if it does not come up within `patience`
   * ms for each step, with the reason in `whyNot`; or if it was given up.
   */
  async start(start: Start, patience: number, over?: Socket): Promise<Started | undefined> {
    const { log } = this.#options;
    const { signal } = this.#abort;
    const { command, environment, place } = start;
    let one: Debugger | undefined;
    const options: DelegateOptions = {
      command,
      environment,
      place,
      log,
      sent: this.#options.sent,
      printed: (text, stream) => {
        // What a debug adapter complains of while we end it is no output of the program.
        if (one?.dismissed !== true) this.#options.printed(text, stream);
      },
    };
    let delegate: Delegate;
    try {
      const tooLong = AbortSignal.timeout(patience);
      delegate =
        over === undefined
          ? await Delegate.start(options, AbortSignal.any([signal, tooLong]))
          : Delegate.over(over, options);
    } catch (error) {
      if (!signal.aborted) this.#failed(error instanceof Error ? error.message : String(error));
      return undefined;
    }
    one = new Debugger(start, delegate, this.#options.timing.afterRubbish);
    this.#living.add(one);
    this.#listen(one);
    log.write('info', 'The debug adapter was started.', { argv: command.argv, origin: command.origin });
    const outcome = await one.initialize(this.#options.initializeArguments(), patience);
    if (typeof outcome !== 'string' && !one.dismissed && !signal.aborted) {
      void delegate.exited.then((how) => {
        if (!one.dismissed) this.#options.gone(one, how);
      });
      return { debugger: one, response: outcome };
    }
    if (typeof outcome === 'string' && !signal.aborted) this.#failed(one.reason(outcome));
    this.dismiss(one, true);
    return undefined;
  }

  /** Gives up every start under way. */
  giveUp(): void {
    this.#abort.abort(new Error('It was given up.'));
    this.#abort = new AbortController();
  }

  /** Keeps, for the user, how a debug adapter ended. */
  remember(one: Debugger, how: string): void {
    this.#failed(one.reason(how));
  }

  /**
   * Ends a debug adapter and, if `everything`, all that it started. Resolves when that is done; `ended` waits for it too.
   */
  dismiss(one: Debugger, everything: boolean): Promise<void> {
    const known = this.#dismissals.get(one);
    if (known !== undefined) return known;
    one.dismissed = true;
    this.#living.delete(one);
    if (one.inner !== undefined) void this.dismiss(one.inner, everything);
    const ending = one.delegate.end(this.#options.timing, everything).catch((error: unknown) => {
      this.#options.log.write('error', 'The debug adapter could not be ended.', { error });
    });
    this.#dismissals.set(one, ending);
    this.#ends.push(ending);
    return ending;
  }

  /** Resolves when all have ended; those that nobody has dismissed are. */
  async ended(): Promise<void> {
    this.giveUp();
    for (const one of this.#living) void this.dismiss(one, true);
    await Promise.all(this.#ends);
  }

  #listen(one: Debugger): void {
    const { log } = this.#options;
    one.delegate.channel.listen({
      message: (message) => this.#options.hear(one, message),
      unreadable: (error) => {
        log.write('warn', 'The debug adapter sent something unreadable.', { error });
        one.spoil(error.message);
      },
      broken: (error) => log.write('info', 'The debug adapter cannot be written to.', { error }),
      end: () => {},
    });
  }

  #failed(reason: string): void {
    const { log } = this.#options;
    this.whyNot = log.redactor.redact(reason);
    log.write('warn', 'The debug adapter is not there.', { reason: this.whyNot });
  }
}

/** The problem of a debug adapter that is not there (any more). */
export function died(profile: DebuggerProfile, reason: string): Problem {
  return new Problem({
    code: 'delegate-died',
    what: `The debugger ${profile.title} ended unexpectedly.`,
    why: reason,
    remedy: 'Start the debug session again; if this repeats, try the same program with that debugger alone.',
  });
}
