/**
 * Tells the user when a pod lost the connections that it carried while others go on. Of what breaks all of them, which is the
 * network's doing, Outage tells.
 */
import type { Notice } from '../protocol.ts';

/** Tunnels that are lost together are lost within this time. */
const togetherMilliseconds = 1_000;

/** What it needs to know of a tunnel. */
export interface Carrier {
  readonly pod: string;
  readonly answering: boolean;
}

export interface LostConnectionsOptions {
  /** The tunnels in use. */
  readonly tunnels: { readonly all: readonly Carrier[] };
  notice(notice: Notice): void;
  /** Milliseconds; for tests. */
  readonly together?: number;
}

export class LostConnections implements Disposable {
  readonly #options: LostConnectionsOptions;
  readonly #pods = new Set<string>();
  /** Those that worked when the first one was lost. */
  #others: readonly Carrier[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LostConnectionsOptions) {
    this.#options = options;
  }

  /** A tunnel is gone, and carried connections. */
  lost(tunnel: Carrier): void {
    const { tunnels, together = togetherMilliseconds } = this.#options;
    if (this.#timer === undefined) {
      this.#others = tunnels.all.filter((other) => other !== tunnel && other.answering);
      this.#timer = setTimeout(() => this.#tell(), together).unref();
    }
    this.#pods.add(tunnel.pod);
  }

  /** Nobody wants to know any more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #tell(): void {
    const pods = [...this.#pods];
    this.#pods.clear();
    this.#timer = undefined;
    const { all } = this.#options.tunnels;
    if (!this.#others.some((other) => all.includes(other) && other.answering)) return;
    const which = pods.length === 1 ? `pod ${pods[0]}` : `pods ${pods.join(', ')}`;
    const text = `Connections through ${which} were reset, because the agent there is gone. Those through the other pods go on.`;
    this.#options.notice({ level: 'warning', text });
  }
}
