/** The privileged helper of one session: started when it is needed, with the user's consent, and again if it is gone. */
import type { Log } from '../../diagnostics/log.ts';
import type { AskConsent } from '../../network/helper/elevation.ts';
import { type PrivilegedHelper, startHelper } from '../../network/helper/helper-client.ts';
import { within } from '../../within.ts';

/** A start that does not notice that it was given up must not keep anybody. */
const abandonMilliseconds = 2_000;

export interface PrivilegesOptions {
  readonly log: Log;
  /** The command that starts this program; the helper is one of its processes. */
  readonly program: readonly string[];
  readonly consent: AskConsent;
  /** For tests: in place of `startHelper`. */
  readonly start?: typeof startHelper;
}

interface Starting {
  readonly helper: Promise<PrivilegedHelper>;
  readonly abort: AbortController;
  waiting: number;
}

export class Privileges {
  readonly #options: PrivilegesOptions;
  #starting: Starting | undefined;
  #helper: PrivilegedHelper | undefined;

  constructor(options: PrivilegesOptions) {
    this.#options = options;
  }

  /** The helper that runs now. */
  get running(): PrivilegedHelper | undefined {
    return this.#helper;
  }

  /**
   * The helper, started anew if there is none. Whoever gives up waiting takes nothing from the others who wait: the undo of
   * a session may need the helper whose start the session itself has just given up. Problems as `startHelper` throws them.
   */
  async helper(signal: AbortSignal): Promise<PrivilegedHelper> {
    signal.throwIfAborted();
    if (this.#helper !== undefined) return this.#helper;
    this.#starting ??= this.#start();
    const starting = this.#starting;
    starting.waiting++;
    const gaveUp = Promise.withResolvers<never>();
    const giveUp = () => gaveUp.reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
    try {
      return await Promise.race([starting.helper, gaveUp.promise]);
    } finally {
      signal.removeEventListener('abort', giveUp);
      starting.waiting--;
      if (starting.waiting === 0 && signal.aborted) await this.#abandon(starting, signal.reason);
    }
  }

  /** Waits for what the start has made to be removed again: the daemon may end right after it has given up. */
  async #abandon(starting: Starting, reason: unknown): Promise<void> {
    if (this.#starting === starting) this.#starting = undefined;
    starting.abort.abort(reason);
    const over = starting.helper.then(
      () => {},
      () => {},
    );
    await within(abandonMilliseconds, over, undefined);
  }

  #start(): Starting {
    const { log, program, consent, start = startHelper } = this.#options;
    const abort = new AbortController();
    const helper = start({ log, command: program, consent, signal: abort.signal }).then((started) => {
      this.#helper = started;
      void started.closed.then(() => {
        if (this.#helper === started) this.#helper = undefined;
      });
      return started;
    });
    const starting = { helper, abort, waiting: 0 };
    const over = () => {
      if (this.#starting === starting) this.#starting = undefined;
    };
    helper.then(over, over);
    return starting;
  }
}
