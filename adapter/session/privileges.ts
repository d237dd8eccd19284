/** The privileged helper of one session: started when it is needed, with the user's consent, and again if it is gone. */
import type { Log } from '../diagnostics/log.ts';
import type { AskConsent } from '../network/helper/elevation.ts';
import { type PrivilegedHelper, startHelper } from '../network/helper/helper-client.ts';

export interface PrivilegesOptions {
  readonly log: Log;
  /** The command that starts this program; the helper is one of its processes. */
  readonly program: readonly string[];
  readonly consent: AskConsent;
}

export class Privileges {
  readonly #options: PrivilegesOptions;
  #starting: Promise<PrivilegedHelper> | undefined;
  #helper: PrivilegedHelper | undefined;

  constructor(options: PrivilegesOptions) {
    this.#options = options;
  }

  /** The helper that runs now. */
  get running(): PrivilegedHelper | undefined {
    return this.#helper;
  }

  /** The helper, started anew if there is none. Problems as `startHelper` throws them. */
  async helper(signal: AbortSignal): Promise<PrivilegedHelper> {
    if (this.#helper !== undefined) return this.#helper;
    this.#starting ??= this.#start(signal).finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  async #start(signal: AbortSignal): Promise<PrivilegedHelper> {
    const { log, program, consent } = this.#options;
    const helper = await startHelper({ log, command: program, consent, signal });
    this.#helper = helper;
    void helper.closed.then(() => {
      if (this.#helper === helper) this.#helper = undefined;
    });
    return helper;
  }
}
