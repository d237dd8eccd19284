/** Why a session lost its Lease: usually somebody took it, but it also goes with its namespace. */
import type { Cluster } from '../../cluster/cluster.ts';
import { display } from '../../cluster/kinds.ts';
import type { Leased } from '../../cluster/lease.ts';
import { namespaceState } from '../../cluster/namespace-state.ts';
import { Problem } from '../../problem.ts';

/** `taken`, or that the namespace is being deleted, which may take the Lease before the workload. Never rejects. */
export async function lossOf(cluster: Cluster, target: Leased, taken: Problem, signal: AbortSignal): Promise<Problem> {
  const { namespace } = target.workload;
  // Who may not read namespaces is told what is known: that the Lease is gone.
  const state = await namespaceState(cluster, namespace, signal).catch(() => 'unknown' as const);
  if (state !== 'ending' && state !== 'gone') return taken;
  return new Problem({
    code: 'workload-changed',
    what: `${display(target.workload)} is being deleted.`,
    why: `Its namespace ${namespace} is being deleted.`,
    remedy: 'It is not brought back. Start again when it is there once more.',
  });
}
