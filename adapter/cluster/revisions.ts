/**
 * The revisions that a session leaves in the history of a workload: `kubectl rollout undo` would bring the agent back from
 * them. A Deployment keeps its revisions as ReplicaSets, the others as ControllerRevisions.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { agentConfigurationVariable } from '../../agent/protocol.ts';
import { sessionAnnotation } from './annotations.ts';
import { isPassing } from './api.ts';
import { hasStatus, unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { listSchema, ownedSchema, type PodTemplate, templateSchema, unusedSchema } from './objects.ts';
import type { ReplacementRecord } from './record.ts';
import { readWorkload, type Workload } from './workloads.ts';

/** A controller needs a moment to see that none of its pods is of a revision any more. */
const longestWait = 10_000;
const pause = 250;

const replicaSetSchema = ownedSchema.extend({
  spec: z.looseObject({ replicas: z.number().default(1), template: templateSchema }),
});
const revisionSchema = ownedSchema.extend({
  /** Whatever its controller wanted to keep; something else than a template is not ours. */
  data: z
    .looseObject({ spec: z.looseObject({ template: templateSchema }) })
    .optional()
    .catch(undefined),
});
const usedSchema = z.looseObject({
  currentRevision: z.string().default(''),
  updateRevision: z.string().default(''),
});

/** One revision of the agent in a workload's history. */
interface Revision {
  readonly path: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly inUse: boolean;
}

/**
 * Deletes the agent's revisions of this session once no pod is of them. `workload`: as it is after the undo; undefined if it
 * is gone, and then what it left orphaned (`--cascade=orphan`) is deleted with the pods. May be repeated. Where the user may
 * not list or delete them (403) they stay, and so do those that are still in use after some seconds.
 */
export async function removeAgentRevisions(
  cluster: Cluster,
  record: ReplacementRecord,
  workload: Workload | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (record.workload.kind === 'Pod') return;
  const end = performance.now() + longestWait;
  let now = workload;
  for (;;) {
    try {
      const revisions = await agentRevisions(cluster, record, now, signal);
      const free = revisions.filter(({ inUse }) => !inUse);
      const answers = await Promise.all(free.map((revision) => remove(cluster, revision, signal)));
      if (answers.includes('forbidden')) return;
      if (revisions.length === answers.filter((answer) => answer === 'gone').length) return;
    } catch (error) {
      // The original runs again: a history that cannot be read now is no reason to hold the undo.
      signal.throwIfAborted();
      if (!isPassing(error)) throw error;
    }
    if (performance.now() > end) return;
    await delay(pause, undefined, { signal });
    // A StatefulSet says itself which revisions are in use, and somewhat later than its pods.
    if (now?.kind === 'StatefulSet') now = await reread(cluster, record, now, signal);
  }
}

/** The workload as it is now; as it was if it cannot be read at the moment. */
async function reread(cluster: Cluster, { workload }: ReplacementRecord, before: Workload, signal: AbortSignal) {
  try {
    return await readWorkload(cluster, workload, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!isPassing(error)) throw error;
    return before;
  }
}

/** Whether pods of this template would run the agent of the session. */
function isAgentTemplate(template: PodTemplate, session: string): boolean {
  if (template.metadata?.annotations?.[sessionAnnotation] === session) return true;
  return template.spec.containers.some(({ env }) =>
    variablesSchema
      .parse(env)
      .some(({ name, value }) => name === agentConfigurationVariable && value.includes(session)),
  );
}

const variablesSchema = z.array(z.looseObject({ name: z.string(), value: z.string().default('') })).catch([]);

async function agentRevisions(
  cluster: Cluster,
  record: ReplacementRecord,
  workload: Workload | undefined,
  signal: AbortSignal,
): Promise<readonly Revision[]> {
  const { kind, namespace } = record.workload;
  const resource = kind === 'Deployment' ? 'replicasets' : 'controllerrevisions';
  const path = `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/${resource}`;
  const request = { method: 'GET', path, query: record.pods, signal } as const;
  const isOurs = ({ metadata }: z.infer<typeof ownedSchema>) => {
    const owner = metadata.ownerReferences.find(({ controller }) => controller);
    const owners = [record.workload.uid, workload?.object.metadata.uid];
    return owner === undefined || owners.includes(owner.uid);
  };
  const revision = (item: z.infer<typeof ownedSchema>, inUse: boolean): Revision => {
    const { name, uid, resourceVersion } = item.metadata;
    return { path: `${path}/${encodeURIComponent(name)}`, uid, resourceVersion, inUse };
  };
  if (kind === 'Deployment') {
    const list = await unless([403, 404], cluster.api.request(request, listSchema(replicaSetSchema)));
    return (list?.items ?? [])
      .filter((item) => isOurs(item) && isAgentTemplate(item.spec.template, record.session))
      .map((item) => revision(item, workload !== undefined && item.spec.replicas > 0));
  }
  const list = await unless([403, 404], cluster.api.request(request, listSchema(revisionSchema)));
  const used = usedSchema.parse(workload?.object.status ?? {});
  return (list?.items ?? [])
    .filter((item) => isOurs(item) && item.data && isAgentTemplate(item.data.spec.template, record.session))
    .map((item) => revision(item, [used.currentRevision, used.updateRevision].includes(item.metadata.name)));
}

async function remove(
  cluster: Cluster,
  { path, uid, resourceVersion }: Revision,
  signal: AbortSignal,
): Promise<'gone' | 'changed' | 'forbidden'> {
  const preconditions = { uid, resourceVersion };
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Background', preconditions };
  const request = { method: 'DELETE', path, body, signal } as const;
  try {
    await unless([404], cluster.api.request(request, unusedSchema));
    return 'gone';
  } catch (error) {
    if (hasStatus(error, 403)) return 'forbidden';
    if (hasStatus(error, 409)) return 'changed';
    throw error;
  }
}
