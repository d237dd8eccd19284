/** One workload as it is now and after each change: watched where the user may, else read again and again. */
import { setTimeout as delay } from 'node:timers/promises';
import { isPassing } from './api.ts';
import { hasStatus } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { groupOf, pathOf, resourceOf } from './kinds.ts';
import { controllerSchema, type Pod, podSchema } from './objects.ts';
import type { ReplacementRecord } from './record.ts';
import { isAllowed } from './rights.ts';
import { watchList } from './watch.ts';
import { readWorkload, type Workload } from './workloads.ts';

/** Milliseconds after which a workload that may not be watched is read again. */
const pollMilliseconds = 2_000;

/**
 * Its state at the start and after each change; undefined while there is none of its name. Goes on through network failures.
 * Ends only by the signal (throws its reason) or a Problem, such as a right that was taken away.
 */
export async function* watchWorkload(
  cluster: Cluster,
  { workload: { kind, name, namespace } }: Pick<ReplacementRecord, 'workload'>,
  signal: AbortSignal,
  pause = pollMilliseconds,
): AsyncGenerator<Workload | undefined> {
  const right = { group: groupOf(kind), resource: resourceOf(kind), name };
  const rights = ['list', 'watch'].map((verb) => isAllowed(cluster, { verb, ...right }, namespace, signal));
  // Asked first: a watch that has worked once waits for rights that are gone.
  if ((await Promise.all(rights)).every(Boolean)) {
    try {
      yield* watched(cluster, { kind, name, namespace }, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!hasStatus(error, 403)) throw error;
    }
  }
  for (;;) {
    try {
      yield await readWorkload(cluster, { kind, name, namespace }, signal);
    } catch (error) {
      signal.throwIfAborted();
      // The network may come back.
      if (!isPassing(error)) throw error;
    }
    await delay(pause, undefined, { signal });
  }
}

async function* watched(
  cluster: Cluster,
  { kind, name, namespace }: Pick<ReplacementRecord['workload'], 'kind' | 'name' | 'namespace'>,
  signal: AbortSignal,
): AsyncGenerator<Workload | undefined> {
  const query = { fieldSelector: `metadata.name=${name}` };
  const path = pathOf(kind, namespace);
  if (kind === 'Pod') {
    for await (const [object] of watchList(cluster.api, path, query, podSchema, signal)) {
      yield object && { kind, object };
    }
  } else {
    for await (const [object] of watchList(cluster.api, path, query, controllerSchema, signal)) {
      yield object && { kind, object };
    }
  }
}

/** The pods of a workload as they are now and after each change, of whatever template. As `watchWorkload` otherwise. */
export function watchPods(
  cluster: Cluster,
  record: ReplacementRecord,
  signal: AbortSignal,
): AsyncGenerator<readonly Pod[]> {
  return watchList(cluster.api, pathOf('Pod', record.workload.namespace), record.pods, podSchema, signal);
}
