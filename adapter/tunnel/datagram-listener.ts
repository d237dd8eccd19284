/** A UDP port on the workstation whose datagrams go into the cluster, and whose answers come from it. */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { DatagramReader, datagramIdleLimit, datagramQueueLimit, sendDatagram } from '../../agent/datagrams.ts';

/** How many programs' sockets one listener knows at a time; then the one that was silent longest is forgotten. */
const mostFlows = 1_024;
/** A flow that failed is not opened again for so long: whoever sends without pause must not dial for each datagram. */
const retryMilliseconds = 200;
/** Losses are told together, for there may be thousands in a second. */
const reportMilliseconds = 5_000;

export interface ServeDatagramsOptions {
  /** Called for each new source address: a stream of frames as in agent/datagrams.ts. */
  dial(): Duplex;
  /** How many datagrams were lost lately, and why. */
  onError(error: Error): void;
  /** For tests: other limits, in flows and milliseconds. */
  readonly limits?: { readonly flows?: number; readonly idle?: number };
}

export interface ListenDatagramsOptions extends ServeDatagramsOptions {
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Ends the opening only. */
  readonly signal: AbortSignal;
}

/**
 * Listens by UDP, and serves what arrives as `serveDatagrams` does. Rejects with the system's error, such as EADDRINUSE.
 * Disposing stops listening.
 */
export async function listenDatagrams(
  options: ListenDatagramsOptions,
): Promise<AsyncDisposable & { readonly port: number }> {
  const socket = await bindDatagrams(options.address, options.port, options.signal);
  return Object.assign(serveDatagrams(socket, options), { port: socket.address().port });
}

/** A UDP socket at this address. Rejects with the system's error, or with the signal's reason. */
export async function bindDatagrams(address: string, port: number, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  try {
    const listening = once(socket, 'listening', { signal });
    socket.bind({ address, port, exclusive: true });
    await listening;
    return socket;
  } catch (error) {
    socket.on('error', () => {}).close();
    throw error;
  }
}

/**
 * Takes the datagrams of a bound socket. Each source address and port is a flow with a stream of its own, and answers go back
 * from the socket's own address. Nothing waits: what a stream or the socket cannot take is dropped. A flow ends with its
 * stream, after a minute of silence, and when there are too many; the source's next datagram begins another one. Disposing
 * closes the socket.
 */
export function serveDatagrams(socket: Socket, options: ServeDatagramsOptions): AsyncDisposable {
  return new DatagramFlows(socket, options);
}

interface Flow {
  readonly stream: Duplex;
  /** By performance.now(). */
  lastUsed: number;
  /** Whether anything was given to its stream. */
  isUsed: boolean;
}

class DatagramFlows implements AsyncDisposable {
  readonly #socket: Socket;
  readonly #dial: () => Duplex;
  readonly #onError: (error: Error) => void;
  readonly #mostFlows: number;
  readonly #idle: number;
  /** The longest unused first. */
  readonly #flows = new Map<string, Flow>();
  /** By their reason. */
  readonly #losses = new Map<string, number>();
  #report: NodeJS.Timeout | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #closed: Promise<unknown> | undefined;

  constructor(socket: Socket, { dial, onError, limits = {} }: ServeDatagramsOptions) {
    this.#socket = socket;
    this.#dial = dial;
    this.#onError = onError;
    this.#mostFlows = limits.flows ?? mostFlows;
    this.#idle = limits.idle ?? datagramIdleLimit;
    socket.on('message', (payload, from) => this.#receive(payload, from));
    socket.on('error', (error) => this.#lost(error.message));
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed.then(() => {});
  }

  #receive(payload: Buffer, { address, port }: RemoteInfo): void {
    if (this.#closed !== undefined) return;
    const key = `${address} ${port}`;
    const flow = this.#flows.get(key) ?? this.#open(key, address, port);
    const { stream } = flow;
    if (!stream.destroyed) this.#use(key, flow);
    if (sendDatagram(stream, payload)) {
      flow.isUsed = true;
      return;
    }
    const ended = stream.destroyed ? 'the stream has ended' : 'the tunnel is slower than the program';
    this.#lost(stream.errored?.message ?? ended);
  }

  #open(key: string, address: string, port: number): Flow {
    for (const [oldest, { stream }] of this.#flows) {
      if (this.#flows.size < this.#mostFlows) break;
      this.#flows.delete(oldest);
      stream.destroy();
      this.#lost(`more than ${this.#mostFlows} sockets send here; the longest silent one gets no answers any more`);
    }
    const stream = this.#dial();
    const flow: Flow = { stream, lastUsed: performance.now(), isUsed: false };
    this.#flows.set(key, flow);
    const reader = new DatagramReader((payload) => this.#answer(payload, key, flow, address, port));
    stream.on('data', (chunk: Buffer) => {
      try {
        reader.write(chunk);
      } catch (error) {
        stream.destroy(error instanceof Error ? error : new Error(String(error)));
      }
    });
    stream.on('error', (error) => {
      // Else the datagram that opened it is counted by itself.
      if (flow.isUsed) this.#lost(error.message);
    });
    stream.once('end', () => stream.destroy());
    stream.once('close', () => {
      if (stream.errored === null) this.#forget(key, flow);
      else setTimeout(() => this.#forget(key, flow), retryMilliseconds).unref();
    });
    return flow;
  }

  /** `flow` may be over, and another one in its place. */
  #answer(payload: Buffer, key: string, flow: Flow, address: string, port: number): void {
    if (this.#closed !== undefined || this.#flows.get(key) !== flow) return;
    this.#use(key, flow);
    if (this.#socket.getSendQueueSize() >= datagramQueueLimit) {
      this.#lost('the program is slower than the tunnel');
      return;
    }
    this.#socket.send(payload, port, address, (error) => {
      if (error !== null) this.#lost(error.message);
    });
  }

  #forget(key: string, flow: Flow): void {
    if (this.#flows.get(key) === flow) this.#flows.delete(key);
  }

  #use(key: string, flow: Flow): void {
    flow.lastUsed = performance.now();
    this.#flows.delete(key);
    this.#flows.set(key, flow);
    this.#sweep ??= setTimeout(() => this.#sweepIdle(), this.#idle).unref();
  }

  /** Ends what was silent for too long, and comes again when the next one may be. */
  #sweepIdle(): void {
    this.#sweep = undefined;
    const now = performance.now();
    for (const [key, { stream, lastUsed }] of this.#flows) {
      const left = lastUsed + this.#idle - now;
      if (left > 0) {
        this.#sweep = setTimeout(() => this.#sweepIdle(), left).unref();
        return;
      }
      this.#flows.delete(key);
      stream.destroy();
    }
  }

  #lost(why: string): void {
    this.#losses.set(why, (this.#losses.get(why) ?? 0) + 1);
    this.#report ??= setTimeout(() => this.#tellLosses(), reportMilliseconds).unref();
  }

  #tellLosses(): void {
    clearTimeout(this.#report);
    this.#report = undefined;
    const losses = [...this.#losses];
    this.#losses.clear();
    for (const [why, count] of losses) {
      this.#onError(new Error(`${count} ${count === 1 ? 'datagram was' : 'datagrams were'} lost: ${why}`));
    }
  }

  #close(): Promise<unknown> {
    clearTimeout(this.#sweep);
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    for (const { stream } of this.#flows.values()) stream.destroy();
    this.#flows.clear();
    this.#tellLosses();
    return closed;
  }
}
