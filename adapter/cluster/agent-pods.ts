/** The pods that run the agent of one session. */
import { sessionAnnotation } from './annotations.ts';
import { unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { pathOf } from './kinds.ts';
import { listSchema, type Pod, podSchema, unusedSchema } from './objects.ts';
import { isRunning } from './pod-state.ts';
import type { ReplacementRecord } from './record.ts';
import { watchList } from './watch.ts';

/** Whether the pod was made from the template that this session changed. */
export function isAgentPod(record: ReplacementRecord, pod: Pod): boolean {
  return pod.metadata.annotations[sessionAnnotation] === record.session;
}

/**
 * The names of the running agent pods (container started, ready or not), whole, at the start and at each change.
 * Goes on through network failures until the signal aborts, and then throws its reason.
 */
export async function* watchAgentPods(
  cluster: Cluster,
  record: ReplacementRecord,
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  let last: string | undefined;
  const path = pathOf('Pod', record.workload.namespace);
  for await (const pods of watchList(cluster.api, path, record.pods, podSchema, signal)) {
    const running = pods.filter((pod) => isAgentPod(record, pod) && isRunning(pod, record.container));
    const names = running.map(({ metadata }) => metadata.name).sort();
    // A pod of a StatefulSet keeps its name when it is made anew: that is a change too.
    const identity = running
      .map(({ metadata }) => metadata.uid)
      .sort()
      .join();
    if (identity === last) continue;
    last = identity;
    yield names;
  }
}

/** Deletes the session's agent pods, so that their controller makes the original ones at once. */
export async function deleteAgentPods(cluster: Cluster, record: ReplacementRecord, signal: AbortSignal): Promise<void> {
  const { namespace } = record.workload;
  const request = { method: 'GET', path: pathOf('Pod', namespace), query: record.pods, signal } as const;
  const { items } = await cluster.api.request(request, listSchema(podSchema));
  const agents = items.filter((pod) => isAgentPod(record, pod) && pod.metadata.deletionTimestamp === undefined);
  await Promise.all(
    agents.map(({ metadata: { name, uid } }) => {
      const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid } };
      const path = pathOf('Pod', namespace, name);
      // Without the right to delete, the controller replaces them in its own time.
      return unless([403, 404, 409], cluster.api.request({ method: 'DELETE', path, body, signal }, unusedSchema));
    }),
  );
}
