/** Listens for every destination on the address that stands for it, on its own ports, and follows their changes. */
import type { Duplex } from 'node:stream';
import { Problem } from '../../problem.ts';
import { spareDescriptors } from '../ports/descriptors.ts';
import { findPortOwner, isWildcard, listenProblem } from '../ports/ports.ts';
import { nextAddress } from './addresses.ts';
import { type Destination, type DestinationPort, portsOf, portText } from './destinations.ts';
import type { DialDestination, LeftOut, ReachableDestination } from './reachable-destination.ts';

/**
 * Joins what arrives on address:port to `dial()`; rejects with the raw error of listen(2) or bind(2). tunnel/listener.ts and
 * datagram-listener.ts have it.
 */
export type Listen = (options: {
  address: string;
  port: number;
  dial(): Duplex;
  onError(error: Error): void;
  signal: AbortSignal;
}) => Promise<AsyncDisposable>;

/** A destination and the address that it would have. */
export interface PlacedDestination {
  readonly destination: Destination;
  readonly address: string;
}

export interface DestinationListenersOptions {
  readonly dial: DialDestination;
  readonly listen: Listen;
  /** The same for UDP. */
  readonly datagrams: { readonly dial: DialDestination; readonly listen: Listen };
  /** A single connection failed. */
  onError(error: Error): void;
  /** How many more listeners this process may open; for tests. */
  room?(): Promise<number>;
}

/** Where only a listener on all addresses is in the way. */
const anyAddress = '127.127.255.254';
/** Somebody else may use single addresses of our range; so many in a row for one destination are no chance. */
const attempts = 16;

interface Open {
  readonly address: string;
  readonly ports: readonly DestinationPort[];
  readonly listeners: AsyncDisposable;
}

export class DestinationListeners implements AsyncDisposable {
  readonly #options: DestinationListenersOptions;
  readonly #open = new Map<string, Open>();
  #destinations: ReadonlyMap<string, Destination> = new Map();
  #leftOut: readonly LeftOut[] = [];

  constructor(options: DestinationListenersOptions) {
    this.#options = options;
  }

