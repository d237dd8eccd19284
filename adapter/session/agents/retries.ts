/** When a broken connection is tried again: soon at first, then ever more rarely, and at once when there is new hope. */
import { setTimeout as delay } from 'node:timers/promises';

/** The first attempts are quick: a container is "running" a moment before its agent listens. */
const firstPauseMilliseconds = 50;
/** So long new connections wait for a tunnel; no pause may use up their time. */
const quickMilliseconds = 10_000;
const longestQuickPauseMilliseconds = 500;
const longestPauseMilliseconds = 10_000;

/** The attempts of one connection. */
export interface Attempts {
  /** Aborted when a new attempt is better than the one that runs. */
  readonly signal: AbortSignal;
  /** Waits before the next attempt; also ends when there is new hope, or the signal is aborted. Never rejects. */
  pause(signal: AbortSignal): Promise<void>;
  /** It stands: the next pause is the first again. */
  succeeded(): void;
}

export class Retries {
  readonly #sleep: (milliseconds: number, signal: AbortSignal) => Promise<unknown>;
  #hope = new AbortController();
  #change = new AbortController();

  /** `sleep`: for tests. */
  constructor(
    sleep = (milliseconds: number, signal: AbortSignal): Promise<unknown> => delay(milliseconds, undefined, { signal }),
  ) {
    this.#sleep = sleep;
  }

  /** There is new hope: who waits tries at once. */
  hurry(): void {
    const hope = this.#hope;
    this.#hope = new AbortController();
    hope.abort();
  }

  /** The network is another one, or the computer slept: who waits tries at once, and who tries begins anew. */
  beginAnew(): void {
    const change = this.#change;
    this.#change = new AbortController();
    change.abort(new Error('the network changed meanwhile'));
    this.hurry();
  }

  /** Begins to count. `random`: from 0 to 1, for tests. */
  begin(random: () => number = Math.random): Attempts {
    let next = firstPauseMilliseconds;
    let waited = 0;
    const current = () => this.#change.signal;
    const reset = (): void => {
      next = firstPauseMilliseconds;
      waited = 0;
    };
    return {
      get signal() {
        return current();
      },
      pause: async (signal) => {
        const hope = this.#hope.signal;
        const pause = pauseFrom(next, random());
        waited += pause;
        next = Math.min(
          next * 2,
          waited < quickMilliseconds ? longestQuickPauseMilliseconds : longestPauseMilliseconds,
        );
        await this.#sleep(pause, AbortSignal.any([signal, hope])).catch(() => {});
        if (hope.aborted) reset();
      },
      succeeded: reset,
    };
  }
}

/** A quarter more or less, so that many who lost the same server do not come back at the same moment. */
function pauseFrom(milliseconds: number, random: number): number {
  return Math.min(milliseconds * (0.75 + random / 2), longestPauseMilliseconds);
}
