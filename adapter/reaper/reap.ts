/** Undoes one session whose Lease is given up: takes the Lease, puts the original back, deletes the Lease. */
import {
  holderAnnotation,
  originalsOf,
  recordAnnotation,
  sessionAnnotation,
  workloadAnnotation,
} from '../cluster/annotations.ts';
import { hasStatus } from '../cluster/api-error.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { display, parseTarget, workloadKinds } from '../cluster/kinds.ts';
import { releaseLease } from '../cluster/lease.ts';
import { leaseName, microTime, withAnnotations, writeLeaseObject } from '../cluster/lease-object.ts';
import type { Lease } from '../cluster/objects.ts';
import { reaperOf } from '../cluster/reaper-identity.ts';
import type { Reaped } from '../cluster/reaper-rights.ts';
import { parseRecord, type ReplacementRecord } from '../cluster/record.ts';
import { awaitRestored, undoReplacement } from '../cluster/replacement.ts';
import { readWorkload } from '../cluster/workloads.ts';

/** Seconds for which the taken Lease keeps others away; the undo has to end before. */
const takenSeconds = 90;
/** How long the original may take to run. Its definition is as it was by then; the rest is its controller's. */
const restoredMilliseconds = 60_000;

/** `renewed`: the session lives after all. `unreadable`: a version of this program that we do not know replaced it. */
export type Reaping = 'undone' | 'nothing to undo' | 'renewed' | 'unreadable' | 'not ours';

/**
 * Undoes the session that held this Lease; may be repeated after a failure. The Lease is taken by the resourceVersion with
 * which it was read: if the session wakes up at this very moment, only one of both gets it.
 */
export async function reap(cluster: Cluster, lease: Lease, signal: AbortSignal): Promise<Reaping> {
  const workload = workloadOf(lease);
  if (workload === undefined) return 'not ours';
  const session = reaperOf(lease.spec.holderIdentity);
  const record = await recordOf(cluster, workload, lease, signal);
  if (record === 'unreadable') return record;
  try {
    await take(cluster, lease, session, signal);
  } catch (error) {
    if (hasStatus(error, 404, 409)) return 'renewed';
    throw error;
  }
  if (record !== undefined) await undo(cluster, record, signal);
  await releaseLease(cluster, lease.metadata.name, session, signal);
  return record === undefined ? 'nothing to undo' : 'undone';
}

/** The workload that a Lease of ours is about; undefined if it says something else than its name. */
export function workloadOf({ metadata }: Lease): Reaped | undefined {
  const { name: lease, namespace, annotations } = metadata;
  const written = annotations[workloadAnnotation];
  const candidates =
    written === undefined
      ? workloadKinds.map((kind) => ({ kind, prefix: leaseName({ workload: { kind, name: '', namespace } }) }))
      : [];
  const guessed = candidates.find(({ prefix }) => lease.startsWith(prefix) && lease.length > prefix.length);
  const text = written ?? (guessed && display({ kind: guessed.kind, name: lease.slice(guessed.prefix.length) }));
  if (text === undefined) return undefined;
  const { kind, name } = parsedTarget(text);
  if (kind === undefined || kind === 'Service') return undefined;
  const workload = { kind, name, namespace };
  return leaseName({ workload }) === lease ? workload : undefined;
}

/** Anybody may write an annotation. */
function parsedTarget(text: string): ReturnType<typeof parseTarget> {
  try {
    return parseTarget(text);
  } catch {
    return { kind: undefined, name: text };
  }
}

async function take(cluster: Cluster, lease: Lease, session: string, signal: AbortSignal): Promise<void> {
  const now = microTime(cluster.api.now());
  const taken = withAnnotations(lease, { [holderAnnotation]: 'the reaper, because the session was silent for long' });
  const times = { acquireTime: now, renewTime: now, leaseDurationSeconds: takenSeconds };
  await writeLeaseObject(cluster, { ...taken, spec: { ...lease.spec, ...times, holderIdentity: session } }, signal);
}

/** What the workload carries, or for a bare pod the Lease. A record about anything else than this workload is not believed. */
async function recordOf(
  cluster: Cluster,
  workload: Reaped,
  lease: Lease,
  signal: AbortSignal,
): Promise<ReplacementRecord | 'unreadable' | undefined> {
  const present = await readWorkload(cluster, workload, signal);
  const annotations = present?.object.metadata.annotations ?? {};
  const saved = workload.kind === 'Pod' ? (lease.metadata.annotations[recordAnnotation] ?? []) : [];
  const texts = [...originalsOf(annotations), ...[saved].flat()];
  const record = texts.flatMap((text) => parseRecord(text) ?? []).find((each) => isAbout(each, workload));
  return record ?? (sessionAnnotation in annotations || texts.length > 0 ? 'unreadable' : undefined);
}

function isAbout({ workload }: ReplacementRecord, { kind, name, namespace }: Reaped): boolean {
  return workload.kind === kind && workload.name === name && workload.namespace === namespace;
}

async function undo(cluster: Cluster, record: ReplacementRecord, signal: AbortSignal): Promise<void> {
  const { log } = cluster;
  const { conflicts } = await undoReplacement(cluster, record, signal);
  log.write('info', 'the original is put back', { workload: display(record.workload), kept: conflicts });
  const patience = AbortSignal.any([signal, AbortSignal.timeout(restoredMilliseconds)]);
  try {
    await awaitRestored(cluster, record, (text) => log.write('info', text), patience);
  } catch (error) {
    signal.throwIfAborted();
    log.write('warn', 'the original does not run yet', { why: error instanceof Error ? error.message : String(error) });
  }
}
