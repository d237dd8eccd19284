/** A workload and its pods, seen again whenever a pod changes and at least every two seconds. */
import { setTimeout as delay } from 'node:timers/promises';
import { isAgentPod } from './agent-pods.ts';
import { isPassing } from './api.ts';
import type { Cluster } from './cluster.ts';
import { pathOf } from './kinds.ts';
import { type Pod, podSchema } from './objects.ts';
import { Owners } from './owners.ts';
import type { ReplacementRecord } from './record.ts';
import { watchList } from './watch.ts';
import { readWorkload, type Workload } from './workloads.ts';

export interface Observation {
  /** undefined: deleted */
  readonly workload: Workload | undefined;
  /** The pods that belong to it, those on their way out included. */
  readonly pods: readonly Pod[];
}

/** Conditions of the workload do not show in its pods, so it is read again after this many milliseconds. */
const longestPause = 2000;
const shortestPause = 50;
/** Milliseconds for which the API server may be away without ending the wait. */
const longestOutage = 60_000;

/**
 * Goes on until the consumer stops or the signal aborts (throws its reason).
 * Problem cluster-unreachable when the API server is away for longer than `outage` milliseconds.
 */
export async function* observe(
  cluster: Cluster,
  record: ReplacementRecord,
  signal: AbortSignal,
  outage = longestOutage,
): AsyncGenerator<Observation> {
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const path = pathOf('Pod', record.workload.namespace);
  const lists = watchList(cluster.api, path, record.pods, podSchema, ended);
  const owners = new Owners(cluster);
  const tolerant = toleratingOutage(outage);
  let latest: readonly Pod[] | undefined;
  let failure: unknown;
  let wake = Promise.withResolvers<void>();
  const watching = (async () => {
    try {
      for await (const pods of lists) {
        latest = pods;
        wake.resolve();
      }
    } catch (error) {
      failure = error ?? new Error('aborted');
      wake.resolve();
    }
  })();
  try {
    for (;;) {
      const pause = new AbortController();
      await Promise.race([wake.promise, delay(longestPause, undefined, { signal: pause.signal }).catch(() => {})]);
      pause.abort();
      wake = Promise.withResolvers();
      if (failure !== undefined) throw failure;
      const pods = latest;
      // Also without a list yet: the watch waits for an absent API server without end, this reading does not.
      const seen = await tolerant(async () => {
        const [workload, mine] = await Promise.all([
          readWorkload(cluster, record.workload, ended),
          pods && ownedBy(owners, pods, record, ended),
        ]);
        return mine && { workload, pods: mine };
      });
      if (seen) yield seen;
      // A burst of pod changes becomes one observation.
      await delay(shortestPause, undefined, { signal: ended });
    }
  } finally {
    stop.abort();
    await watching;
  }
}

async function ownedBy(
  owners: Owners,
  pods: readonly Pod[],
  record: ReplacementRecord,
  signal: AbortSignal,
): Promise<readonly Pod[]> {
  // A bare pod is found by its name; it has another uid each time it is made.
  if (record.workload.kind === 'Pod') return pods;
  const mine = await Promise.all(
    pods.map(async (pod) =>
      // The session's own pods are its own also when their workload was deleted or made anew.
      isAgentPod(record, pod) || (await owners.of(pod, signal)).uid === record.workload.uid ? pod : undefined,
    ),
  );
  return mine.filter((pod) => pod !== undefined);
}

/** A step that may fail while the API server cannot be reached, for a while; then it answers undefined. */
function toleratingOutage(outage: number): <T>(step: () => Promise<T>) => Promise<T | undefined> {
  let since: number | undefined;
  return async (step) => {
    try {
      const result = await step();
      since = undefined;
      return result;
    } catch (error) {
      since ??= performance.now();
      if (!isPassing(error) || performance.now() - since > outage) throw error;
      return undefined;
    }
  };
}
