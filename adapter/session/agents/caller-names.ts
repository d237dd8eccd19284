/** The names of the pods that call, looked up when somebody wants to see them, and kept for a while. */
import type { Log } from '../../diagnostics/log.ts';
import { elapsed } from '../../elapsed.ts';

/** A pod's address is not another's for at least so long, in milliseconds. */
const keptMilliseconds = 30_000;
/** Who looks at the status wants it at once, with names or without. */
const patienceMilliseconds = 1_000;

export interface CallerNamesOptions {
  /** The pod with this address, if there is one in the session's namespace. */
  podAt(address: string, signal: AbortSignal): Promise<string | undefined>;
  readonly log: Log;
}

export class CallerNames {
  readonly #options: CallerNamesOptions;
  readonly #known = new Map<string, { readonly name: string | undefined; readonly until: number }>();

  constructor(options: CallerNamesOptions) {
    this.#options = options;
  }

  /** Looks up those of the addresses that are not known. Never rejects, and takes a second at most: then they have no name. */
  async look(addresses: Iterable<string>, ended: AbortSignal): Promise<void> {
    const now = elapsed();
    for (const [address, { until }] of this.#known) if (until < now) this.#known.delete(address);
    const unknown = [...new Set(addresses)].filter((address) => address !== '' && !this.#known.has(address));
    const signal = AbortSignal.any([ended, AbortSignal.timeout(patienceMilliseconds)]);
    await Promise.all(unknown.map((address) => this.#lookAt(address, signal)));
  }

  /** Undefined if it is no pod of the namespace, or nobody has looked. */
  of(address: string): string | undefined {
    return this.#known.get(address)?.name;
  }

  async #lookAt(address: string, signal: AbortSignal): Promise<void> {
    try {
      const name = await this.#options.podAt(address, signal);
      this.#known.set(address, { name, until: elapsed() + keptMilliseconds });
    } catch (error) {
      this.#options.log.write('debug', 'the pod of a caller could not be looked up', { address, error });
    }
  }
}
