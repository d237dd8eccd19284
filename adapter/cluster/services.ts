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
  /** All of them, where the cluster has IPv4 and IPv6; empty where `clusterIP` is undefined. */
  readonly clusterIPs: readonly string[];
  readonly ports: readonly {
    readonly name: string;
    readonly port: number;
    readonly protocol: string;
    /** The pods' port, or its name in their containers. */
    readonly targetPort: number | string | undefined;
  }[];
  readonly externalName: string | undefined;
  /** Whether pods that are not ready count too. */
  readonly publishNotReadyAddresses: boolean;
  /** ISO 8601; empty if the cluster does not tell. */
  readonly created: string;
}

/** What programs see of Services, in the order of their creation. */
export function visibleServices(services: readonly Service[]): readonly VisibleService[] {
  // Created within one second they come by name, so that each list has the same order.
  return services.map(visible).sort((a, b) => a.created.localeCompare(b.created) || a.name.localeCompare(b.name));
}

/** Service `kubernetes` of namespace `default`, which every pod gets variables for; undefined if the user may not read it. */
export async function kubernetesService(cluster: Cluster, signal: AbortSignal): Promise<VisibleService | undefined> {
  const path = '/api/v1/namespaces/default/services/kubernetes';
  const service = await unless([403, 404], cluster.api.request({ method: 'GET', path, signal }, serviceSchema));
  return service && visible(service);
}

/** The Services of the session's namespace as the API server gives them. */
export async function readServices(cluster: Cluster, signal: AbortSignal): Promise<readonly Service[]> {
  const path = servicesPath(cluster.namespace);
  return (await cluster.api.request({ method: 'GET', path, signal }, listSchema(serviceSchema))).items;
}

/** The URL path of all Services of a namespace. */
export function servicesPath(namespace: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/services`;
}

function visible({ metadata, spec }: Service): VisibleService {
  const hasAddress = (address: string) => address !== '' && address !== 'None';
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    type: spec.type,
    clusterIP: hasAddress(spec.clusterIP) ? spec.clusterIP : undefined,
    clusterIPs: (spec.clusterIPs.length > 0 ? spec.clusterIPs : [spec.clusterIP]).filter(hasAddress),
    ports: spec.ports.map(({ name, port, protocol, targetPort }) => ({ name, port, protocol, targetPort })),
    externalName: spec.externalName,
    publishNotReadyAddresses: spec.publishNotReadyAddresses,
    created: metadata.creationTimestamp ?? '',
  };
}
