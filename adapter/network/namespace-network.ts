/** Mode `namespace`: the program runs in a private network of Linux, in which the Services have their own addresses. */
import type { Socket as DatagramSocket } from 'node:dgram';
import { isIPv4, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Duplex } from 'node:stream';
import type { Log } from '../diagnostics/log.ts';
import { failedStream } from '../tunnel/dial-error.ts';
import type { ShadowedName } from './hosts/user-entries.ts';
import { syntheticAddresses } from './names/addresses.ts';
import { type Destination, portsOf } from './names/destinations.ts';
import type { DialDestination, LeftOut, ReachableDestination } from './names/reachable-destination.ts';
import type { Place } from './namespace/place-listeners.ts';
import { openPrivateNetwork, type PrivateNetwork } from './namespace/private-network.ts';
import type { MountRemark, ProgramMount, WorkstationNetwork } from './workstation-network.ts';

export interface NamespaceNetworkOptions {
  readonly log: Log;
  /** The command that starts this program; the holders of the namespaces are processes of it. */
  readonly command: readonly string[];
  readonly dial: DialDestination;
  /** Paths of this computer that no mount of the pod may hide, such as the user's project. */
  readonly keep?: readonly string[];
  /** Joins an accepted connection to one into the cluster, and sees to both. */
  serve(socket: Socket, stream: Duplex): void;
  /** The same for UDP: a stream for each source. Disposing closes the socket. */
  readonly datagrams: {
    readonly dial: DialDestination;
    serve(socket: DatagramSocket, dial: () => Duplex): AsyncDisposable;
  };
  /** Something to tell the user while the session stands. */
  notice(text: string): void;
}

export class NamespaceNetwork implements WorkstationNetwork {
  readonly mode = 'namespace';
  readonly leftOut: readonly LeftOut[] = [];
  readonly #options: NamespaceNetworkOptions;
  #private: PrivateNetwork | undefined;
  #reachable: readonly ReachableDestination[] = [];
  #byAddress: ReadonlyMap<string, readonly ReachableDestination[]> = new Map();
  /** Addresses of what has none in the cluster; kept for the whole session. */
  readonly #synthetic = new Map<string, string>();
  #pending: readonly Place[] = [];

  private constructor(options: NamespaceNetworkOptions) {
    this.#options = options;
  }

  /** Makes the private network, still without names. Problem namespace-unavailable. */
  static async start(options: NamespaceNetworkOptions, signal: AbortSignal): Promise<NamespaceNetwork> {
    const network = new NamespaceNetwork(options);
    network.#private = await openPrivateNetwork({
      log: options.log,
      command: options.command,
      accept: (address, port, socket) => network.#accept(address, port, socket),
      acceptDatagrams: (address, port, socket) => network.#acceptDatagrams(address, port, socket),
      notice: (text) => options.notice(text),
      ...(options.keep && { keep: options.keep }),
      signal,
    });
    return network;
  }

  get notes(): readonly string[] {
    return this.#open.lost;
  }

  get prefix(): readonly string[] {
    return this.#open.prefix;
  }

  get dialSocket(): string {
    return this.#open.dialSocket;
  }

  get closed(): Promise<string> {
    return this.#open.closed;
  }

  /** Nothing but `publish` is seen by programs: until then only the list is made. */
  async open(destinations: readonly Destination[], _signal: AbortSignal): Promise<void> {
    const given = new Map(destinations.map(({ key, clusterIP, dial }) => [key, clusterIP ?? ipv4(dial.host)]));
    const others = destinations.filter(({ key }) => given.get(key) === undefined);
    for (const [key, address] of syntheticAddresses(others, this.#synthetic)) this.#synthetic.set(key, address);
    this.#reachable = destinations.flatMap((destination) => {
      const address = given.get(destination.key) ?? this.#synthetic.get(destination.key);
      const ports = portsOf(destination).map((each) => ({ ...each, localPort: each.port }));
      return address === undefined ? [] : [{ destination, address, ports }];
    });
    this.#byAddress = Map.groupBy(this.#reachable, ({ address }) => address);
    this.#pending = placesOf(this.#reachable);
  }

  publish(signal: AbortSignal): Promise<readonly ShadowedName[]> {
    return this.#open.update(this.#pending, signal);
  }

  showMounts(mounts: readonly ProgramMount[], signal: AbortSignal): Promise<readonly MountRemark[]> {
    return this.#open.showMounts(mounts, signal);
  }

  get reachable(): readonly ReachableDestination[] {
    return this.#reachable;
  }

  dialProgram(port: number): Promise<Socket | undefined> {
    return this.#open.dialProgram(port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#private?.[Symbol.asyncDispose]();
  }

  get #open(): PrivateNetwork {
    if (this.#private === undefined) throw new Error('the private network is not there yet');
    return this.#private;
  }

  #accept(address: string, port: number, socket: Socket): void {
    const all = this.#byAddress.get(address)?.map(({ destination }) => destination);
    const destination = all?.find(({ ports }) => ports.includes(port));
    if (destination) this.#options.serve(socket, this.#options.dial(destination, port));
    else socket.resetAndDestroy();
  }

  #acceptDatagrams(address: string, port: number, socket: DatagramSocket): AsyncDisposable {
    const { serve, dial } = this.#options.datagrams;
    // What stands behind the address may have moved by the time somebody sends.
    return serve(socket, () => {
      const all = this.#byAddress.get(address)?.map(({ destination }) => destination);
      const destination = all?.find(({ udp }) => udp?.ports.includes(port));
      return destination === undefined
        ? failedStream(new Error('no Service has this port any more'))
        : dial(destination, port);
    });
  }
}

/** A pod's own address, so that a program which learns it from somebody else reaches it too. */
function ipv4(host: string): string | undefined {
  return isIPv4(host) && !isOwn(host) ? host : undefined;
}

/** A pod on its node's network, where that node is this computer (minikube), must not hide the computer itself. */
function isOwn(host: string): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === host));
}

/** Each address once: a pod may stand behind several headless Services, with other names and ports in each. */
export function placesOf(reachable: readonly ReachableDestination[]): readonly Place[] {
  return [...Map.groupBy(reachable, ({ address }) => address)].map(([address, all]) => ({
    address,
    names: [...new Set(all.flatMap(({ destination }) => destination.hostNames))],
    ports: [...new Set(all.flatMap(({ destination }) => destination.ports))],
    ...(all.some(({ destination }) => destination.udp) && {
      udpPorts: [...new Set(all.flatMap(({ destination }) => destination.udp?.ports ?? []))],
    }),
  }));
}
