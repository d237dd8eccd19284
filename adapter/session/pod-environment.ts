/** The environment of the container that the session replaces, with addresses that work on this computer. */
import type { Cluster } from '../cluster/cluster.ts';
import { readPod } from '../cluster/pods.ts';
import type { VisibleService } from '../cluster/services.ts';
import { environmentReader } from '../cluster/sources.ts';
import type { ResolvedTarget } from '../cluster/target.ts';
import { type ResolvedEnvironment, resolveEnvironment } from '../environment/environment.ts';

/**
 * Resolved twice: before anything is changed, because a reference that leads nowhere must refuse the session, and for the
 * agent's pod, whose name and address the program then has: the pod that it was resolved from first is gone.
 */
export async function podEnvironment(
  cluster: Cluster,
  target: ResolvedTarget,
  services: readonly VisibleService[],
  addressOf: (service: VisibleService) => string | undefined,
  agentPod: string | undefined,
  signal: AbortSignal,
): Promise<ResolvedEnvironment> {
  const pod = agentPod === undefined ? target.pod : await identityOf(cluster, target, agentPod, signal);
  return resolveEnvironment(
    {
      pod,
      container: target.container,
      namespace: target.workload.namespace,
      services: services.map((service) => ({
        name: service.name,
        namespace: service.namespace,
        // kubelet writes no variables for headless Services, so undefined stays undefined.
        clusterIP: service.clusterIP && (addressOf(service) ?? service.clusterIP),
        ports: service.ports,
      })),
      reader: environmentReader(cluster),
    },
    signal,
  );
}

/** The agent's pod with the containers as they were. */
async function identityOf(cluster: Cluster, target: ResolvedTarget, name: string, signal: AbortSignal) {
  const pod = await readPod(cluster, target.workload.namespace, name, signal);
  return { ...pod, spec: { ...pod.spec, containers: target.pod.spec.containers } };
}
