/** Finds what sessions have left in the namespace, so that anybody can undo it without their journal. */
import { originalsOf, sessionAnnotation } from './annotations.ts';
import type { Cluster } from './cluster.ts';
import { workloadKinds } from './kinds.ts';
import { type LeaseState, leaseName, listLeases, readLease } from './lease.ts';
import { parseRecord, type ReplacementRecord } from './record.ts';
import { listWorkloads, type Workload } from './workloads.ts';

export interface FoundSession {
  readonly record: ReplacementRecord;
  readonly leaseName: string;
  /** Whether its Lease is still renewed: then it must not be undone. */
  readonly alive: boolean;
  /** `anna on laptop`; undefined if its Lease is gone. */
  readonly holder: string | undefined;
  /** ISO time. */
  readonly since: string;
}

/** All replaced workloads of the session's namespace, living sessions included (`alive`). Kinds that may not be listed are left out. */
export async function findStaleSessions(cluster: Cluster, signal: AbortSignal): Promise<readonly FoundSession[]> {
  const [leases, ...lists] = await Promise.all([
    listLeases(cluster, signal),
    ...workloadKinds.map((kind) => listWorkloads(cluster, kind, signal)),
  ]);
  const inWorkloads = lists.flat().flatMap((workload) => recordOf(workload) ?? []);
  // A bare pod that was deleted and not made again has left its record in the Lease only.
  const inLeases = leases.flatMap(({ name, record }) => {
    const parsed = record === undefined ? undefined : parseRecord(record);
    return parsed?.workload.namespace === cluster.namespace && leaseName(parsed) === name ? [parsed] : [];
  });
  const records = new Map([...inLeases, ...inWorkloads].map((record) => [leaseName(record), record]));
  return await Promise.all(
    [...records].map(async ([name, record]) => {
      const listed = leases.find((lease) => lease.name === name);
      return found(record, name, listed ?? (await readLease(cluster, record, signal)));
    }),
  );
}

/**
 * The record that a workload carries; undefined if it is not replaced. One about another workload does not count: whoever can
 * write an annotation of the one could else have the other changed by whoever restores.
 */
export function recordOf(workload: Workload): ReplacementRecord | undefined {
  const { annotations, name, namespace } = workload.object.metadata;
  if (!(sessionAnnotation in annotations)) return undefined;
  // Pods of a replaced controller carry the session too, but no record.
  return originalsOf(annotations)
    .flatMap((text) => parseRecord(text) ?? [])
    .find(({ workload: { kind, ...about } }) => {
      return kind === workload.kind && about.name === name && about.namespace === namespace;
    });
}

function found(record: ReplacementRecord, name: string, lease: LeaseState | undefined): FoundSession {
  const mine = lease?.session === record.session ? lease : undefined;
  return {
    record,
    leaseName: name,
    alive: mine?.alive ?? false,
    holder: mine?.holder,
    since: mine?.since ?? record.plannedAt,
  };
}
