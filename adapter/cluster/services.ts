/** The Services that a pod of the namespace can see. */

import { unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { listSchema, type Service, serviceSchema } from './objects.ts';

export interface VisibleService {
  readonly name: string;
  readonly namespace: string;
  /** ClusterIP, NodePort, LoadBalancer or ExternalName. */
  readonly type: string;
  /** undefined: headless, or ExternalName */
  readonly clusterIP: string | undefined;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly protocol: string }[];
  readonly externalName: string | undefined;
}

/** The Services of the session's namespace in the order of their creation. */
export async function listServices(cluster: Cluster, signal: AbortSignal): Promise<readonly VisibleService[]> {
  const services = await readServices(cluster, signal);
  const created = (service: Service) => service.metadata.creationTimestamp ?? '';
  return [...services].sort((a, b) => created(a).localeCompare(created(b))).map(visible);
}

/** Service `kubernetes` of namespace `default`, which every pod gets variables for; undefined if the user may not read it. */
export async function kubernetesService(cluster: Cluster, signal: AbortSignal): Promise<VisibleService | undefined> {
  const path = '/api/v1/namespaces/default/services/kubernetes';
  const service = await unless([403, 404], cluster.api.request({ method: 'GET', path, signal }, serviceSchema));
  return service && visible(service);
}

/** The Services of the session's namespace as the API server gives them. */
export async function readServices(cluster: Cluster, signal: AbortSignal): Promise<readonly Service[]> {
  const path = `/api/v1/namespaces/${encodeURIComponent(cluster.namespace)}/services`;
  return (await cluster.api.request({ method: 'GET', path, signal }, listSchema(serviceSchema))).items;
}

function visible({ metadata, spec }: Service): VisibleService {
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    type: spec.type,
    clusterIP: spec.clusterIP && spec.clusterIP !== 'None' ? spec.clusterIP : undefined,
    ports: spec.ports.map(({ name, port, protocol }) => ({ name, port, protocol })),
    externalName: spec.externalName,
  };
}
