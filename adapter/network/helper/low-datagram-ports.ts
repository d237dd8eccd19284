/**
 * UDP ports that the helper's client may not open itself. The helper only binds them; the relay, a process of the client's
 * user, has the sockets and reads them.
 */
import type { ChildProcess } from 'node:child_process';
import { bindDatagrams } from '../../tunnel/datagram-listener.ts';
import { sendToRelay } from './relay-protocol.ts';

export interface Place {
  readonly address: string;
  readonly port: number;
}

export interface LowDatagramPortsOptions {
  /** The relay; a new one if there is none. */
  relay(signal: AbortSignal): Promise<ChildProcess>;
  /** For the helper's log. */
  say(text: string): void;
}

const never = new AbortController().signal;

export class LowDatagramPorts {
  readonly #options: LowDatagramPortsOptions;
  readonly #places = new Map<string, Place>();

  constructor(options: LowDatagramPortsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#places.size;
  }

  has(listener: string): boolean {
    return this.#places.has(listener);
  }

  /** Rejects with the error of bind(2), such as EADDRINUSE. */
  async listen(listener: string, place: Place, signal: AbortSignal): Promise<void> {
    this.#places.set(listener, place);
    try {
      await this.#give(listener, place, signal);
    } catch (error) {
      this.#places.delete(listener);
      throw error;
    }
  }

  /** The relay closes it; one that is gone has closed it. */
  unlisten(listener: string): void {
    if (!this.#places.delete(listener)) return;
    this.#close(listener).catch((error: unknown) => this.#options.say(`a port was not closed: ${String(error)}`));
  }

  /** Opens all of them again, for a relay that is gone took the sockets with it. */
  async restore(): Promise<void> {
    for (const [listener, place] of [...this.#places]) {
      try {
        await this.#give(listener, place, never);
      } catch (error) {
        this.#options.say(`port ${place.port}/udp of ${place.address} was lost: ${String(error)}`);
      }
    }
  }

  async #give(listener: string, { address, port }: Place, signal: AbortSignal): Promise<void> {
    const relay = await this.#options.relay(signal);
    const socket = await bindDatagrams(address, port, signal);
    try {
      await sendToRelay(relay, { kind: 'datagrams', listener }, socket);
    } finally {
      // The relay has its own, and datagrams must come to one reader.
      socket.close();
    }
    // Closed meanwhile, when the relay did not have it.
    if (!this.#places.has(listener)) await this.#close(listener);
  }

  async #close(listener: string): Promise<void> {
    await sendToRelay(await this.#options.relay(never), { kind: 'closed', listener });
  }
}
