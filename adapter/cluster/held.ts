/** Refuses a workload that carries the marks of a session, living or dead. */
import { sessionAnnotation } from './annotations.ts';
import type { Cluster } from './cluster.ts';
import { display } from './kinds.ts';
import { heldBy, readLease, TargetHeld } from './lease.ts';
import type { Workload } from './workloads.ts';

/** Problem target-held: who, since when; a dead session is to be undone first. */
export async function assertNotHeld(cluster: Cluster, workload: Workload, signal: AbortSignal): Promise<void> {
  const { name, namespace, annotations } = workload.object.metadata;
  const target = { workload: { kind: workload.kind, name, namespace } };
  const state = await readLease(cluster, target, signal);
  if (state?.alive) throw heldBy(target, state);
  throw new TargetHeld(target, {
    what: `${display(target.workload)} is still replaced by ${state ? `a session of ${state.holder}` : 'a session'} that has died.`,
    why: `It carries the mark of session ${annotations[sessionAnnotation]}${state ? `, begun at ${state.since}` : ''}.`,
    remedy: `Run "kubernetes-local restore --namespace ${namespace}" to put the original back, then start again; or do both with "onHeld": "take-over" (--force).`,
  });
}
