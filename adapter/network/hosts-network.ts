/** Mode `hosts`: every destination has an address of 127.64.0.0/10 of its own, and the hosts file leads its names there. */
import type { Socket } from 'node:net';
import type { PrivilegedHelper } from './helper/helper-client.ts';
import type { ShadowedName } from './hosts/user-entries.ts';
import { placeDestinations } from './names/addresses.ts';
import { DestinationListeners, type DestinationListenersOptions, type Listen } from './names/destination-listeners.ts';
import type { Destination } from './names/destinations.ts';
import { addressLeftOut, isAddressOnly } from './names/external-endpoints.ts';
import { dialLoopback } from './ports/dial-loopback.ts';
import type { MountRemark, WorkstationNetwork } from './workstation-network.ts';

export interface HostsNetworkOptions extends DestinationListenersOptions {
  readonly session: string;
  /** The privileged helper, started anew if it is gone. Problems as `startHelper` throws them. */
  helper(signal: AbortSignal): Promise<PrivilegedHelper>;
  /** Called before the hosts file is written for the first time. */
  willWrite(): void;
  /** The helper that had written the hosts file is gone: `recover` makes good what went with it. */
  helperLost(): void;
}

export class HostsNetwork implements WorkstationNetwork {
  readonly mode = 'hosts';
  readonly notes: readonly string[] = [];
  readonly prefix: readonly string[] = [];
  readonly dialSocket = undefined;
  /** Listeners stay; a helper that is gone is started again. */
  readonly closed = new Promise<never>(() => {});
  readonly #options: HostsNetworkOptions;
  readonly #listeners: DestinationListeners;
  /** A destination keeps its address for the whole session, also if it vanishes for a while. */
  readonly #addresses = new Map<string, string>();
  /** Where the helper listens for us. */
  readonly #lowPorts = new Set<string>();
  #destinations: readonly Destination[] = [];
  #addressOnly: readonly Destination[] = [];
  #written: string | undefined;
  #writer: PrivilegedHelper | undefined;
  #ended = false;

  private constructor(options: HostsNetworkOptions) {
    this.#options = options;
    this.#listeners = new DestinationListeners({
      ...options,
      listen: (one) => this.#listen(one, options.listen),
      datagrams: {
        dial: options.datagrams.dial,
        listen: (one) => this.#listen({ ...one, protocol: 'UDP' }, options.datagrams.listen),
      },
    });
  }

  /** Starts the helper and sees whether it may write. Problems as `startHelper` throws them; hosts-unwritable. */
  static async start(options: HostsNetworkOptions, signal: AbortSignal): Promise<HostsNetwork> {
    const helper = await options.helper(signal);
    await helper.checkHosts(signal);
    return new HostsNetwork(options);
  }

  async open(all: readonly Destination[], signal: AbortSignal): Promise<void> {
    this.#addressOnly = all.filter(isAddressOnly);
    const destinations = all.filter((destination) => !isAddressOnly(destination));
    this.#destinations = all;
    const placed = placeDestinations(destinations, new Set(), this.#addresses);
    const helper = await this.#options.helper(signal);
    await helper.setAddresses(
      placed.map(({ address }) => address),
      signal,
    );
    await this.#listeners.update(placed, signal);
    for (const [key, address] of this.#listeners.addresses) this.#addresses.set(key, address);
  }

  async publish(signal: AbortSignal): Promise<readonly ShadowedName[]> {
    const lines = this.reachable.map(({ address, destination }) => ({ address, names: destination.hostNames }));
    const text = JSON.stringify(lines);
    const helper = await this.#options.helper(signal);
    if (text === this.#written) return [];
    if (this.#writer === undefined) this.#options.willWrite();
    const shadowed = await helper.setHosts(this.#options.session, lines, signal);
    this.#written = text;
    this.#watch(helper);
    return shadowed;
  }

  /** Writes the names again, and listens again where the helper did. Problems as `open` and `publish`. */
  async recover(signal: AbortSignal): Promise<void> {
    this.#written = undefined;
    await this.#listeners.close(this.#lowPorts);
    this.#lowPorts.clear();
    await this.open(this.#destinations, signal);
    await this.publish(signal);
  }

  /** The program shares this computer's file system. */
  async showMounts(): Promise<readonly MountRemark[]> {
    return [];
  }

  get reachable() {
    return this.#listeners.reachable;
  }

  get leftOut() {
    const addresses = this.#addressOnly.map((destination) => ({
      destination,
      problem: addressLeftOut(destination, this.mode),
    }));
    return [...this.#listeners.leftOut, ...addresses];
  }

  dialProgram(port: number): Promise<Socket | undefined> {
    return dialLoopback(port);
  }

  /** The names are taken back by the undo of the journal, or by the helper when its client is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    await this.#listeners[Symbol.asyncDispose]();
  }

  /** Where only root may listen, the helper does it for us. */
  async #listen(one: Parameters<PrivilegedHelper['listen']>[0], listen: Listen): Promise<AsyncDisposable> {
    try {
      return await listen(one);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code !== 'EACCES') throw error;
      const helper = await this.#options.helper(one.signal);
      this.#lowPorts.add(one.address);
      return helper.listen(one);
    }
  }

  #watch(helper: PrivilegedHelper): void {
    if (this.#writer === helper) return;
    this.#writer = helper;
    // Whoever writes next would remove the lines of one that is dead.
    void helper.closed.then(() => {
      if (!this.#ended && this.#writer === helper) this.#options.helperLost();
    });
  }
}
