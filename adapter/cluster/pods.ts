/** Reads one pod. */
import type { Cluster } from './cluster.ts';
import { type Pod, podSchema } from './objects.ts';

/** The pod as the API server has it now. Problems as `Api.request`. */
export function readPod(cluster: Cluster, namespace: string, name: string, signal: AbortSignal): Promise<Pod> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
  return cluster.api.request({ method: 'GET', path, signal }, podSchema);
}
