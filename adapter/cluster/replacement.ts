/**
 * Puts the agent in the place of a container and the original back.
 * Every write carries the resourceVersion of the object it was planned on; what somebody else changed is never overwritten.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AgentConfiguration } from '../../agent/protocol.ts';
import { Problem } from '../problem.ts';
import { deleteAgentPods } from './agent-pods.ts';
import { helpAnnotation, originalAnnotation, sessionAnnotation } from './annotations.ts';
import { fieldManager, retryOnConflict, strategicMergePatch } from './api.ts';
import { ApiError, unless } from './api-error.ts';
import { applyToPod, podOriginal, undoPod } from './bare-pod.ts';
import { type AgentImage, currentValue, describeChange, planChanges, planUndo, templatePatch } from './changes.ts';
import type { Cluster } from './cluster.ts';
import { helpText } from './help.ts';
import type { KeptParts } from './kept-parts.ts';
import { display, pathOf } from './kinds.ts';
import { controllerSchema, listSchema, podSchema } from './objects.ts';
import { isReady } from './pod-state.ts';
import { type ReplacementRecord, replacementRecordSchema } from './record.ts';
import type { ResolvedTarget } from './target.ts';
import { podQuery, readWorkload, templateOf, type Workload } from './workloads.ts';

export { watchAgentPods } from './agent-pods.ts';
export { freeAgentPorts } from './agent-ports.ts';
export { type ReplacementRecord, replacementRecordSchema } from './record.ts';
export { awaitReplacement, awaitRestored, WorkloadDeleted } from './rollout.ts';

/** Annotations of one object may have 256 KiB together; the record must leave room for the others. */
const largestRecord = 200_000;

/** Reads the workload afresh and says all that will be changed. Changes nothing. */
export async function planReplacement(
  cluster: Cluster,
  target: ResolvedTarget,
  agent: AgentConfiguration,
  image: AgentImage,
  keep: KeptParts,
  signal: AbortSignal,
): Promise<ReplacementRecord> {
  const workload = await readWorkload(cluster, target.workload, signal);
  if (workload?.object.metadata.uid !== target.workload.uid) throw gone(target.workload);
  const original = workload.kind === 'Pod' ? podOriginal(workload.object) : templateOf(workload);
  const container = original.spec.containers.find(({ name }) => name === target.container);
  if (!container) throw gone(target.workload);
  const pods = podQuery(workload);
  const request = { method: 'GET', path: pathOf('Pod', target.workload.namespace), query: pods, signal } as const;
  const { items } = await cluster.api.request(request, listSchema(podSchema));
  const { changes, notes } = planChanges(original, container, agent, image, keep);
  const record = replacementRecordSchema.parse({
    version: 1,
    session: agent.session,
    workload: target.workload,
    container: target.container,
    pods,
    image: image.name,
    changes: [...changes],
    original,
    readyBefore: items.filter(isReady).length,
    plannedAt: cluster.api.now().toISOString(),
    notes: [...notes],
  } satisfies ReplacementRecord);
  if (JSON.stringify(record).length > largestRecord) {
    throw new Problem({
      code: 'target-unsupported',
      what: `${display(target.workload)} cannot be replaced.`,
      why: 'Its definition is too large to be saved in an annotation, so nobody else could undo the session.',
      remedy: 'Move large values from its definition to a ConfigMap.',
    });
  }
  return record;
}

/** Makes the changes. Problems patch-refused, quota-exceeded, target-held; then nothing is changed. */
export async function applyReplacement(
  cluster: Cluster,
  record: ReplacementRecord,
  signal: AbortSignal,
): Promise<void> {
  try {
    if (record.workload.kind === 'Pod') await applyToPod(cluster, record, signal);
    else await retryOnConflict(() => patchOnce(cluster, record, signal), signal);
  } catch (error) {
    throw refused(record, error);
  }
}

/**
 * Takes the changes back and returns when the API server has taken it; what somebody else changed stays and is named.
 * May be repeated. A workload that is gone, or made anew by somebody, needs no undo; a bare pod is made again, unless `gone`
 * says that somebody else deleted it.
 */
export async function undoReplacement(
  cluster: Cluster,
  record: ReplacementRecord,
  signal: AbortSignal,
  gone = false,
): Promise<{ conflicts: string[] }> {
  if (record.workload.kind === 'Pod') return await undoPod(cluster, record, signal, gone);
  const conflicts = await retryOnConflict(() => unpatchOnce(cluster, record, signal), signal);
  if (record.workload.kind === 'StatefulSet') await deleteAgentPods(cluster, record, signal);
  return { conflicts: [...conflicts] };
}

