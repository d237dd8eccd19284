/** `status --cluster`: every session in a namespace, by whom, since when, alive or not, and how a dead one is undone. */
import { openCluster } from '../cluster/cluster.ts';
import { type EverybodysSession, readEverybodysSessions } from '../cluster/everybodys-sessions.ts';
import { isReaper } from '../cluster/reaper-identity.ts';
import { silentLog } from '../diagnostics/log.ts';
import { describeDuration } from './duration.ts';
import { wrap } from './text-layout.ts';

/** Where to look. */
export interface ClusterFlags {
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
}

/** What `--json` shows. */
export interface ClusterStatus {
  readonly context: string;
  readonly namespace: string;
  /** ISO time by the API server's clock. */
  readonly now: string;
  readonly sessions: readonly EverybodysSession[];
  /** What the user may not list. */
  readonly unlisted: readonly string[];
}

/** Reads it. Problems of the kubeconfig and of the API. */
export async function readClusterStatus(place: ClusterFlags, signal: AbortSignal): Promise<ClusterStatus> {
  const cluster = await openCluster({ ...place, log: silentLog }, signal);
  const { sessions, unlisted } = await readEverybodysSessions(cluster, signal);
  const { context, namespace, api } = cluster;
  return { context, namespace, now: api.now().toISOString(), sessions, unlisted };
}

/** It, for a terminal of this width. */
export function describeClusterStatus(status: ClusterStatus, width: number): string {
  const { namespace, context, sessions, unlisted } = status;
  const listed = sessions.flatMap((session) => {
    const [head, ...details] = describeSession(session, status);
    return [
      ...wrap(head, width, '  '),
      ...details.flatMap((text) => wrap(text, width - 2, '  ').map((line) => `  ${line}`)),
    ];
  });
  const missing = `You may not list ${unlisted.join(', ')} here, so something may be missing.`;
  return [
    ...(sessions.length === 0 ? wrap(`No session in ${namespace} of ${context}.`, width, '  ') : listed),
    ...(unlisted.length === 0 ? [] : wrap(missing, width, '  ')),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

function describeSession(
  session: EverybodysSession,
  { namespace, now }: ClusterStatus,
): readonly [string, ...string[]] {
  const { workload, holder, since, alive, lastHeartbeat, guests, takeover, reaper, replaced } = session;
  const from = since === undefined ? '' : ` since ${since}`;
  const beat = lastHeartbeat === undefined ? '' : `, last heartbeat ${age(lastHeartbeat, now)}`;
  const head =
    holder === undefined
      ? `${workload}: replaced${from}, but nobody holds it: it was left by a session that is gone`
      : `${workload}: ${holder}${from}, ${alive ? 'alive' : 'dead'}${beat}`;
  // It has taken the Lease for the time of its work.
  if (isReaper(session.session)) return [head, 'its reaper is undoing it'];
  return [
    head,
    `session ${session.session}`,
    ...guests.map((guest) => `shared with ${guest.holder} since ${guest.since}`),
    ...(takeover ? [`${takeover.holder} takes it over, since ${takeover.since}`] : []),
    ...(reaper === undefined ? [] : [`${reaper} undoes it by itself if that computer stays away`]),
    ...(holder !== undefined && replaced === false ? ['the workload itself is as it was'] : []),
    ...(alive ? [] : [`undo it: kubernetes-local restore --namespace ${namespace} --target ${workload}`]),
  ];
}

function age(time: string, now: string): string {
  const ms = Math.max(0, Date.parse(now) - Date.parse(time));
  if (!Number.isFinite(ms)) return 'never';
  return ms < 1_000 ? 'a moment ago' : `${describeDuration(ms)} ago`;
}
