/** The environment of the container that the session replaces, with addresses that work on this computer. */
import type { Cluster } from '../cluster/cluster.ts';
import type { VisibleService } from '../cluster/services.ts';
import { environmentReader } from '../cluster/sources.ts';
import type { ResolvedTarget } from '../cluster/target.ts';
import { type ResolvedEnvironment, resolveEnvironment } from '../environment/environment.ts';
import type { AllocatedService } from '../network/addresses.ts';

/** Resolves it before anything is changed: a reference that leads nowhere must refuse the session. */
export function podEnvironment(
  cluster: Cluster,
  target: ResolvedTarget,
  services: readonly VisibleService[],
  local: readonly AllocatedService[],
  signal: AbortSignal,
): Promise<ResolvedEnvironment> {
  const addresses = new Map(local.map((service) => [`${service.namespace}/${service.name}`, service.address]));
  return resolveEnvironment(
    {
      pod: target.pod,
      container: target.container,
      namespace: target.workload.namespace,
      services: services.map(({ name, namespace, clusterIP, ports }) => ({
        name,
        namespace,
        // kubelet writes no variables for headless Services, so undefined stays undefined.
        clusterIP: clusterIP && (apiServerName(namespace, name) ?? addresses.get(`${namespace}/${name}`) ?? clusterIP),
        ports,
      })),
      reader: environmentReader(cluster),
    },
    signal,
  );
}

/** The API server's certificate holds this name but no address of this computer; clients check it. */
function apiServerName(namespace: string, name: string): string | undefined {
  return namespace === 'default' && name === 'kubernetes' ? 'kubernetes.default' : undefined;
}
