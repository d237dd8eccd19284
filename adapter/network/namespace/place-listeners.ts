/** The listeners of the Services' namespace: one for each TCP port, whatever number of Services have it; UDP each its own. */
import { Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, isIPv6, Server, type Socket } from 'node:net';
import type { Log } from '../../diagnostics/log.ts';
import type { HolderChannel } from './holder-channel.ts';

/** What stands for one Service inside. */
export interface Place {
  /** Any address but a loopback one, which would not leave the program's own namespace; never one of two places. */
  readonly address: string;
  readonly names: readonly string[];
  readonly ports: readonly number[];
  readonly udpPorts?: readonly number[];
}

export interface PlaceListenersOptions {
  readonly channel: HolderChannel;
  /** A connection that a program made to a place. */
  accept(address: string, port: number, socket: Socket): void;
  /** Serves the datagrams that programs send to a place. Disposing closes the socket. */
  acceptDatagrams(address: string, port: number, socket: DatagramSocket): AsyncDisposable;
  readonly log: Log;
}

export class PlaceListeners implements AsyncDisposable {
  readonly #options: PlaceListenersOptions;
  readonly #servers = new Map<number, Server>();
  #ports: ReadonlyMap<string, ReadonlySet<number>> = new Map();
  /** By place. */
  readonly #datagrams = new Map<string, AsyncDisposable>();
  #datagramPlaces: ReadonlyMap<string, { readonly address: string; readonly port: number }> = new Map();

  constructor(options: PlaceListenersOptions) {
    this.#options = options;
  }

  /** Opens what these places need; what arrives for any other address is reset. Rejects with the system's error. */
  async open(places: readonly Place[], signal: AbortSignal): Promise<void> {
    const wanted = new Set(places.flatMap(({ ports }) => ports));
    await Promise.all([...wanted].filter((port) => !this.#servers.has(port)).map((port) => this.#listen(port, signal)));
    this.#ports = new Map(places.map(({ address, ports }) => [canonical(address), new Set(ports)]));
    const datagrams = places.flatMap(({ address, udpPorts = [] }) => udpPorts.map((port) => ({ address, port })));
    this.#datagramPlaces = new Map(datagrams.map((one) => [`${canonical(one.address)} ${one.port}`, one]));
    const missing = [...this.#datagramPlaces].filter(([key]) => !this.#datagrams.has(key));
    if (missing.length === 0) return;
    const addresses = [...new Set(missing.map(([, { address }]) => address))];
    await this.#options.channel.ask({ kind: 'own', addresses }, signal);
    await Promise.all(
      missing.map(async ([key, { address, port }]) => {
        this.#datagrams.set(key, await this.#bind(address, port, signal));
      }),
    );
  }

  /** Closes what no place needs any more. Connections that stand go on. */
  async closeUnused(): Promise<void> {
    const used = new Set([...this.#ports.values()].flatMap((ports) => [...ports]));
    for (const [port, server] of this.#servers) {
      if (used.has(port)) continue;
      this.#servers.delete(port);
      server.close();
    }
    for (const [key, listener] of this.#datagrams) {
      if (this.#datagramPlaces.has(key)) continue;
      this.#datagrams.delete(key);
      await listener[Symbol.asyncDispose]();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ports = new Map();
    this.#datagramPlaces = new Map();
    await this.closeUnused();
  }

  async #bind(address: string, port: number, signal: AbortSignal): Promise<AsyncDisposable> {
    const { channel, acceptDatagrams } = this.#options;
    const { handle } = await channel.ask({ kind: 'listenDatagrams', address, port }, signal);
    if (!(handle instanceof DatagramSocket)) throw new Error('there came no UDP socket');
    return acceptDatagrams(address, port, handle);
  }

  async #listen(port: number, signal: AbortSignal): Promise<void> {
    const { channel, log } = this.#options;
    const { handle } = await channel.ask({ kind: 'listen', port }, signal);
    if (!(handle instanceof Server)) throw new Error('there came no server');
    // The one that came has none of these settings.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket, port));
    server.on('error', (error) => log.write('warn', 'a listener for Services failed', { port, error }));
    server.listen(handle);
    await once(server, 'listening');
    this.#servers.set(port, server);
  }

  #accept(socket: Socket, port: number): void {
    const address = canonical(socket.localAddress ?? '');
    if (this.#ports.get(address)?.has(port)) this.#options.accept(address, port, socket);
    else socket.resetAndDestroy();
  }
}

/** As the system writes it; IPv4 by itself also when it arrives at a socket of IPv6. */
export function canonical(address: string): string {
  const text = address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address;
  return isIPv6(text) ? new URL(`http://[${text}]`).hostname.slice(1, -1) : text;
}
