/**
 * The environment of the container that the session replaces, with addresses that work on this computer.
 * This folder: environment and files of the program, as the container has them.
 */
import type { Cluster } from '../../cluster/cluster.ts';
import { readPod } from '../../cluster/pods.ts';
import type { VisibleService } from '../../cluster/services.ts';
import type { ResolvedTarget } from '../../cluster/target.ts';
import {
  type EnvironmentReader,
  type EnvironmentVariable,
  type ResolvedEnvironment,
  resolveEnvironment,
} from '../../environment/environment.ts';
import { hostNameVariable } from '../../environment/image.ts';

interface PodEnvironmentOptions {
  readonly reader: EnvironmentReader;
  readonly target: ResolvedTarget;
  readonly services: readonly VisibleService[];
  /** The address that variables name for a Service, instead of the cluster's; undefined: the cluster's own. */
  addressOf(service: VisibleService): string | undefined;
  readonly onUnresolved: 'fail' | 'leave-out';
}

/**
 * Resolved twice: before anything is changed, because a reference that leads nowhere must refuse the session, and for the
 * agent's pod, whose name and address the program then has: the pod that it was resolved from first is gone.
 * `pod` is a V1Pod.
 */
export async function podEnvironment(
  { reader, target, services, addressOf, onUnresolved }: PodEnvironmentOptions,
  pod: unknown,
  signal: AbortSignal,
): Promise<ResolvedEnvironment> {
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
      reader,
      onUnresolved,
    },
    signal,
  );
}

/** A reader that asks for each object once: a session that begins looks at them several times. */
export function remembering(reader: EnvironmentReader): EnvironmentReader {
  const read = new Map<string, Promise<unknown>>();
  const once = <T>(key: string, reading: () => Promise<T>): Promise<T> => {
    const known = read.get(key) as Promise<T> | undefined;
    if (known) return known;
    const begun = reading();
    read.set(key, begun);
    return begun;
  };
  const { nodeAllocatable } = reader;
  return {
    configMap: (...args) => once(`configmap ${args[0]}/${args[1]}`, () => reader.configMap(...args)),
    secret: (...args) => once(`secret ${args[0]}/${args[1]}`, () => reader.secret(...args)),
    ...(nodeAllocatable && {
      nodeAllocatable: (...args) => once(`node ${args[0]}`, () => nodeAllocatable.call(reader, ...args)),
    }),
  };
}

/** The agent's pod with the containers as they were. */
export async function identityOf(cluster: Cluster, target: ResolvedTarget, name: string, signal: AbortSignal) {
  const pod = await readPod(cluster, target.workload.namespace, name, signal);
  return { ...pod, spec: { ...pod.spec, containers: target.pod.spec.containers } };
}

/** What the image sets, beneath what the pod declares; HOSTNAME is that of the pod that stands now. */
export function withImage(
  declared: readonly EnvironmentVariable[],
  image: readonly EnvironmentVariable[],
  pod: unknown,
): readonly EnvironmentVariable[] {
  const host = hostNameVariable(pod);
  const all = [...image, ...(host ? [host] : []), ...declared];
  return [...new Map(all.map((variable) => [variable.name, variable])).values()];
}

/** Name → value. */
export function valuesOf(variables: readonly EnvironmentVariable[]): Readonly<Record<string, string>> {
  return Object.fromEntries(variables.map(({ name, value }) => [name, value]));
}
