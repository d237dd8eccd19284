/**
 * One session that stands: the workload replaced, tunnels to every replica, names and listeners on this computer.
 * `connect` builds it step by step, each act written to the journal first; whatever it did is in the journal, so
 * whoever calls it undoes a failed one like any other. This file owns the order in which its parts begin and end.
 */
import { TargetHeld } from '../cluster/lease.ts';
import { podAt } from '../cluster/pods-by-address.ts';
import type { PrivilegedHelper } from '../network/helper/helper-client.ts';
import { AgentConnections } from './agents/agent-connections.ts';
import { CallerNames } from './agents/caller-names.ts';
import { Outage } from './agents/outage.ts';
import { Retries } from './agents/retries.ts';
import { connectAsGuest } from './connect-as-guest.ts';
import { connectAsHolder } from './connect-as-holder.ts';
import type { SessionInside } from './diagnosis.ts';
import { Guests } from './holding/guests.ts';
import { type HoldingOptions, obtainHeld, undoLeftover } from './holding/holding.ts';
import { LeaseKeeping } from './holding/lease-keeping.ts';
import type { CallersStatus, Connection, Status } from './protocol.ts';
import { Resources } from './resources.ts';
import type { Begun, SessionMeans, SessionOptions } from './session-means.ts';
import { describeCallers, describeStatus } from './session-view.ts';
import { Workstation } from './workstation/workstation.ts';

/** So many of those who call are shown by name and address; there may be thousands. */
const shownCallers = 20;

export class LiveSession implements AsyncDisposable {
  readonly #options: SessionOptions;
  readonly #ended = new AbortController();
  /** Ends before the undo begins, which is no work of somebody else's. */
  readonly #watching = new AbortController();
  readonly #resources = new Resources();
  readonly #programs = new Set<number>();
  readonly #outage: Outage;
  readonly #guests: Guests;
  readonly #lease: LeaseKeeping;
  readonly #connections: AgentConnections;
  readonly #callerNames: CallerNames;
  readonly #workstation: Workstation;
  #begun: Partial<Begun> = {};
  #connection: Connection | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { id: session, cluster, request, journal, program, ask, clients, notice, lost, log } = options;
    const { signal: ended } = this.#ended;
    const { signal: watching } = this.#watching;
    const resources = this.#resources;
    const retries = new Retries();
    const renewLease = () => this.#lease.renew();
    const outage = new Outage({ log, notice, probe: renewLease });
    this.#outage = outage;
    this.#connections = new AgentConnections({
      session,
      cluster,
      outage,
      retries,
      ended,
      onTunnel: (tunnel) => {
        if (this.#guests.any) this.#guests.admitAt(tunnel);
      },
      renewLease,
      lost,
      notice,
      log,
    });
    const { tunnels, publicKey } = this.#connections;
    this.#callerNames = new CallerNames({
      podAt: (address, signal) => podAt(cluster, cluster.namespace, address, signal),
      log,
    });
    this.#guests = new Guests({ tunnels: () => tunnels.all, ownKey: publicKey, notice, log });
    this.#lease = new LeaseKeeping({
      session,
      cluster,
      journal,
      outage,
      retries,
      resources,
      ended,
      watching,
      onGuests: (guests) => this.#guests.set(guests),
      notice,
      lost,
      log,
    });
    this.#workstation = new Workstation({
      session,
      request,
      cluster,
      journal,
      tunnels,
      program,
      ask,
      resources,
      ended,
      clients,
      notice,
      lost,
      log,
    });
  }

  /** Connects; afterwards, or after a failure, the journal says what is to be undone. Problems as its parts throw them. */
  async connect(signal: AbortSignal): Promise<Connection> {
    const connection = await this.#holdOrShare(AbortSignal.any([signal, this.#ended.signal]));
    this.#connection = connection;
    return connection;
  }

  async #holdOrShare(signal: AbortSignal): Promise<Connection> {
    for (;;) {
      try {
        return await connectAsHolder(this.#means, signal);
      } catch (error) {
        if (!(error instanceof TargetHeld) || this.#lease.isHeld) throw error;
        this.#workstation.giveUp();
        await this.#resources.free();
        const obtained = await obtainHeld(this.#holding, error, signal);
        if (obtained.kind === 'guest') return await connectAsGuest(this.#means, error.target, obtained.of, signal);
        this.#lease.keep(error.target, obtained.lease);
        await undoLeftover(this.#holding, error.target, signal);
      }
    }
  }

  get #means(): SessionMeans {
    return {
      options: this.#options,
      lease: this.#lease,
      connections: this.#connections,
      workstation: this.#workstation,
      ended: this.#ended.signal,
      watching: this.#watching.signal,
      programs: () => [...this.#programs],
      begun: (parts) => {
        this.#begun = { ...this.#begun, ...parts };
      },
    };
  }

  get #holding(): HoldingOptions {
    const { cluster, request, ask, journal, progress, notice } = this.#options;
    return { cluster, request, ask, journal, progress, notice, holder: this.#lease.holder };
  }

  /** What a diagnosis shows beside the status. */
  get inside(): SessionInside {
    return {
      cluster: this.#options.cluster,
      target: this.#begun.target,
      connection: this.#connection,
      tunnels: this.#connections.tunnels.all,
      programs: [...this.#programs],
    };
  }

  /** Looks up the names of the pods that call, for `status`; a second at most. */
  async nameCallers(): Promise<void> {
    const addresses = this.#connections.callers.newest(shownCallers).map(({ source }) => source.address);
    await this.#callerNames.look(addresses, this.#ended.signal);
  }

  /** What `status` shows of a standing session. */
  get status(): Status['connection'] {
    const { network, runningHelper } = this.#workstation;
    if (this.#connection === undefined || network === undefined) return undefined;
    const { all } = this.#connections.tunnels;
    const status = describeStatus(this.#connection, network, all, runningHelper, this.#outage.status);
    const ifVanished = this.#begun.reaper?.outlook;
    const { guestOf } = this.#connection;
    return (
      status && {
        ...status,
        ...(ifVanished !== undefined && { ifVanished }),
        ...(guestOf !== undefined ? { guestOf } : { callers: this.#callers }),
        ...(this.#guests.any && { guests: [...this.#guests.names] }),
      }
    );
  }

  get #callers(): CallersStatus {
    const { callers } = this.#connections;
    return describeCallers(callers.count, callers.newest(shownCallers), (address) => this.#callerNames.of(address));
  }

  /** The helper, for the undo of the hosts file; started anew if it is gone. */
  helper(signal: AbortSignal): Promise<PrivilegedHelper> {
    return this.#workstation.helper(signal);
  }

  /** A process that belongs to the user's program, for the advice on ports. */
  programStarted(pid: number): void {
    this.#programs.add(pid);
  }

  /** The last that is done with the agent: what changed here is written back to its volumes. For at most half a minute. */
  async settle(): Promise<void> {
    this.#watching.abort();
    const { reaper, volumes } = this.#begun;
    const reaperStopped = reaper?.stop();
    try {
      // What was to be written back is kept aside then.
      if (this.#lease.isFenced) {
        this.#ended.abort();
        await this.#connections.close();
      }
      await volumes?.[Symbol.asyncDispose]();
    } catch (error) {
      this.#options.log.write('error', 'the volumes could not be ended in order', { error });
    }
    // From now on nothing is made that the undo would not know of.
    await reaperStopped;
  }

  /** Closes listeners and tunnels. The acts in the journal are undone by `undo`, not by this. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#watching.abort();
    this.#ended.abort();
    this.#outage.end();
    this.#connections.end();
    await this.#resources.free();
  }
}
