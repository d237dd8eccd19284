/** The tunnels to all replicas of the workload. */
import type { Duplex } from 'node:stream';
import { DialError, failedStream } from './dial-error.ts';
import type { Tunnel } from './tunnel.ts';

export class Tunnels {
  readonly #tunnels: Tunnel[] = [];
  readonly #waiting = new Set<() => void>();
  #next = 0;

  get size(): number {
    return this.#tunnels.length;
  }

  /** The tunnels in use. */
  get all(): readonly Tunnel[] {
    return this.#tunnels;
  }

  /** Uses a tunnel until it is removed or closes. */
  add(tunnel: Tunnel): void {
    if (this.#tunnels.includes(tunnel)) return;
    this.#tunnels.push(tunnel);
    void tunnel.closed.then(() => this.remove(tunnel));
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Stops using a tunnel; does not close it. */
  remove(tunnel: Tunnel): void {
    const index = this.#tunnels.indexOf(tunnel);
    if (index >= 0) this.#tunnels.splice(index, 1);
  }

  /** Opens a connection from one of the pods, each in its turn. Without a tunnel it is refused, as by a Service without pods. */
  dial(host: string, port: number): Duplex {
    for (let attempt = 0; attempt < this.#tunnels.length; attempt += 1) {
      const tunnel = this.#tunnels[this.#next++ % this.#tunnels.length];
      const stream = tunnel?.dial(host, port);
      if (stream !== undefined && !stream.destroyed) return stream;
      // The tunnel is closing; its error is no news.
      stream?.on('error', () => {});
    }
    return failedStream(new DialError('ECONNREFUSED', host, port));
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
}