  /**
   * Opens what is new, closes what is gone, and leaves the rest as it is. One whose address is used by somebody else moves
   * to the next one, with all its ports. One of whose ports somebody listens on all addresses is left out, for then no
   * address would do and its name would lead to the wrong program; so is what does not fit into the limit of open files.
   * Problem privileges-needed for ports that this user
   * may not use; then all are closed.
   */
  async update(placed: readonly PlacedDestination[], signal: AbortSignal): Promise<void> {
    this.#destinations = new Map(placed.map(({ destination }) => [destination.key, destination]));
    for (const [key, open] of this.#open) {
      const destination = this.#destinations.get(key);
      if (destination !== undefined && isSame(portsOf(destination), open.ports)) continue;
      this.#open.delete(key);
      await open.listeners[Symbol.asyncDispose]();
    }
    const used = new Set([...[...this.#open.values()].map((open) => open.address), ...placed.map((it) => it.address)]);
    const { fitting: wanted, leftOut } = await this.#fitting(
      placed.filter(({ destination }) => !this.#open.has(destination.key)),
    );
    const wildcards = new Wildcards();
    const results = await Promise.allSettled(wanted.map((one) => this.#openOne(one, used, wildcards, signal)));
    for (const [index, result] of results.entries()) {
      const one = wanted[index];
      if (result.status === 'fulfilled' || one === undefined) continue;
      const { reason } = result;
      if (!(reason instanceof Problem && reason.code === 'port-in-use')) {
        await this[Symbol.asyncDispose]();
        throw reason;
      }
      leftOut.push({ destination: one.destination, problem: reason });
    }
    this.#leftOut = leftOut;
  }

  /** Closes what listens at these addresses; the next `update` opens it again. */
  async close(addresses: ReadonlySet<string>): Promise<void> {
    for (const [key, open] of this.#open) {
      if (!addresses.has(open.address)) continue;
      this.#open.delete(key);
      await open.listeners[Symbol.asyncDispose]();
    }
  }

  get reachable(): readonly ReachableDestination[] {
    return [...this.#destinations.values()].flatMap((destination) => {
      const open = this.#open.get(destination.key);
      if (open === undefined) return [];
      return [
        { destination, address: open.address, ports: open.ports.map((each) => ({ ...each, localPort: each.port })) },
      ];
    });
  }

  get leftOut(): readonly LeftOut[] {
    return this.#leftOut;
  }

  /** The addresses in use, by destination: a destination keeps its address for the whole session. */
  get addresses(): ReadonlyMap<string, string> {
    return new Map([...this.#open].map(([key, { address }]) => [key, address]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const open = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(open.map(({ listeners }) => listeners[Symbol.asyncDispose]()));
  }

  /** Those for which there are descriptors; without any left the session itself could not go on. */
  async #fitting(wanted: readonly PlacedDestination[]) {
    let room = wanted.length === 0 ? 0 : await (this.#options.room ?? spareRoom)();
    const fitting: PlacedDestination[] = [];
    const leftOut: LeftOut[] = [];
    for (const one of wanted) {
      const { length } = portsOf(one.destination);
      if (length > room) {
        leftOut.push({ destination: one.destination, problem: noRoom(one.destination.label) });
        continue;
      }
      room -= length;
      fitting.push(one);
    }
    return { fitting, leftOut };
  }

  async #openOne(
    { destination, address: first }: PlacedDestination,
    used: Set<string>,
    wildcards: Wildcards,
    signal: AbortSignal,
  ): Promise<void> {
    const { key } = destination;
    const ports = portsOf(destination);
    let address = first;
    for (let attempt = 1; ; attempt++) {
      try {
        this.#open.set(key, { address, ports, listeners: await this.#openPorts(destination, address, signal) });
        return;
      } catch (error) {
        if (!(error instanceof ListenError)) throw error;
        if (error.code !== 'EADDRINUSE') throw await listenProblem(error.cause, address, error.port.port);
        if (attempt === attempts || (await wildcards.holds(error.port))) throw await wildcards.problem(error, address);
        address = nextAddress(address, used);
        used.add(address);
      }
    }
  }

  async #openPorts(destination: Destination, address: string, signal: AbortSignal): Promise<AsyncDisposable> {
    const { datagrams, onError } = this.#options;
    const opened: AsyncDisposable[] = [];
    for (const each of portsOf(destination)) {
      const { port } = each;
      const { listen, dial } = each.protocol === 'UDP' ? datagrams : this.#options;
      try {
        // What stands behind the name may have moved by the time somebody calls.
        const dialNow = () => dial(this.#destinations.get(destination.key) ?? destination, port);
        opened.push(await listen({ address, port, dial: dialNow, onError, signal }));
      } catch (error) {
        await together(opened)[Symbol.asyncDispose]();
        throw new ListenError(each, error);
      }
    }
    return together(opened);
  }
}

/** Who listens on all addresses; each port is looked up once, for hundreds of Services may share it. */
class Wildcards {
  readonly #problems = new Map<string, Promise<unknown>>();
  readonly #held = new Map<string, Promise<boolean>>();

  holds({ port, protocol }: DestinationPort): Promise<boolean> {
    const key = portText({ port, protocol });
    const find = () => findPortOwner(port, anyAddress, protocol).then((it) => isWildcard(it?.address ?? ''));
    const known = this.#held.get(key) ?? find();
    this.#held.set(key, known);
    return known;
  }

  async problem({ port: { port, protocol }, cause }: ListenError, address: string): Promise<unknown> {
    const key = portText({ port, protocol });
    const known = this.#problems.get(key) ?? listenProblem(cause, address, port, protocol);
    this.#problems.set(key, known);
    const problem = await known;
    if (!(problem instanceof Problem)) return problem;
    return new Problem({ ...problem.toJSON(), what: `Port ${key} of ${address} is in use.` }, { cause });
  }
}

async function spareRoom(): Promise<number> {
  return (await spareDescriptors())?.spare ?? Number.POSITIVE_INFINITY;
}

function noRoom(label: string): Problem {
  return new Problem({
    code: 'listen-failed',
    what: `There is no room for a listener for ${label}.`,
    why: 'The limit of open files of this process is reached.',
    remedy: 'Raise it (ulimit -n 20000) before you start the session, or use "network": "namespace".',
  });
}

function isSame(a: readonly DestinationPort[], b: readonly DestinationPort[]): boolean {
  const texts = new Set(b.map(portText));
  return a.length === b.length && a.every((port) => texts.has(portText(port)));
}

/** Node 22 has no AsyncDisposableStack. */
function together(parts: readonly AsyncDisposable[]): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      await Promise.all(parts.map((part) => part[Symbol.asyncDispose]()));
    },
  };
}

class ListenError extends Error {
  readonly port: DestinationPort;
  readonly code: unknown;

  constructor(port: DestinationPort, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.port = port;
    this.code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  }
}
