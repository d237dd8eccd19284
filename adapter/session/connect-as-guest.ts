/** The way of a session that joins another's, read-only: its agents carry what the program sends, and nothing to it. */
import type { Leased, LeaseState } from '../cluster/lease.ts';
import { checkRights } from '../cluster/rights.ts';
import { environmentReader } from '../cluster/sources.ts';
import { allOrFirstProblem } from './all-or-first-problem.ts';
import { enter, findShared, type Shared, whenSharedEnds } from './holding/guest.ts';
import { addressFor, withLocalPorts } from './program/network-environment.ts';
import { identityOf, podEnvironment, withImage } from './program/pod-environment.ts';
import { SessionVolumes } from './program/session-volumes.ts';
import { tellEnvironment } from './program/told-environment.ts';
import type { Connection, ConnectRequest } from './protocol.ts';
import type { SessionMeans } from './session-means.ts';
import { describeConnection } from './session-view.ts';

/** Joins the session `of`, which holds the workload. Problems as its parts throw them. */
export async function connectAsGuest(
  means: SessionMeans,
  held: Leased,
  of: LeaseState,
  signal: AbortSignal,
): Promise<Connection> {
  const { options, lease, connections, workstation, begun } = means;
  const { id, cluster, request, progress, notice, log } = options;
  const { tunnels } = connections;
  progress(`Joining the session of ${of.holder}`);
  const shared = await findShared(cluster, request, of, held, signal);
  const { target, record, agent } = shared;
  begun({ target });
  const names = await workstation.readNames();
  const copy = agent.files === undefined ? 'never' : request.volumes.copy;
  const readOnly = { ...request, volumes: { ...request.volumes, copy, writeBack: [] } };
  const volumes = new SessionVolumes({ ...options, session: id, request: readOnly, target });
  begun({ volumes });
  const reader = environmentReader(cluster);
  const sources = { reader, target, services: names.ofThePod, onUnresolved: request.onUnresolved };
  const [{ chosen, network, ports }] = await allOrFirstProblem([
    workstation.prepare(names, new Map(), signal),
    checkRights(cluster, target, request.onUnresolved, signal, 'guest'),
  ]);
  const addressOf = addressFor(network);
  const environment = await podEnvironment({ ...sources, addressOf }, target.pod, signal);
  await volumes.check(environment.variables, signal);
  tellEnvironment(options, [], environment, network);

  await enter(options, shared, lease.holder, connections.publicKey, signal);
  watchShared(means, shared);
  connections.keep({
    record,
    tunnelPort: agent.tunnelPort,
    volumes,
    step: options.step,
    onInbound: ({ stream }) => stream.destroy(),
    guestOf: record.session,
  });
  await Promise.all([tunnels.whenConnected(signal), options.step.time('names', () => names.publish(network, signal))]);
  workstation.keepNames(names, network);
  const first = connections.first.pod;
  const pod = await identityOf(cluster, target, first, signal);
  const { variables } = await podEnvironment({ ...sources, addressOf }, pod, signal);
  const named = withImage(variables, [], pod);
  await volumes.open({ name: first, pod, variables: named, tunnels, network }, signal);
  for (const text of guestNotes(shared, request)) notice({ level: 'info', text });
  const connection = describeConnection({
    session: id,
    log: options.logFile,
    target,
    pods: tunnels.all.map((tunnel) => tunnel.pod),
    chosen,
    environment: withLocalPorts(named, network),
    volumes,
    externalEndpoints: request.externalEndpoints,
    ports,
  });
  log.write('info', 'joined a session as a guest', { of: record.session });
  return { ...connection, guestOf: shared.holder };
}

/** The Lease of the shared session says when it is over. */
function watchShared({ options, watching: signal }: SessionMeans, shared: Shared): void {
  const { cluster, log, lost, notice } = options;
  whenSharedEnds(cluster, shared, signal).then(lost, (error: unknown) => {
    if (signal.aborted) return;
    log.write('warn', 'the Lease of the shared session can no longer be followed', { error });
    notice({ level: 'warning', text: `Whether ${shared.holder} ends the session is not seen from now on.` });
  });
}

/** What is otherwise with a guest than with a session of their own. */
function guestNotes({ holder }: Shared, { fromImage, volumes }: ConnectRequest): readonly string[] {
  return [
    `You share the session of ${holder}: your program reaches what the workload reaches, but gets no requests.`,
    ...(fromImage ? ['Variables that only the image sets are missing: the original container does not run.'] : []),
    ...(volumes.writeBack.length > 0 ? ['Nothing is written back to volumes: a guest only reads.'] : []),
  ];
}
