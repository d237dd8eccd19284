/** Mode `env`: each port of a destination is a free port of 127.0.0.1, which only environment variables lead to. */
import type { Socket } from 'node:net';
import { Problem } from '../problem.ts';
import type { ShadowedName } from './hosts/user-entries.ts';
import type { DestinationListenersOptions } from './names/destination-listeners.ts';
import { type Destination, type DestinationPort, portsOf, portText } from './names/destinations.ts';
import { addressLeftOut, isAddressOnly } from './names/external-endpoints.ts';
import { chooseLocalPort } from './names/local-ports.ts';
import type { LeftOut, ReachableDestination, ReachablePort } from './names/reachable-destination.ts';
import { dialLoopback } from './ports/dial-loopback.ts';
import type { MountRemark, WorkstationNetwork } from './workstation-network.ts';

const address = '127.0.0.1';

export interface EnvNetworkOptions extends DestinationListenersOptions {
  /** Ports on which the user's program will listen. */
  readonly reserved: ReadonlySet<number>;
}

interface OpenPort extends ReachablePort {
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
  /** By the destination's key and `portText`. */
  readonly #open = new Map<string, Map<string, OpenPort>>();
  #destinations: ReadonlyMap<string, Destination> = new Map();
  #leftOut: readonly LeftOut[] = [];

  constructor(options: EnvNetworkOptions) {
    this.#options = options;
  }

  async open(destinations: readonly Destination[], signal: AbortSignal): Promise<void> {
    this.#destinations = new Map(destinations.map((destination) => [destination.key, destination]));
    for (const [key, ports] of this.#open) {
      const destination = this.#destinations.get(key);
      const wanted = new Set(destination && portsOf(destination).map(portText));
      for (const [text, { listener }] of ports) {
        if (wanted.has(text)) continue;
        ports.delete(text);
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
        for (const port of portNumbers(destination)) await this.#openPort(destination, port, signal);
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
      const ports = portsOf(destination).flatMap((each) => {
        const localPort = open.get(portText(each))?.localPort;
        return localPort === undefined ? [] : [{ ...each, localPort }];
      });
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

  /** What has this number by TCP and by UDP gets the same one here for both, if it can. */
  async #openPort(destination: Destination, port: number, signal: AbortSignal): Promise<void> {
    const { key } = destination;
    const open = this.#open.get(key) ?? new Map<string, OpenPort>();
    this.#open.set(key, open);
    const all = portsOf(destination).filter((each) => each.port === port);
    const missing = all.filter((each) => !open.has(portText(each)));
    if (missing.length === 0) return;
    const take = async (localPort: number) => {
      if (this.#options.reserved.has(localPort)) return false;
      const listeners = await this.#listenAt(localPort, destination, missing, signal);
      for (const [index, each] of missing.entries()) {
        const listener = listeners?.[index];
        if (listener !== undefined) open.set(portText(each), { ...each, localPort, listener });
      }
      return listeners !== undefined;
    };
    for (const each of all) {
      const localPort = open.get(portText(each))?.localPort;
      if (localPort !== undefined && (await take(localPort))) return;
    }
    try {
      await chooseLocalPort(key, port, take);
    } catch (error) {
      throw error instanceof RangeError ? noPort(destination, port, error) : error;
    }
  }

  /** Listeners for all of them at one local port; undefined if somebody else listens there. */
  async #listenAt(
    localPort: number,
    destination: Destination,
    wanted: readonly DestinationPort[],
    signal: AbortSignal,
  ): Promise<readonly AsyncDisposable[] | undefined> {
    const { datagrams, onError } = this.#options;
    const opened: AsyncDisposable[] = [];
    try {
      for (const { port, protocol } of wanted) {
        const { dial, listen } = protocol === 'UDP' ? datagrams : this.#options;
        const dialNow = () => dial(this.#destinations.get(destination.key) ?? destination, port);
        opened.push(await listen({ address, port: localPort, dial: dialNow, onError, signal }));
      }
      return opened;
    } catch (error) {
      await Promise.all(opened.map((listener) => listener[Symbol.asyncDispose]()));
      if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
      throw error;
    }
  }
}

function portNumbers(destination: Destination): ReadonlySet<number> {
  return new Set(portsOf(destination).map(({ port }) => port));
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
