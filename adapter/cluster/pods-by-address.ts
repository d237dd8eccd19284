/** Which pod has an address: so that a caller is shown by its name. */
import type { Cluster } from './cluster.ts';
import { pathOf } from './kinds.ts';
import { listSchema, podSchema } from './objects.ts';

/** Only pods that use their node's network share an address, and they are not named: more of them need not be read. */
const mostPods = 10;

/**
 * The name of the cluster's pod in this namespace that has the address; undefined if there is none, or it is a node's, which
 * its pods may share. Needs the right to list pods. Problems as `Api.request`.
 */
export async function podAt(
  cluster: Cluster,
  namespace: string,
  address: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = pathOf('Pod', namespace);
  // A pod that has ended still shows its address, which may be another's by now.
  const fieldSelector = `status.podIP=${address},status.phase!=Succeeded,status.phase!=Failed`;
  const query = { fieldSelector, limit: String(mostPods) };
  const { items } = await cluster.api.request({ method: 'GET', path, query, signal }, listSchema(podSchema));
  return items.find(({ spec }) => spec.hostNetwork !== true)?.metadata.name;
}
