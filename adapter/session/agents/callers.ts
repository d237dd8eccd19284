/** Who calls from the cluster now: the connections that are open between its pods and the local program. */
import type { Endpoint } from './proxy-header.ts';

/** One open connection from the cluster. */
export interface Caller {
  /** Its end in the cluster; the address is empty if the agent did not learn it. */
  readonly source: Endpoint;
  /** The pod of the workload that was called. */
  readonly pod: string;
  readonly containerPort: number;
  /** Whom the program takes for the caller: the end on this computer of the connection to the program. */
  readonly seenAs: Endpoint;
  readonly since: Date;
}

export class Callers {
  /** In the order in which they came. */
  readonly #open = new Set<Caller>();

  /** It is open until what is returned is disposed of. */
  add(caller: Caller): Disposable {
    this.#open.add(caller);
    return { [Symbol.dispose]: () => void this.#open.delete(caller) };
  }

  get count(): number {
    return this.#open.size;
  }

  /** At most so many, those that came last, the newest first. */
  newest(most: number): readonly Caller[] {
    return [...this.#open].slice(-most).reverse();
  }
}
