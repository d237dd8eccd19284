/** Mode `env`: each port of a destination is a free port of 127.0.0.1, which only environment variables lead to. */
import type { Socket } from 'node:net';
import { Problem } from '../problem.ts';
import type { ShadowedName } from './hosts/user-entries.ts';
import type { DestinationListenersOptions } from './names/destination-listeners.ts';
import type { Destination } from './names/destinations.ts';
import { addressLeftOut, isAddressOnly } from './names/external-endpoints.ts';
import { chooseLocalPort } from './names/local-ports.ts';
import type { LeftOut, ReachableDestination } from './names/reachable-destination.ts';
import { dialLoopback } from './ports/dial-loopback.ts';
import type { MountRemark, WorkstationNetwork } from './workstation-network.ts';

const address = '127.0.0.1';

export interface EnvNetworkOptions extends DestinationListenersOptions {
  /** Ports on which the user's program will listen. */
  readonly reserved: ReadonlySet<number>;
}

interface OpenPort {
  readonly localPort: number;
  readonly listener: AsyncDisposable;
}

export class EnvNetwork implements WorkstationNetwork {
  readonly mode = 'env';
  readonly notes = [
    'Names such as http://prices/ do not work in mode env: the program has to take addresses from variables such as PRICES_SERVICE_HOST and PRICES_SERVICE_PORT.',
  ];
  readonly prefix: readonly string[] = [];
  readonly dialSocket = undefined;
  readonly closed = new Promise<never>(() => {});
  readonly #options: EnvNetworkOptions;
  readonly #open = new Map<string, Map<number, OpenPort>>();
  #destinations: ReadonlyMap<string, Destination> = new Map();
  #leftOut: readonly LeftOut[] = [];

  constructor(options: EnvNetworkOptions) {
    this.#options = options;
  }

  async open(destinations: readonly Destination[], signal: AbortSignal): Promise<void> {
    this.#destinations = new Map(destinations.map((destination) => [destination.key, destination]));
    for (const [key, ports] of this.#open) {
      const wanted = this.#destinations.get(key)?.ports ?? [];
      for (const [port, { listener }] of ports) {
        if (wanted.includes(port)) continue;
        ports.delete(port);
        await listener[Symbol.asyncDispose]();
      }
      if (ports.size === 0) this.#open.delete(key);
    }
    const leftOut: LeftOut[] = [];
    // One after the other, so that the same Services get the same ports every time.
    for (const destination of destinations) {
      if (isAddressOnly(destination)) {
        leftOut.push({ destination, problem: addressLeftOut(destination, this.mode) });
        continue;
      }
      try {
        for (const port of destination.ports) await this.#openPort(destination, port, signal);
      } catch (error) {
        if (!(error instanceof Problem)) throw error;
        leftOut.push({ destination, problem: error });
      }
    }
    this.#leftOut = leftOut;
  }

  async publish(): Promise<readonly ShadowedName[]> {
    return [];
  }

  /** The program shares this computer's file system. */
  async showMounts(): Promise<readonly MountRemark[]> {
    return [];
  }

  get reachable(): readonly ReachableDestination[] {
    return [...this.#destinations.values()].flatMap((destination) => {
      const open = this.#open.get(destination.key);
      if (open === undefined) return [];
      const ports = [...open].map(([port, { localPort }]) => ({ port, localPort }));
      return [{ destination, address, ports }];
    });
  }

  get leftOut(): readonly LeftOut[] {
    return this.#leftOut;
  }

  dialProgram(port: number): Promise<Socket | undefined> {
    return dialLoopback(port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const listeners = [...this.#open.values()].flatMap((ports) => [...ports.values()]);
    this.#open.clear();
    await Promise.all(listeners.map(({ listener }) => listener[Symbol.asyncDispose]()));
  }

  async #openPort(destination: Destination, port: number, signal: AbortSignal): Promise<void> {
    const { key } = destination;
    const ports = this.#open.get(key) ?? new Map<number, OpenPort>();
    this.#open.set(key, ports);
    if (ports.has(port)) return;
    const { listen, dial, onError, reserved } = this.#options;
    const dialNow = () => dial(this.#destinations.get(key) ?? destination, port);
    let listener: AsyncDisposable | undefined;
    const take = async (candidate: number) => {
      if (reserved.has(candidate)) return false;
      try {
        listener = await listen({ address, port: candidate, dial: dialNow, onError, signal });
        return true;
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return false;
        throw error;
      }
    };
    try {
      const localPort = await chooseLocalPort(key, port, take);
      if (listener !== undefined) ports.set(port, { localPort, listener });
    } catch (error) {
      throw error instanceof RangeError ? noPort(destination, port, error) : error;
    }
  }
}

function noPort({ label }: Destination, port: number, cause: Error): Problem {
  return new Problem(
    {
      code: 'port-in-use',
      what: `No local port is free for port ${port} of ${label}.`,
      why: cause.message,
      remedy: 'End programs that listen on many ports, then start the session again.',
    },
    { cause },
  );
}
