/**
 * The diagnosis of a session, made by its daemon, which knows it from inside; diagnosis-client.ts asks for it.
 * Nothing is changed; secrets do not leave the daemon.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { RequestType0 } from 'vscode-jsonrpc/node';
import { z } from 'zod';
import type { Cluster } from '../cluster/cluster.ts';
import { readyEndpoints } from '../cluster/ready-endpoints.ts';
import { checkRights, missingOptionalRights } from '../cluster/rights.ts';
import type { ResolvedTarget } from '../cluster/target.ts';
import { type Diagnosis, emptyDiagnosis, masked, redacted } from '../diagnostics/diagnosis.ts';
import type { Log } from '../diagnostics/log.ts';
import { logFiles } from '../diagnostics/log-rotation.ts';
import { versionsHere } from '../diagnostics/versions.ts';
import { localEnvironment } from '../environment/local.ts';
import { portText } from '../network/names/destinations.ts';
import { findPortOwner, listeningPorts } from '../network/ports/ports.ts';
import { listeningSockets } from '../network/ports/socket-table.ts';
import { Problem, type ProblemData } from '../problem.ts';
import { describeActs } from './journal/described-acts.ts';
import { readJournal } from './journal/journal.ts';
import { type Connection, type ConnectRequest, type Notice, type Status, sessionProtocolVersion } from './protocol.ts';
import type { SessionFiles } from './state-folder.ts';

/** A cluster that does not answer leaves gaps in a diagnosis; it does not keep it back. */
const clusterMilliseconds = 5_000;
/** Of each log file; the end of it is what matters. */
const logBytes = 5_000_000;

export const logTextSchema = z.object({ name: z.string(), text: z.string() });
/** A log file, redacted with all that its daemon knows. */
export type LogText = z.infer<typeof logTextSchema>;

export const diagnosisRequest = new RequestType0<Diagnosis, ProblemData>('session/diagnosis');
export const logsRequest = new RequestType0<LogText[], ProblemData>('session/logs');

/** What a live session shows of itself beside its status. */
export interface SessionInside {
  readonly cluster: Cluster;
  readonly target: ResolvedTarget | undefined;
  readonly connection: Connection | undefined;
  readonly tunnels: readonly TunnelFacts[];
  /** Process ids of the user's program, as far as they are known. */
  readonly programs: readonly number[];
}

/** A tunnel, as far as a diagnosis needs it. */
interface TunnelFacts {
  readonly pod: string;
  readonly roundTripTime: number | undefined;
  readonly statistics: {
    readonly streams: number;
    readonly bytesIn: number;
    readonly bytesOut: number;
    readonly opened?: number;
  };
}

/** What the daemon knows. */
export interface DiagnosisSource {
  readonly files: SessionFiles;
  readonly status: Status;
  readonly request: ConnectRequest | undefined;
  readonly inside: SessionInside | undefined;
  readonly problem: Problem | undefined;
  readonly notices: readonly (Notice & { readonly time: string })[];
  readonly log: Log;
}

/** The diagnosis of this session. Rejects only by the signal: what cannot be had is missing. */
export async function takeDiagnosis(source: DiagnosisSource, signal: AbortSignal): Promise<Diagnosis> {
  const { files, status, request, inside, problem, notices, log } = source;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(clusterMilliseconds)]);
  const { cluster, connection } = inside ?? {};
  const unlessMissing = async <T>(what: string, part: Promise<T> | undefined): Promise<T | undefined> => {
    try {
      return await part;
    } catch (error) {
      signal.throwIfAborted();
      log.write('warn', 'a part of the diagnosis could not be had', { part: what, error });
      return undefined;
    }
  };
  const [names, ports, rights] = await Promise.all([
    namesOf(source, unlessMissing, patience),
    portsOf(source),
    unlessMissing('rights', inside && rightsOf(inside, request, patience)),
  ]);
  const taken: Diagnosis = {
    ...emptyDiagnosis(status.state, versionsHere(sessionProtocolVersion, cluster?.version)),
    session: { key: files.key, id: status.session, started: status.started },
    ...(request && {
      place: {
        context: request.context,
        ...(cluster && { server: cluster.server, user: cluster.user }),
        namespace: request.namespace,
        target: request.target,
        ...(connection && { workload: connection.workload, container: connection.container }),
      },
    }),
    ...(status.connection && {
      network: {
        mode: status.connection.network.mode,
        reason: status.connection.network.reason,
        prefix: status.connection.network.place?.prefix ?? [],
        ...(status.connection.hostsFile !== undefined && { hostsFile: status.connection.hostsFile }),
      },
    }),
    environment: masked(connection?.environment ?? []),
    kept: [...localEnvironment(connection?.environment ?? [], process.env).kept],
    names: [...names],
    mounts: (connection?.mounts ?? []).map((mount) => ({ ...mount })),
    ...(connection?.mountsFolder !== undefined && { mountsFolder: connection.mountsFolder }),
    ports: [...ports],
    tunnels: (inside?.tunnels ?? []).map(describeTunnel),
    changes: [...describeActs(readJournal(files.journal))],
    processes: [...processesOf(source)],
    ...(rights && { rights }),
    notices: notices.map((notice) => ({ ...notice })),
    logs: [...logFiles(files.log)],
    ...(problem && { problem: problem.toJSON() }),
  };
  // What only looks harmless may have a secret in it: a literal that repeats one, an error of the API server.
  return redacted(taken, log.redactor);
}

