/**
 * What a user can choose from: namespaces, Services and workloads. Made for a question, so with few requests and without
 * complaints; whether a choice really can be a target is for target.ts to say.
 */
import { unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { controllerKinds, display, pathOf, type WorkloadKind } from './kinds.ts';
import { listSchema, ownedSchema, type Pod, podSchema, serviceSchema } from './objects.ts';
import { selects } from './selector.ts';
import { servicesPath } from './services.ts';
import { desiredReplicas, listWorkloads } from './workloads.ts';

export interface WorkloadCandidate {
  readonly kind: WorkloadKind;
  readonly name: string;
}

export interface ServiceCandidate {
  readonly name: string;
  /** Its TCP ports, in its own order. */
  readonly ports: readonly number[];
  /** What its running pods belong to; empty if the user may not list pods. */
  readonly workloads: readonly WorkloadCandidate[];
}

/** The Services that have running pods which can be replaced, by name; undefined if the user may not list Services. */
export async function serviceCandidates(
  cluster: Cluster,
  signal: AbortSignal,
): Promise<readonly ServiceCandidate[] | undefined> {
  const { api, namespace } = cluster;
  const list = { method: 'GET', path: servicesPath(namespace), signal } as const;
  const pods = { method: 'GET', path: pathOf('Pod', namespace), signal } as const;
  const [services, running] = await Promise.all([
    unless([403], api.request(list, listSchema(serviceSchema))),
    unless([403], api.request(pods, listSchema(podSchema))),
  ]);
  if (services === undefined) return undefined;
  const alive = running?.items.filter(isAlive);
  return services.items
    .filter(({ spec }) => spec.type !== 'ExternalName' && Object.keys(spec.selector).length > 0)
    .flatMap(({ metadata, spec }) => {
      const ports = spec.ports.filter(({ protocol }) => protocol === 'TCP').map(({ port }) => port);
      if (alive === undefined) return [{ name: metadata.name, ports, workloads: [] }];
      const owners = alive.filter((pod) => selects(spec.selector, pod.metadata.labels)).map(ownerOf);
      const known = owners.filter((owner) => owner !== undefined);
      const workloads = [...new Map(known.map((owner) => [display(owner), owner])).values()];
      return workloads.length === 0 ? [] : [{ name: metadata.name, ports, workloads: workloads.sort(byName) }];
    })
    .sort(byName);
}

/** The Deployments, StatefulSets and DaemonSets that are to have pods, as far as the user may list them. */
export async function workloadCandidates(cluster: Cluster, signal: AbortSignal): Promise<readonly WorkloadCandidate[]> {
  const lists = await Promise.all(controllerKinds.map((kind) => listWorkloads(cluster, kind, signal)));
  return lists
    .flat()
    .filter((workload) => desiredReplicas(workload) > 0)
    .map(({ kind, object }) => ({ kind, name: object.metadata.name }))
    .sort(byName);
}

/** The names of all namespaces; undefined if the user may not list them. */
export async function namespaceNames(cluster: Cluster, signal: AbortSignal): Promise<readonly string[] | undefined> {
  const request = { method: 'GET', path: '/api/v1/namespaces', signal } as const;
  const list = await unless([403], cluster.api.request(request, listSchema(ownedSchema)));
  return list?.items.map(({ metadata }) => metadata.name).sort();
}

function isAlive(pod: Pod): boolean {
  return pod.status.phase === 'Running' && pod.metadata.deletionTimestamp === undefined;
}

/**
 * What the pod belongs to, told from the pod alone: the Deployment controller names a ReplicaSet after itself and the
 * pods' label `pod-template-hash`. undefined: something that cannot be replaced.
 */
function ownerOf({ metadata }: Pod): WorkloadCandidate | undefined {
  const owner = metadata.ownerReferences.find(({ controller }) => controller);
  if (owner === undefined) return { kind: 'Pod', name: metadata.name };
  const hash = metadata.labels['pod-template-hash'];
  if (owner.kind === 'ReplicaSet' && hash !== undefined && owner.name.endsWith(`-${hash}`)) {
    return { kind: 'Deployment', name: owner.name.slice(0, -hash.length - 1) };
  }
  const kind = controllerKinds.find((each) => each === owner.kind);
  return kind && { kind, name: owner.name };
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}
