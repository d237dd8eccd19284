/** The cluster of a session, the same for whoever builds it and for whoever undoes it from its journal. */
import { type Cluster, openCluster } from '../../cluster/cluster.ts';
import type { Log } from '../../diagnostics/log.ts';
import type { SessionAct } from '../journal/journal.ts';

/** Opens the cluster of the session that this act begins. Problems as `openCluster` throws them. */
export function openSessionCluster(act: SessionAct, log: Log, signal: AbortSignal): Promise<Cluster> {
  const { context, namespace, kubeconfig } = act;
  return openCluster({ context, namespace, log, ...(kubeconfig !== undefined && { kubeconfig }) }, signal);
}