/** The session's log files, the newest first, with every secret masked that is known by now; of long ones the end. */
export function takeLogs(files: Pick<SessionFiles, 'log'>, { redactor }: Pick<Log, 'redactor'>): LogText[] {
  return logFiles(files.log).map((path) => {
    const bytes = readFileSync(path);
    const text = bytes.subarray(-logBytes).toString('utf8');
    const whole = bytes.length > logBytes ? text.slice(text.indexOf('\n') + 1) : text;
    return { name: basename(path), text: redactor.redact(whole) };
  });
}

async function namesOf(
  { status, request, inside }: DiagnosisSource,
  unlessMissing: <T>(what: string, part: Promise<T> | undefined) => Promise<T | undefined>,
  signal: AbortSignal,
): Promise<Diagnosis['names']> {
  const { connection } = status;
  if (!connection || !request) return [];
  const namespaces = [request.namespace, ...request.otherNamespaces];
  const [ready, listening] = await Promise.all([
    unlessMissing('endpoints', inside && readyEndpoints(inside.cluster, namespaces, signal)),
    // In a private network the listeners are not this computer's.
    process.platform === 'linux' && connection.network.mode !== 'namespace' ? allListening() : undefined,
  ]);
  const endpointsOf = (label: string): { readyEndpoints?: number } => {
    const [name = '', ...rest] = label.split('.');
    const namespace =
      namespaces.find((each) => each === rest.join('.')) ?? (rest.length === 0 ? request.namespace : '');
    const count = ready?.get(namespace)?.get(name);
    return count === undefined ? {} : { readyEndpoints: count };
  };
  return [
    ...connection.services.map(({ name, names, address, ports, leadsTo }) => ({
      label: name,
      names,
      address,
      ports: ports.map((each) => ({
        ...each,
        ...(listening && { listening: listening.has(`${address}:${portText({ ...each, port: each.localPort })}`) }),
      })),
      leadsTo,
      state: 'open' as const,
      ...endpointsOf(name),
    })),
    ...connection.leftOut.map(({ name, names, why }) => ({
      label: name,
      names,
      ports: [],
      state: 'left out' as const,
      why,
      ...endpointsOf(name),
    })),
  ];
}

/** `127.64.0.1:80`, `127.64.0.1:53/udp`. */
async function allListening(): Promise<ReadonlySet<string>> {
  const [tcp, udp] = await Promise.all([listeningSockets('self'), listeningSockets('self', 'UDP')]);
  const datagrams = udp.map((socket) => ({ ...socket, protocol: 'UDP' as const }));
  return new Set([...tcp, ...datagrams].map((socket) => `${socket.address}:${portText(socket)}`));
}

async function portsOf({ status: { connection }, inside }: DiagnosisSource): Promise<Diagnosis['ports']> {
  if (!connection) return [];
  const isPrivate = connection.network.mode === 'namespace';
  const held = isPrivate ? await listeningPorts(inside?.programs ?? []) : [];
  return Promise.all(
    connection.ports.map(async ({ containerPort, localPort }) => {
      const inPlace = held.find(({ port }) => port === localPort);
      const owner = isPrivate
        ? inPlace && { pid: inPlace.pid, name: 'the program' }
        : await findPortOwner(localPort, '127.0.0.1');
      return { containerPort, localPort, ...(owner && { listening: { pid: owner.pid, name: owner.name } }) };
    }),
  );
}

async function rightsOf(
  { cluster, target }: SessionInside,
  request: ConnectRequest | undefined,
  signal: AbortSignal,
): Promise<Diagnosis['rights']> {
  const namespaces = [cluster.namespace, ...(request?.otherNamespaces ?? [])];
  const [missing, optional] = await Promise.all([
    target === undefined ? [] : missingRights(cluster, target, request?.onUnresolved ?? 'fail', signal),
    missingOptionalRights(cluster, namespaces, signal),
  ]);
  return { missing: [...missing], optional: [...optional] };
}

async function missingRights(
  cluster: Cluster,
  target: ResolvedTarget,
  onUnresolved: ConnectRequest['onUnresolved'],
  signal: AbortSignal,
): Promise<readonly string[]> {
  try {
    await checkRights(cluster, target, onUnresolved, signal);
    return [];
  } catch (error) {
    if (error instanceof Problem && error.code === 'right-missing') return [error.why];
    throw error;
  }
}

function describeTunnel({ pod, roundTripTime, statistics }: TunnelFacts): Diagnosis['tunnels'][number] {
  const { streams, bytesIn, bytesOut, opened } = statistics;
  return {
    pod,
    ...(roundTripTime !== undefined && { roundTripTime }),
    streams,
    ...(opened !== undefined && { totalStreams: opened }),
    bytesIn,
    bytesOut,
  };
}

function processesOf({ status, request, inside }: DiagnosisSource): Diagnosis['processes'] {
  const { pid, clients, connection } = status;
  return [
    { role: 'daemon', pid },
    ...(connection?.helper ? [{ role: 'helper' as const, pid: connection.helper.pid }] : []),
    ...clients.map((client) => ({ role: 'client' as const, pid: client })),
    ...(inside?.programs ?? []).map((program) => ({ role: 'program' as const, pid: program })),
    ...(inside?.tunnels ?? []).map(({ pod }) => ({
      role: 'agent' as const,
      pod,
      ...(request && { image: request.agentImage }),
    })),
  ];
}
