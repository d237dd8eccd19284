/** Keeps the names on this computer as they are in the cluster, for as long as the session stands. */
import type { Cluster } from '../../cluster/cluster.ts';
import { kubernetesService, type VisibleService } from '../../cluster/services.ts';
import { type NamesSnapshot, watchNames } from '../../cluster/watch-names.ts';
import type { Log } from '../../diagnostics/log.ts';
import { type Destination, destinationsOf } from '../../network/names/destinations.ts';
import { externalDestinations } from '../../network/names/external-endpoints.ts';
import { managedIdentityDestination } from '../../network/names/managed-identity.ts';
import type { WorkstationNetwork } from '../../network/workstation-network.ts';
import type { Notice } from '../protocol.ts';

export interface ServiceNamesOptions {
  readonly cluster: Cluster;
  /** Namespaces whose Services are to be reachable too. */
  readonly otherNamespaces: readonly string[];
  /** What lies outside the cluster and is reached through it. */
  readonly externalEndpoints: readonly { readonly host: string; readonly port: number }[];
  /** Whether the endpoint of managed identities is to be reached, as in Azure. */
  readonly managedIdentity: boolean;
  notice(notice: Notice): void;
  readonly log: Log;
}

export class ServiceNames {
  readonly #options: ServiceNamesOptions;
  readonly #snapshots: AsyncGenerator<NamesSnapshot>;
  /** The API server's Service, which every pod knows. */
  readonly #api: VisibleService | undefined;
  readonly #told = new Set<string>();
  #latest: NamesSnapshot;

  private constructor(
    options: ServiceNamesOptions,
    snapshots: AsyncGenerator<NamesSnapshot>,
    first: NamesSnapshot,
    api: VisibleService | undefined,
  ) {
    this.#options = options;
    this.#api = api;
    this.#snapshots = snapshots;
    this.#latest = first;
  }

  /** Reads the names of the cluster; watches them until `signal` is aborted. Problems of the cluster. */
  static async read(options: ServiceNamesOptions, signal: AbortSignal): Promise<ServiceNames> {
    const { cluster, otherNamespaces } = options;
    const snapshots = watchNames(cluster, { namespaces: [cluster.namespace, ...otherNamespaces] }, signal);
    const [{ value: first }, api] = await Promise.all([snapshots.next(), kubernetesService(cluster, signal)]);
    if (first === undefined) throw new Error('the names of the cluster could not be read');
    return new ServiceNames(options, snapshots, first, api);
  }

  /** The Services of which a pod of the session's namespace gets variables, in the order of their creation. */
  get ofThePod(): readonly VisibleService[] {
    const own = this.#latest.services.filter(({ namespace }) => namespace === this.#options.cluster.namespace);
    return this.#withApi(own);
  }

  /** Opens listeners for all names, and tells what cannot be reached, and what may collide with the program's ports. */
  async open(network: WorkstationNetwork, localPorts: ReadonlySet<number>, signal: AbortSignal): Promise<void> {
    const { services, namespaces, notes } = this.#latest;
    const found = destinationsOf({ services: this.#withApi(services), namespaces }, this.#options.cluster.namespace);
    const outside = this.#outside(found.destinations);
    for (const text of [...notes, ...found.notes, ...outside.notes]) this.#tell({ level: 'info', text });
    const began = performance.now();
    const identity = this.#options.managedIdentity ? [managedIdentityDestination] : [];
    await network.open([...found.destinations, ...outside.destinations, ...identity], signal);
    this.#log('the listeners are open', network, began);
    for (const { destination, problem } of network.leftOut) {
      const text = `${destination.label} is not reachable by name from here. ${problem.what} ${problem.why}`;
      this.#tell({ level: 'warning', text });
    }
    if (network.mode === 'hosts') this.#tellCollisions(network, localPorts);
  }

  /** Makes what is open known by name. */
  async publish(network: WorkstationNetwork, signal: AbortSignal): Promise<void> {
    const began = performance.now();
    const shadowed = await network.publish(signal);
    this.#log('the names are known', network, began);
    for (const { name, address } of shadowed) {
      const text = `Your hosts file maps ${name} to ${address}; during this session the name leads to the cluster.`;
      this.#tell({ level: 'info', text });
    }
  }

  /** Follows the cluster until `signal` is aborted; resolves then. Problems of the cluster and the network. */
  async follow(network: WorkstationNetwork, localPorts: ReadonlySet<number>, signal: AbortSignal): Promise<void> {
    for await (const snapshot of this.#snapshots) {
      if (signal.aborted) return;
      this.#latest = snapshot;
      await this.open(network, localPorts, signal);
      await this.publish(network, signal);
    }
  }

  #outside(services: readonly Destination[]) {
    return externalDestinations(this.#options.externalEndpoints, services);
  }

  #log(message: string, { reachable, leftOut }: WorkstationNetwork, began: number): void {
    const counts = { names: reachable.length, leftOut: leftOut.length };
    this.#options.log.write('info', message, { ...counts, milliseconds: Math.round(performance.now() - began) });
  }

  #withApi<T extends VisibleService>(services: readonly T[]): readonly (T | VisibleService)[] {
    const api = this.#api;
    if (api === undefined || services.some((service) => isSame(service, api))) return services;
    return [...services, api];
  }

  #tellCollisions(network: WorkstationNetwork, localPorts: ReadonlySet<number>): void {
    for (const { destination, address, ports } of network.reachable) {
      for (const { port } of ports.filter((each) => localPorts.has(each.localPort))) {
        const text = `Service ${destination.label} uses port ${port} too, on ${address}: let your program listen on 127.0.0.1:${port}, choose another local port with "ports", or use "network": "namespace".`;
        this.#tell({ level: 'info', text });
      }
    }
  }

  /** Once: the list is gone through again with each change in the cluster. */
  #tell(notice: Notice): void {
    if (this.#told.has(notice.text)) return;
    this.#told.add(notice.text);
    this.#options.notice(notice);
  }
}

function isSame(a: VisibleService, b: VisibleService): boolean {
  return a.name === b.name && a.namespace === b.namespace;
}
