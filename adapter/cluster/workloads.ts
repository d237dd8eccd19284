/** Reads workloads; a bare pod and a controller look the same from here on: metadata and a pod template. */
import { Problem } from '../problem.ts';
import { unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { display, pathOf, type WorkloadKind } from './kinds.ts';
import { type Controller, controllerSchema, listSchema, type Pod, type PodTemplate, podSchema } from './objects.ts';
import { selectorText } from './selector.ts';

/** A workload as it is in the cluster now. */
export type Workload =
  | { readonly kind: 'Deployment' | 'StatefulSet' | 'DaemonSet'; readonly object: Controller }
  | { readonly kind: 'Pod'; readonly object: Pod };

/** Reads one workload; undefined if there is none of this name. */
export async function readWorkload(
  cluster: Cluster,
  workload: { readonly kind: WorkloadKind; readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<Workload | undefined> {
  const { kind, namespace, name } = workload;
  const request = { method: 'GET', path: pathOf(kind, namespace, name), signal } as const;
  if (kind === 'Pod') {
    const object = await unless([404], cluster.api.request(request, podSchema));
    return object && { kind, object };
  }
  const object = await unless([404], cluster.api.request(request, controllerSchema));
  return object && { kind, object };
}

/** All workloads of a kind in the session's namespace; empty if the user may not list them. */
export async function listWorkloads(cluster: Cluster, kind: WorkloadKind, signal: AbortSignal): Promise<Workload[]> {
  const request = { method: 'GET', path: pathOf(kind, cluster.namespace), signal } as const;
  if (kind === 'Pod') {
    const list = await unless([403], cluster.api.request(request, listSchema(podSchema)));
    return (list?.items ?? []).map((object) => ({ kind, object }));
  }
  const list = await unless([403], cluster.api.request(request, listSchema(controllerSchema)));
  return (list?.items ?? []).map((object) => ({ kind, object }));
}

/** What pods of the workload are made from; for a bare pod the pod itself. */
export function templateOf(workload: Workload): PodTemplate {
  if (workload.kind !== 'Pod') return workload.object.spec.template;
  const { metadata, spec } = workload.object;
  return { metadata: { labels: metadata.labels, annotations: metadata.annotations }, spec };
}

/** The query that finds the workload's pods. */
export function podQuery(workload: Workload): { readonly labelSelector?: string; readonly fieldSelector?: string } {
  return workload.kind === 'Pod'
    ? { fieldSelector: `metadata.name=${workload.object.metadata.name}` }
    : { labelSelector: selectorText(workload.object.spec.selector) };
}

/** How many pods the workload is to have. */
export function desiredReplicas(workload: Workload): number {
  if (workload.kind === 'Pod') return 1;
  if (workload.kind === 'DaemonSet') return workload.object.status.desiredNumberScheduled;
  return workload.object.spec.replicas ?? 1;
}

/**
 * Whether a changed template ends none of the pods before one of the new ones is ready: a Deployment that has more pods meanwhile, and
 * may not have fewer. By ResolveFenceposts of Kubernetes (pkg/controller/deployment/util): shares of the pods that may be missing are rounded
 * down, of those that may be added up, and where both are none one may be missing.
 */
export function podsStayUntilReady(workload: Workload): boolean {
  if (workload.kind !== 'Deployment') return false;
  const { type = 'RollingUpdate', rollingUpdate } = workload.object.spec.strategy ?? {};
  const pods = desiredReplicas(workload);
  const { maxSurge = '25%', maxUnavailable = '25%' } = rollingUpdate ?? {};
  return (
    type === 'RollingUpdate' &&
    countOf(maxUnavailable, pods, Math.floor) === 0 &&
    countOf(maxSurge, pods, Math.ceil) > 0
  );
}

function countOf(value: number | string, pods: number, round: (share: number) => number): number {
  return typeof value === 'number' ? value : round((Number.parseInt(value, 10) * pods) / 100);
}

/** Problem target-unsupported if a changed pod template would not become running pods by itself. */
export function assertReplaceable(workload: Workload): void {
  const why = whyNotReplaceable(workload);
  if (why === undefined) return;
  const name = display({ kind: workload.kind, name: workload.object.metadata.name });
  throw new Problem({ code: 'target-unsupported', what: `${name} cannot be replaced.`, ...why });
}

function whyNotReplaceable(workload: Workload): { why: string; remedy: string } | undefined {
  const { spec } = templateOf(workload);
  if (spec.os?.name === 'windows' || spec.nodeSelector?.['kubernetes.io/os'] === 'windows') {
    return {
      why: 'It runs on Windows nodes; the agent is a Linux program.',
      remedy: 'Choose a workload on Linux nodes.',
    };
  }
  if (workload.kind === 'Pod') {
    return 'kubernetes.io/config.mirror' in workload.object.metadata.annotations
      ? { why: 'It is a static pod: its node makes it from a file.', remedy: 'Change the file on the node instead.' }
      : undefined;
  }
  const { paused, updateStrategy } = workload.object.spec;
  if (paused) return { why: 'It is paused.', remedy: 'Resume it with "kubectl rollout resume".' };
  if (updateStrategy?.type === 'OnDelete') {
    return {
      why: 'Its update strategy is OnDelete: a changed template reaches no pod until somebody deletes it.',
      remedy: 'Set updateStrategy.type to RollingUpdate.',
    };
  }
  if ((updateStrategy?.rollingUpdate?.partition ?? 0) > 0) {
    return {
      why: 'Its update strategy has a partition: a changed template reaches only some of its pods.',
      remedy: 'Set updateStrategy.rollingUpdate.partition to 0.',
    };
  }
  return undefined;
}
