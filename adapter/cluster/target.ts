/** From what the user wrote to the one workload, container, ports and pods that are meant. Reads only. */
import { Problem } from '../problem.ts';
import { sessionAnnotation } from './annotations.ts';
import type { Cluster } from './cluster.ts';
import { chooseContainer, declaredPorts, type ServicePorts, servicePorts } from './containers.ts';
import { assertNotHeld } from './held.ts';
import { controllerKinds, display, parseTarget, pathOf, type WorkloadKind, workloadKinds } from './kinds.ts';
import { suggest } from './nearest.ts';
import { listSchema, type Pod, podSchema, type Service } from './objects.ts';
import { type Owner, Owners } from './owners.ts';
import { hasEnded, isRunning, whyNotRunning } from './pod-state.ts';
import { selects } from './selector.ts';
import { readServices } from './services.ts';
import {
  assertReplaceable,
  desiredReplicas,
  listWorkloads,
  podQuery,
  podsStayUntilReady,
  readWorkload,
  templateOf,
  type Workload,
} from './workloads.ts';

export interface ResolvedTarget {
  readonly workload: {
    readonly kind: WorkloadKind;
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
  };
  readonly container: string;
  /** Services that select the workload's pods and reach the container; named targetPorts resolved. */
  readonly services: readonly ServicePorts[];
  /** TCP ports of the container: declared ones and those the Services reach. Ascending. */
  readonly containerPorts: readonly number[];
  readonly replicas: number;
  /** Whether all pods stay until one with the agent is ready. */
  readonly podsStay: boolean;
  /** Names of the running pods. */
  readonly pods: readonly string[];
  /** One running pod, as the API server gave it. */
  readonly pod: Pod;
}

/**
 * With `evenIfHeld` a session that stands on the workload is no reason to refuse: for whoever only reads.
 * Problems bad-value, target-missing, target-ambiguous, target-unsupported, target-without-pods, target-held,
 * service-without-selector, container-unknown, container-ambiguous.
 */
export async function resolveTarget(
  cluster: Cluster,
  target: string,
  container: string | undefined,
  signal: AbortSignal,
  { evenIfHeld = false }: { readonly evenIfHeld?: boolean } = {},
): Promise<ResolvedTarget> {
  const { kind, name } = parseTarget(target);
  const services = await readServices(cluster, signal);
  const service = kind === undefined || kind === 'Service' ? find(services, name) : undefined;
  const owners = new Owners(cluster);
  const workload = service
    ? await behindService(cluster, owners, service, signal)
    : await named(cluster, kind, name, services, signal);
  const held = sessionAnnotation in workload.object.metadata.annotations;
  if (held && !evenIfHeld) await assertNotHeld(cluster, workload, signal);
  assertReplaceable(workload);
  const template = templateOf(workload);
  const selecting = services.filter(({ spec }) => selects(spec.selector, template.metadata?.labels ?? {}));
  const chosen = chooseContainer(template, container, service ? [service] : selecting);
  const reached = servicePorts(template, chosen, selecting);
  const ports = [...declaredPorts(chosen), ...reached.flatMap((each) => each.ports.map((port) => port.containerPort))];
  const running = await runningPods(cluster, owners, workload, chosen.name, signal);
  return {
    workload: {
      kind: workload.kind,
      name: workload.object.metadata.name,
      namespace: workload.object.metadata.namespace,
      uid: workload.object.metadata.uid,
    },
    container: chosen.name,
    services: reached,
    containerPorts: [...new Set(ports)].sort((a, b) => a - b),
    replicas: desiredReplicas(workload),
    podsStay: podsStayUntilReady(workload),
    pods: running.map(({ metadata }) => metadata.name),
    pod: running[0],
  };
}

function find(services: readonly Service[], name: string): Service | undefined {
  return services.find(({ metadata }) => metadata.name === name);
}

async function named(
  cluster: Cluster,
  kind: WorkloadKind | 'Service' | undefined,
  name: string,
  services: readonly Service[],
  signal: AbortSignal,
): Promise<Workload> {
  const { namespace } = cluster;
  if (kind === 'Service')
    throw missing(
      `service/${name}`,
      name,
      services.map(({ metadata }) => metadata.name),
      'Services',
      cluster,
    );
  if (kind !== undefined) {
    const workload = await readWorkload(cluster, { kind, namespace, name }, signal);
    if (workload) return kind === 'Pod' ? await owned(cluster, workload, signal) : workload;
    const all = await listWorkloads(cluster, kind, signal);
    const names = all.map(({ object }) => object.metadata.name);
    throw missing(display({ kind, name }), name, names, `${kind}s`, cluster);
  }
  const lists = await Promise.all(workloadKinds.map((each) => listWorkloads(cluster, each, signal)));
  const workloads = lists.flat();
  const same = workloads.filter(({ object }) => object.metadata.name === name);
  const [only] = same;
  if (only && same.length === 1) return only.kind === 'Pod' ? await owned(cluster, only, signal) : only;
  if (only) throw ambiguous(`No Service is called "${name}", but several workloads are.`, same.map(nameOf));
  const names = [
    ...services.map(({ metadata }) => metadata.name),
    ...workloads.filter((each) => each.kind !== 'Pod').map(({ object }) => object.metadata.name),
  ];
  throw missing(`"${name}"`, name, names, 'Services and workloads', cluster);
}

function missing(what: string, name: string, names: readonly string[], noun: string, cluster: Cluster): Problem {
  return new Problem({
    code: 'target-missing',
    what: `There is no ${what} in namespace "${cluster.namespace}".`,
    why: `Looked in context "${cluster.context}".`,
    remedy: suggest(name, [...new Set(names)], noun) || 'Check "target", "namespace" and "context".',
  });
}

