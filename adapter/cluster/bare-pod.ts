/**
 * Replaces a pod that nothing owns. Kubernetes cannot change its command, so it is deleted and made again; the original
 * is saved in the Lease first, because in between no object in the cluster carries it.
 */
import { helpAnnotation, originalAnnotation, sessionAnnotation } from './annotations.ts';
import { hasStatus, unless } from './api-error.ts';
import { withChanges } from './changes.ts';
import type { Cluster } from './cluster.ts';
import { helpText } from './help.ts';
import { pathOf } from './kinds.ts';
import { saveRecordInLease } from './lease.ts';
import { isRefusedByEnd } from './namespace-state.ts';
import { type Pod, type PodTemplate, podSchema, unusedSchema } from './objects.ts';
import type { ReplacementRecord } from './record.ts';
import { watchList } from './watch.ts';
import { readWorkload } from './workloads.ts';

/** Seconds a deleted pod gets to stop, at most: the user waits for it. */
const longestGrace = 10;
/** What the API server writes into a pod's metadata itself. */
const serverFields = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'managedFields',
  'selfLink',
]);

/** The manifest from which the same pod can be made again, on the same node. */
export function podOriginal(pod: Pod): PodTemplate {
  const metadata = Object.fromEntries(Object.entries(pod.metadata).filter(([key]) => !serverFields.has(key)));
  // Ephemeral containers can only be added to a running pod.
  const { ephemeralContainers: _, ...spec } = pod.spec;
  return { metadata, spec: spec as PodTemplate['spec'] };
}

/** Deletes the pod and makes it again with the agent. If the cluster refuses the agent, the original is made again. */
export async function applyToPod(cluster: Cluster, record: ReplacementRecord, signal: AbortSignal): Promise<void> {
  const agentPod = agentManifest(record);
  const present = await readWorkload(cluster, record.workload, signal);
  if (present?.object.metadata.annotations[sessionAnnotation] === record.session) return;
  await rehearse(cluster, record, agentPod, signal);
  await saveRecordInLease(cluster, record, JSON.stringify(record), signal);
  await remove(cluster, record, record.workload.uid, signal);
  try {
    await create(cluster, record, agentPod, signal);
  } catch (error) {
    if (hasStatus(error, 400, 403, 422)) await create(cluster, record, record.original, signal);
    throw error;
  }
}

/**
 * Deletes the agent's pod and makes the original again. A pod that somebody else made meanwhile stays. `gone`: somebody else
 * deleted the agent's pod, so that the original is not made again.
 */
export async function undoPod(
  cluster: Cluster,
  record: ReplacementRecord,
  signal: AbortSignal,
  gone: boolean,
): Promise<{ conflicts: string[] }> {
  const present = await readWorkload(cluster, record.workload, signal);
  if (present) {
    const { uid, annotations } = present.object.metadata;
    // Either the session never got so far, or somebody made this pod.
    if (annotations[sessionAnnotation] !== record.session) return { conflicts: [] };
    const isLeaving = present.object.metadata.deletionTimestamp !== undefined;
    await remove(cluster, record, uid, signal);
    if (gone && isLeaving) return { conflicts: [] };
  } else if (gone) {
    return { conflicts: [] };
  }
  try {
    await create(cluster, record, record.original, signal);
  } catch (error) {
    if (isRefusedByEnd(error)) return { conflicts: [`Pod ${record.workload.name}: ${error.why}`] };
    if (!hasStatus(error, 409)) throw error;
    return { conflicts: [`Pod ${record.workload.name} was made by somebody else meanwhile`] };
  }
  return { conflicts: [] };
}

function agentManifest(record: ReplacementRecord): PodTemplate {
  const pod = withChanges(record.original, record.container, record.changes, 'after');
  const annotations = {
    ...pod.metadata?.annotations,
    [originalAnnotation(record.container)]: JSON.stringify(record),
    [helpAnnotation]: helpText(record),
  };
  return { ...pod, metadata: { ...pod.metadata, annotations } };
}

/** Lets admission look at the agent's pod under another name while the original still runs. */
async function rehearse(
  cluster: Cluster,
  record: ReplacementRecord,
  pod: PodTemplate,
  signal: AbortSignal,
): Promise<void> {
  const { name: _, ...metadata } = { ...pod.metadata };
  const trial = { ...pod, metadata: { ...metadata, generateName: 'kubernetes-local-' } };
  try {
    await create(cluster, record, trial, signal, true);
  } catch (error) {
    // Both pods together may exceed a quota that one of them does not.
    if (!hasStatus(error, 403) || !/exceeded quota/.test(error.why)) throw error;
  }
}

async function create(
  cluster: Cluster,
  { workload }: ReplacementRecord,
  pod: PodTemplate,
  signal: AbortSignal,
  dryRun = false,
): Promise<void> {
  const body = { apiVersion: 'v1', kind: 'Pod', ...pod };
  const query = dryRun ? { dryRun: 'All' } : {};
  await cluster.api.request(
    { method: 'POST', path: pathOf('Pod', workload.namespace), query, body, signal },
    unusedSchema,
  );
}

/** Deletes exactly this pod and waits until its name is free. */
async function remove(cluster: Cluster, record: ReplacementRecord, uid: string, signal: AbortSignal): Promise<void> {
  const { namespace, name } = record.workload;
  const gracePeriodSeconds = Math.min(record.original.spec.terminationGracePeriodSeconds ?? 30, longestGrace);
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', gracePeriodSeconds, preconditions: { uid } };
  const request = { method: 'DELETE', path: pathOf('Pod', namespace, name), body, signal } as const;
  await unless([404], cluster.api.request(request, unusedSchema));
  const query = { fieldSelector: `metadata.name=${name}` };
  for await (const pods of watchList(cluster.api, pathOf('Pod', namespace), query, podSchema, signal)) {
    if (!pods.some((pod) => pod.metadata.uid === uid)) return;
  }
}
