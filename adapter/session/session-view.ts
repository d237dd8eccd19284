/** A session that stands, as its clients and `status` see it. */
import type { ResolvedTarget } from '../cluster/target.ts';
import type { EnvironmentVariable } from '../environment/environment.ts';
import { hostsFilePath } from '../network/hosts/hosts-writer.ts';
import type { WorkstationNetwork } from '../network/workstation-network.ts';
import type { Tunnel } from '../tunnel/tunnel.ts';
import type { Caller } from './agents/callers.ts';
import type { SessionVolumes } from './program/session-volumes.ts';
import type { CallersStatus, Connection, Status } from './protocol.ts';
import type { ChosenNetwork } from './workstation/choose-network.ts';

export interface ConnectionParts extends Pick<Connection, 'session' | 'log' | 'pods' | 'externalEndpoints'> {
  readonly target: ResolvedTarget;
  readonly chosen: ChosenNetwork;
  readonly environment: readonly EnvironmentVariable[];
  readonly volumes: Pick<SessionVolumes, 'mounts' | 'mountsFolder'>;
  /** Container port → local port. */
  readonly ports: ReadonlyMap<number, number>;
}

/** Everything that a client needs to start the program. */
export function describeConnection(parts: ConnectionParts): Connection {
  const { session, log, pods, externalEndpoints, target, environment, volumes, ports } = parts;
  const { network, reason } = parts.chosen;
  const { mode, prefix, dialSocket } = network;
  return {
    kind: 'connected',
    session,
    workload: `${target.workload.kind.toLowerCase()}/${target.workload.name}`,
    container: target.container,
    pods,
    environment: environment.map((variable) => ({ ...variable })),
    mounts: volumes.mounts.map(({ localPath, ...mount }) => ({
      ...mount,
      ...(localPath !== undefined && { localPath }),
    })),
    ...(volumes.mountsFolder !== undefined && { mountsFolder: volumes.mountsFolder }),
    externalEndpoints,
    network: {
      mode,
      reason,
      ...(dialSocket !== undefined && { place: { prefix: [...prefix], dialSocket } }),
    },
    services: describeServices(network),
    ports: [...ports].map(([containerPort, localPort]) => ({ containerPort, localPort })),
    log,
  };
}

/** What `status` shows of it now. */
export function describeStatus(
  connection: Connection,
  network: WorkstationNetwork,
  tunnels: readonly Tunnel[],
  helper: { readonly pid: number } | undefined,
  outage: NonNullable<Status['connection']>['outage'],
): Status['connection'] {
  return {
    workload: connection.workload,
    container: connection.container,
    pods: tunnels.map(({ pod, roundTripTime, answering, statistics }) => ({
      name: pod,
      answering,
      ...(roundTripTime !== undefined && { roundTripTime }),
      streams: statistics.streams,
    })),
    network: connection.network,
    services: describeServices(network),
    leftOut: network.leftOut.map(({ destination, problem }) => ({
      name: destination.label,
      names: [...destination.hostNames],
      why: `${problem.what} ${problem.why}`.trim(),
    })),
    ports: connection.ports,
    ...(outage && { outage }),
    ...(helper && { helper: { pid: helper.pid } }),
    ...(connection.network.mode === 'hosts' && { hostsFile: hostsFilePath() }),
  };
}

/** Who calls: `open` in all, of whom these are shown. `nameOf` knows the pods with some of the addresses. */
export function describeCallers(
  open: number,
  newest: readonly Caller[],
  nameOf: (address: string) => string | undefined,
): CallersStatus {
  return {
    open,
    newest: newest.map(({ source, pod, containerPort, seenAs, since }) => {
      const name = nameOf(source.address);
      return { source, ...(name !== undefined && { name }), pod, containerPort, seenAs, since: since.toISOString() };
    }),
  };
}

function describeServices(network: WorkstationNetwork): Connection['services'] {
  return network.reachable.map(({ destination, address, ports }) => ({
    name: destination.label,
    address,
    names: [...destination.hostNames],
    // Who looks for the port of a Service takes the first.
    ports: [...ports.filter(({ protocol }) => !protocol), ...ports.filter(({ protocol }) => protocol)].map((port) => ({
      ...port,
    })),
    leadsTo: destination.dial.host,
  }));
}