async function patchOnce(cluster: Cluster, record: ReplacementRecord, signal: AbortSignal): Promise<void> {
  const workload = await readWorkload(cluster, record.workload, signal);
  if (workload?.object.metadata.uid !== record.workload.uid) throw gone(record.workload);
  const { annotations, resourceVersion } = workload.object.metadata;
  const holder = annotations[sessionAnnotation];
  if (holder !== undefined && holder !== record.session) throw replacedMeanwhile(record);
  const template = templateOf(workload);
  const foreign = record.changes.filter((change) => {
    const now = currentValue(template, record.container, change);
    return !isDeepStrictEqual(now, change.before) && !isDeepStrictEqual(now, change.after);
  });
  if (foreign.length > 0)
    throw changedMeanwhile(
      record,
      foreign.map((change) => describeChange(record.container, change)),
    );
  const marks = {
    [sessionAnnotation]: record.session,
    [originalAnnotation(record.container)]: JSON.stringify(record),
    [helpAnnotation]: helpText(record),
  };
  await patch(
    cluster,
    record,
    workload,
    templatePatch(template, record.container, record.changes, 'after'),
    marks,
    resourceVersion,
    signal,
  );
}

async function unpatchOnce(
  cluster: Cluster,
  record: ReplacementRecord,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const workload = await readWorkload(cluster, record.workload, signal);
  if (!workload) return [];
  const { annotations, resourceVersion } = workload.object.metadata;
  const holder = annotations[sessionAnnotation];
  // Somebody restored it and began a session of their own: nothing in it is ours.
  if (holder !== undefined && holder !== record.session) return [];
  const template = templateOf(workload);
  const { revert, conflicts } = planUndo(template, record.container, record.changes);
  const original = originalAnnotation(record.container);
  const marked = holder !== undefined || original in annotations;
  if (revert.length === 0 && !marked) return [];
  const marks = { [sessionAnnotation]: null, [original]: null, [helpAnnotation]: null };
  const body = templatePatch(template, record.container, revert, 'before');
  // 404: deleted a moment ago.
  await unless([404], patch(cluster, record, workload, body, marks, resourceVersion, signal));
  return conflicts;
}

async function patch(
  cluster: Cluster,
  record: ReplacementRecord,
  workload: Workload,
  template: unknown,
  annotations: Readonly<Record<string, string | null>>,
  resourceVersion: string,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = record.workload;
  // One patch for marks and template: the Deployment controller copies annotations to the ReplicaSet it works on.
  const body = { metadata: { resourceVersion, annotations }, spec: { template } };
  const path = pathOf(workload.kind, namespace, name);
  const query = { fieldManager };
  await cluster.api.request(
    { method: 'PATCH', path, query, body, contentType: strategicMergePatch, signal },
    controllerSchema,
  );
}

function gone(workload: { readonly kind: string; readonly name: string }): Problem {
  return new Problem({
    code: 'target-missing',
    what: `${display(workload)} is gone or was made anew.`,
    why: 'Somebody deleted it a moment ago.',
    remedy: 'Try again.',
  });
}

function replacedMeanwhile(record: ReplacementRecord): Problem {
  return new Problem({
    code: 'target-held',
    what: `${display(record.workload)} was replaced by another session a moment ago.`,
    why: "It carries that session's mark.",
    remedy: 'Ask who it is, or choose another target.',
  });
}

function changedMeanwhile(record: ReplacementRecord, fields: readonly string[]): Problem {
  return new Problem({
    code: 'patch-refused',
    what: `${display(record.workload)} was changed by somebody else a moment ago.`,
    why: `Changed: ${fields.join(', ')}.`,
    remedy: 'Start again; nothing was overwritten.',
  });
}

/** An answer of the API server to the change itself, in the user's words. */
function refused(record: ReplacementRecord, error: unknown): unknown {
  if (!(error instanceof ApiError) || error.code !== 'patch-refused') return error;
  const quota = /exceeded quota/.test(error.why);
  return new Problem(
    {
      code: quota ? 'quota-exceeded' : 'patch-refused',
      what: `The cluster does not let the agent run in ${display(record.workload)}.`,
      why: error.why,
      remedy: quota
        ? 'Free some of the quota, or ask the cluster administrator for more. Nothing was changed.'
        : 'Correct what the cluster names, or ask its administrator. Nothing was changed.',
    },
    { cause: error },
  );
}
