/**
 * The connections of one session to the agents of its workload: a tunnel to each of them, and what is done when the computer
 * slept or its network changed. The session proves itself to all of them by one key, which is made with it.
 * This folder: the connections to the agents, their outages, and what comes in by them.
 */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { agentKeys } from '../../cluster/agent-key.ts';
import type { Cluster } from '../../cluster/cluster.ts';
import { portForwarder } from '../../cluster/port-forward/forwarder.ts';
import { type ReplacementRecord, watchAgentPods } from '../../cluster/replacement.ts';
import type { Log } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import type { InboundConnection, Tunnel } from '../../tunnel/tunnel.ts';
import { Tunnels } from '../../tunnel/tunnels.ts';
import type { SessionVolumes } from '../program/session-volumes.ts';
import type { Notice } from '../protocol.ts';
import type { Step } from '../timings.ts';
import { keepAgentTunnels } from './agent-tunnels.ts';
import { Callers } from './callers.ts';
import { LostConnections } from './lost-connections.ts';
import type { Outage } from './outage.ts';
import type { Retries } from './retries.ts';
import { watchSleep } from './sleep.ts';

export interface AgentConnectionsOptions {
  readonly session: string;
  readonly cluster: Cluster;
  readonly outage: Outage;
  readonly retries: Retries;
  /** Aborted when the session ends. */
  readonly ended: AbortSignal;
  /** A tunnel stands; an agent that started again knows no guests. */
  onTunnel(tunnel: Tunnel): void;
  /** Proves whether the API server is still reached. */
  renewLease(): void;
  lost(problem: Problem): void;
  notice(notice: Notice): void;
  readonly log: Log;
}

/** The agents to which there are to be tunnels, and who hears of them. */
export interface KeptAgents {
  readonly record: ReplacementRecord;
  readonly tunnelPort: number;
  onInbound(connection: InboundConnection): void;
  /** Its tokens are bound to one of the pods. */
  readonly volumes: Pick<SessionVolumes, 'usePods'>;
  /** The connect, in which each first tunnel is timed. */
  readonly step?: Step;
  /** The session that holds the agents, if it is another one. */
  readonly guestOf?: string;
}

export class AgentConnections {
  readonly tunnels = new Tunnels();
  /** Who calls through them. */
  readonly callers = new Callers();
  readonly #options: AgentConnectionsOptions;
  readonly #lostConnections: LostConnections;
  readonly #keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

  constructor(options: AgentConnectionsOptions) {
    this.#options = options;
    this.#lostConnections = new LostConnections({ tunnels: this.tunnels, notice: options.notice });
    this.#keys = generateKeyPairSync('ed25519');
  }

  /** The key by which the agents know this session: base64 of its SPKI DER form. */
  get publicKey(): string {
    return this.#keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  }

  /** One of those that stand. Only after `tunnels.whenConnected`. */
  get first(): Tunnel {
    const [first] = this.tunnels.all;
    if (first === undefined) throw new Error('connected without a tunnel');
    return first;
  }

  /** Keeps a tunnel to each agent until the session ends. */
  keep({ record, tunnelPort, onInbound, volumes, step, guestOf }: KeptAgents): void {
    const { cluster, session, outage, retries, ended: signal, log, lost } = this.#options;
    const awake = (milliseconds: number) => this.#doubt('this process stood still', { milliseconds });
    watchSleep({ onAwake: awake, onNetworkChange: () => this.#doubt('the network changed', {}) }, signal);
    keepAgentTunnels(
      {
        pods: watchAgentPods(cluster, record, signal),
        forwarder: portForwarder(cluster),
        tunnelPort,
        ...(step !== undefined && { step }),
        privateKey: this.#keys.privateKey,
        session: guestOf ?? session,
        role: guestOf === undefined ? 'holder' : 'guest',
        agentKeys: agentKeys(cluster, record.container),
        onUnproven: (problem) => lost(problem),
        tunnels: this.tunnels,
        outage,
        lostConnections: this.#lostConnections,
        retries,
        onBroken: () => cluster.api.restartWatches(),
        onInbound,
        onTunnel: (tunnel) => this.#options.onTunnel(tunnel),
        onPods: (pods) => this.#bind(volumes, pods),
        log,
      },
      signal,
    ).catch((error: unknown) => {
      if (signal.aborted) return;
      log.write('error', 'the agent pods can no longer be watched', { error });
      lost(Problem.from(error));
    });
  }

  /** Closes the tunnels at once, after the session's signal was aborted. */
  async close(): Promise<void> {
    this.end();
    await Promise.all(this.tunnels.all.map((tunnel) => tunnel[Symbol.asyncDispose]()));
  }

  /** No connection waits for a tunnel any more. */
  end(): void {
    this.#lostConnections[Symbol.dispose]();
    this.tunnels.end();
  }

  /** Connections may be dead without having said so: what works is to prove it, and what does not is tried at once. */
  #doubt(why: string, details: Readonly<Record<string, unknown>>): void {
    const { cluster, retries, log } = this.#options;
    log.write('info', `${why}; looking whether the cluster is still reached`, details);
    for (const tunnel of this.tunnels.all) tunnel.check();
    cluster.api.restartWatches();
    retries.beginAnew();
    this.#options.renewLease();
  }

  #bind(volumes: Pick<SessionVolumes, 'usePods'>, pods: readonly string[]): void {
    const { ended: signal, log } = this.#options;
    volumes.usePods(pods, signal).catch((error: unknown) => {
      if (signal.aborted) return;
      log.write('warn', 'the volumes could not be bound to another pod', { error });
    });
  }
}