function ambiguous(why: string, names: readonly string[]): Problem {
  return new Problem({
    code: 'target-ambiguous',
    what: 'It is not clear which workload is meant.',
    why: `${why} They are: ${names.join(', ')}.`,
    remedy: `Name one of them as the target, for example "${names[0]}".`,
  });
}

function nameOf(workload: Workload): string {
  return display({ kind: workload.kind, name: workload.object.metadata.name });
}

async function behindService(
  cluster: Cluster,
  owners: Owners,
  service: Service,
  signal: AbortSignal,
): Promise<Workload> {
  const { name } = service.metadata;
  const { type, selector, externalName } = service.spec;
  if (type === 'ExternalName' || Object.keys(selector).length === 0) {
    throw new Problem({
      code: 'service-without-selector',
      what: `Service "${name}" has no pods in this cluster.`,
      why:
        type === 'ExternalName'
          ? `It is an ExternalName for "${externalName}".`
          : 'It has no selector; its endpoints are written by hand.',
      remedy: 'Choose a Service that selects pods, or name a workload.',
    });
  }
  const labelSelector = Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  const request = { method: 'GET', path: pathOf('Pod', cluster.namespace), query: { labelSelector }, signal } as const;
  const { items } = await cluster.api.request(request, listSchema(podSchema));
  const pods = items.filter((pod) => !hasEnded(pod));
  const found = new Map(
    (await Promise.all(pods.map((pod) => owners.of(pod, signal)))).map((owner) => [owner.uid, owner]),
  );
  const [only] = [...found.values()];
  if (found.size > 1) {
    throw ambiguous(`Service "${name}" sends to the pods of several workloads.`, [...found.values()].map(display));
  }
  if (only) return await fromOwner(cluster, only, `Service "${name}"`, signal);
  return await idleBehind(cluster, service, signal);
}

/** The workload whose template the Service would select, though no pod exists now (scaled to 0, pods refused). */
async function idleBehind(cluster: Cluster, service: Service, signal: AbortSignal): Promise<Workload> {
  const lists = await Promise.all(controllerKinds.map((kind) => listWorkloads(cluster, kind, signal)));
  const idle = lists.flat().filter((each) => selects(service.spec.selector, templateOf(each).metadata?.labels ?? {}));
  const [only] = idle;
  if (only && idle.length === 1) return only;
  if (only) throw ambiguous(`Service "${service.metadata.name}" selects several workloads.`, idle.map(nameOf));
  const selector = Object.entries(service.spec.selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  throw new Problem({
    code: 'target-without-pods',
    what: `Service "${service.metadata.name}" has no pods.`,
    why: `No pod and no workload in namespace "${cluster.namespace}" has the labels ${selector}.`,
    remedy: 'Deploy the workload first, or correct the selector of the Service.',
  });
}

/** A pod named by the user is replaced by way of the workload that made it. */
async function owned(cluster: Cluster, workload: Workload, signal: AbortSignal): Promise<Workload> {
  if (workload.kind !== 'Pod') return workload;
  const owner = await new Owners(cluster).of(workload.object, signal);
  return owner.kind === 'Pod' ? workload : await fromOwner(cluster, owner, nameOf(workload), signal);
}

async function fromOwner(cluster: Cluster, owner: Owner, of: string, signal: AbortSignal): Promise<Workload> {
  if (!owner.supported) {
    throw new Problem({
      code: 'target-unsupported',
      what: `${of} cannot be replaced.`,
      why: `Its pods belong to ${owner.kind} "${owner.name}".`,
      remedy: 'Only Deployments, StatefulSets, DaemonSets and pods without an owner can be replaced.',
    });
  }
  const workload = await readWorkload(cluster, { ...owner, namespace: cluster.namespace }, signal);
  if (workload) return workload;
  throw new Problem({
    code: 'target-missing',
    what: `${display(owner)}, which ${of} belongs to, is gone.`,
    why: 'It was deleted a moment ago.',
    remedy: 'Try again.',
  });
}

async function runningPods(
  cluster: Cluster,
  owners: Owners,
  workload: Workload,
  container: string,
  signal: AbortSignal,
): Promise<readonly [Pod, ...Pod[]]> {
  const path = pathOf('Pod', cluster.namespace);
  const request = { method: 'GET', path, query: podQuery(workload), signal } as const;
  const { items } = await cluster.api.request(request, listSchema(podSchema));
  const uid = workload.object.metadata.uid;
  const mine = await Promise.all(
    items.map(async (pod) => ((await owners.of(pod, signal)).uid === uid ? pod : undefined)),
  );
  const pods = mine.filter((pod) => pod !== undefined);
  const [first, ...rest] = pods.filter((pod) => isRunning(pod, container));
  if (first) return [first, ...rest];
  throw new Problem({
    code: 'target-without-pods',
    what: `${nameOf(workload)} has no running pod.`,
    why: whyNone(workload, pods, container),
    remedy:
      desiredReplicas(workload) === 0
        ? `Scale it up, for example "kubectl scale --replicas=1 ${nameOf(workload)}".`
        : 'Make it run first; its environment is taken from a running pod.',
  });
}

function whyNone(workload: Workload, pods: readonly Pod[], container: string): string {
  if (desiredReplicas(workload) === 0) {
    return workload.kind === 'DaemonSet' ? 'No node takes its pods.' : 'It is scaled to 0.';
  }
  const [pod] = [...pods.filter((each) => !hasEnded(each)), ...pods];
  if (pod) return `Pod ${pod.metadata.name}: ${whyNotRunning(pod, container)}.`;
  const conditions = workload.kind === 'Pod' ? [] : workload.object.status.conditions;
  return conditions.find(({ type }) => type === 'ReplicaFailure')?.message ?? 'It has no pods yet.';
}
