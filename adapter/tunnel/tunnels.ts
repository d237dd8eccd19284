/** The tunnels to all replicas of the workload, and who waits for one while there is none. */
import type { Duplex } from 'node:stream';
import { DialError, failedStream } from './dial-error.ts';
import type { Tunnel } from './tunnel.ts';
import { WaitingStream } from './waiting-stream.ts';

/** How long a new connection waits for a tunnel that is being opened again, in milliseconds. */
export const dialPatienceMilliseconds = 10_000;
/** How often one who waits looks whether a silent tunnel answers again. */
const lookMilliseconds = 200;

export class Tunnels {
  readonly #tunnels: Tunnel[] = [];
  readonly #waiting = new Set<() => void>();
  readonly #patience: number;
  #next = 0;
  #stand = false;

  /** `patience`: milliseconds that a connection waits for a tunnel; for tests. */
  constructor(patience = dialPatienceMilliseconds) {
    this.#patience = patience;
  }

  get size(): number {
    return this.#tunnels.length;
  }

  /** The tunnels in use. */
  get all(): readonly Tunnel[] {
    return this.#tunnels;
  }

  /** Uses a tunnel until it is removed or closes. From the first one on, connections wait while there is none. */
  add(tunnel: Tunnel): void {
    if (this.#tunnels.includes(tunnel)) return;
    this.#stand = true;
    this.#tunnels.push(tunnel);
    void tunnel.closed.then(() => this.remove(tunnel));
    this.#wake();
  }

  /** Stops using a tunnel; does not close it. */
  remove(tunnel: Tunnel): void {
    const index = this.#tunnels.indexOf(tunnel);
    if (index >= 0) this.#tunnels.splice(index, 1);
  }

  /** No tunnel will come any more: connections that wait are refused, and so are new ones. */
  end(): void {
    this.#stand = false;
    this.#wake();
  }

  /**
   * Opens a connection from one of the pods, each in its turn. While the session stands without a tunnel that answers it waits
   * for one, then fails with ETIMEDOUT. Before the first tunnel and after `end` it is refused, as by a Service without pods.
   */
  dial(host: string, port: number): Duplex {
    const stream = this.#dialNow(host, port);
    if (stream !== undefined) return stream;
    if (!this.#stand) return failedStream(new DialError('ECONNREFUSED', host, port));
    return this.#dialLater(host, port);
  }

  /**
   * Datagrams from one of the pods, each stream in its turn, see `Tunnel.dialDatagrams`. It never waits: without a tunnel that
   * answers the stream fails with ENETUNREACH, and what is written to it is dropped, as UDP drops it on a broken road.
   */
  dialDatagrams(host: string, port: number): Duplex {
    const stream = this.#inTurn((tunnel) => tunnel.dialDatagrams(host, port));
    return stream ?? failedStream(new DialError('ENETUNREACH', host, port));
  }

  /** Resolves when there is a tunnel; rejects with the signal's reason. */
  whenConnected(signal: AbortSignal): Promise<void> {
    if (this.#tunnels.length > 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      const wake = (): void => {
        if (this.#tunnels.length === 0) return;
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', abort);
        resolve();
      };
      const abort = (): void => {
        this.#waiting.delete(wake);
        reject(signal.reason);
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', abort, { once: true });
    });
  }

  #dialNow(host: string, port: number): Duplex | undefined {
    return this.#inTurn((tunnel) => tunnel.dial(host, port));
  }

  #inTurn(dial: (tunnel: Tunnel) => Duplex): Duplex | undefined {
    for (let attempt = 0; attempt < this.#tunnels.length; attempt += 1) {
      const tunnel = this.#tunnels[this.#next++ % this.#tunnels.length];
      if (tunnel === undefined || !tunnel.answering) continue;
      const stream = dial(tunnel);
      if (!stream.destroyed) return stream;
      // The tunnel is closing; its error is no news.
      stream.on('error', () => {});
    }
    return undefined;
  }

  #dialLater(host: string, port: number): Duplex {
    const waiting = new WaitingStream();
    const over = (): void => {
      clearTimeout(timer);
      clearInterval(look);
      this.#waiting.delete(wake);
    };
    const wake = (): void => {
      const stream = this.#dialNow(host, port);
      if (stream === undefined && this.#stand) return;
      over();
      if (stream !== undefined) waiting.open(stream);
      else waiting.destroy(new DialError('ECONNREFUSED', host, port));
    };
    const timer = setTimeout(() => waiting.destroy(new DialError('ETIMEDOUT', host, port)), this.#patience);
    const look = setInterval(wake, lookMilliseconds);
    this.#waiting.add(wake);
    waiting.once('close', over);
    return waiting;
  }

  /** Whoever still waits afterwards stays. */
  #wake(): void {
    for (const wake of [...this.#waiting]) wake();
  }
}
