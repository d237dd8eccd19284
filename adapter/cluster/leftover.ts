/** The record of a session on one workload: what a guest is told by, and what undoes a dead one. */
import { withChanges } from './changes.ts';
import type { Cluster } from './cluster.ts';
import { type Leased, readLease } from './lease.ts';
import type { Pod } from './objects.ts';
import { parseRecord, type ReplacementRecord } from './record.ts';
import { recordOf } from './stale.ts';
import { readWorkload } from './workloads.ts';

/** The record of the session that has replaced the workload, living or dead; undefined if none has. */
export async function readRecord(
  cluster: Cluster,
  target: Leased,
  signal: AbortSignal,
): Promise<ReplacementRecord | undefined> {
  const [workload, lease] = await Promise.all([
    readWorkload(cluster, target.workload, signal),
    readLease(cluster, target, signal),
  ]);
  // A bare pod that was deleted and not made again has left its record in the Lease only.
  const inLease = workload === undefined && lease?.record !== undefined ? parseRecord(lease.record) : undefined;
  return (workload && recordOf(workload)) ?? inLease;
}

/** A pod of the replaced workload as it would be without the agent; what admission added to it stays. */
export function withoutReplacement(pod: Pod, { container, changes }: ReplacementRecord): Pod {
  const { spec } = withChanges(pod, container, changes, 'before');
  return { ...pod, spec: { ...pod.spec, containers: spec.containers } };
}
