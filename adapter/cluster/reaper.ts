/**
 * Makes and removes the reaper of one workload: a small pod that puts the original back when the Lease of the session has
 * been silent for long. Everything it is made of belongs to the Lease, so that whoever deletes the Lease removes it too.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { reaperLabel, sessionAnnotation } from './annotations.ts';
import { hasStatus, unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { leaseName } from './lease.ts';
import { leaseSchema, listSchema, ownedSchema, type Pod, podSchema, unusedSchema } from './objects.ts';
import { whyNotRunning } from './pod-state.ts';
import { type ReaperObject, type ReaperPlan, reaperName, reaperObjects, reaperPaths } from './reaper-objects.ts';
import { type Reaped, rightsToMakeReaper } from './reaper-rights.ts';
import { isAllowed } from './rights.ts';

export { reaperName } from './reaper-objects.ts';

/** The ConfigMap with which the administrator says that a reaper serves the whole cluster. */
export const clusterReaperMarker = { namespace: 'kube-public', name: 'kubernetes-local-reaper' } as const;

const pollMilliseconds = 250;
/** A pod that does not end within this time ends by itself, later: its Lease is gone. */
const removalMilliseconds = 20_000;

const markerSchema = z.looseObject({ data: z.record(z.string(), z.string()).default({}) });
const deploymentSchema = z.looseObject({
  status: z
    .looseObject({
      availableReplicas: z.number().default(0),
      conditions: z
        .array(z.looseObject({ type: z.string(), status: z.string(), message: z.string().default('') }))
        .default([]),
    })
    .prefault({}),
});

/** How a reaper is doing. */
export type ReaperState = { readonly ready: true } | { readonly ready: false; readonly why: string };

/** The delay in seconds of the reaper that serves the whole cluster; undefined if none is known to. */
export async function clusterReaper(cluster: Cluster, signal: AbortSignal): Promise<number | undefined> {
  const { namespace, name } = clusterReaperMarker;
  const path = `/api/v1/namespaces/${namespace}/configmaps/${name}`;
  const marker = await unless([403, 404], cluster.api.request({ method: 'GET', path, signal }, markerSchema));
  const seconds = Number(marker?.data.delay);
  return Number.isInteger(seconds) && seconds > 0 ? seconds : undefined;
}

/** What the user lacks to make a reaper, as `create roles.rbac.authorization.k8s.io`; empty if they may. */
export async function missingForReaper(
  cluster: Cluster,
  workload: Reaped,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const rights = rightsToMakeReaper(reaperName(workload));
  const allowed = await Promise.all(rights.map((right) => isAllowed(cluster, right, workload.namespace, signal)));
  const missing = rights.filter((_, index) => !allowed[index]);
  return [...new Set(missing.map(({ verb, group, resource }) => `${verb} ${resource}${group && `.${group}`}`))];
}

/**
 * Makes the reaper of a session that holds its Lease; what an earlier session left of one is replaced. Does nothing if the
 * session does not hold the Lease any more. An ApiError (403) says that RBAC does not let the user give these rights.
 */
export async function makeReaper(
  cluster: Cluster,
  plan: Omit<ReaperPlan, 'leaseUid'>,
  signal: AbortSignal,
): Promise<void> {
  const { namespace } = plan.workload;
  const lease = encodeURIComponent(leaseName({ workload: plan.workload }));
  const path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases/${lease}`;
  const held = await unless([404], cluster.api.request({ method: 'GET', path, signal }, leaseSchema));
  if (held?.spec.holderIdentity !== plan.session) return;
  for (const object of reaperObjects({ ...plan, leaseUid: held.metadata.uid })) await make(cluster, object, signal);
}

/**
 * Removes the reaper of this session and waits until its pod is gone. One of another session stays. May be repeated. What
 * the user may not delete is left to the garbage collector, which follows the Lease.
 */
export async function removeReaper(
  cluster: Cluster,
  { namespace, name, session }: { readonly namespace: string; readonly name: string; readonly session: string },
  signal: AbortSignal,
): Promise<void> {
  const paths = reaperPaths(namespace).map((path) => `${path}/${encodeURIComponent(name)}`);
  const removed = await Promise.all(paths.map((path) => remove(cluster, path, session, signal)));
  const [deployment] = paths.slice(-1);
  if (deployment !== undefined && removed.at(-1)) await gone(cluster, deployment, removalMilliseconds, signal);
}

/** How the reaper is doing now, in the cluster's own words. */
export async function reaperState(cluster: Cluster, workload: Reaped, signal: AbortSignal): Promise<ReaperState> {
  const name = reaperName(workload);
  const [path] = reaperPaths(workload.namespace).slice(-1);
  const request = { method: 'GET', path: `${path}/${encodeURIComponent(name)}`, signal } as const;
  const deployment = await unless([404], cluster.api.request(request, deploymentSchema));
  if (deployment === undefined) return { ready: false, why: 'somebody removed it' };
  const { availableReplicas, conditions } = deployment.status;
  if (availableReplicas > 0) return { ready: true };
  const refused = conditions.find(({ type, status }) => type === 'ReplicaFailure' && status === 'True');
  if (refused) return { ready: false, why: refused.message };
  const pod = await podOf(cluster, workload.namespace, name, signal);
  return { ready: false, why: pod ? whyNotRunning(pod, 'reaper') : 'it has no pod yet' };
}

async function podOf(cluster: Cluster, namespace: string, name: string, signal: AbortSignal): Promise<Pod | undefined> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const query = { labelSelector: `${reaperLabel}=${name}` };
  const list = cluster.api.request({ method: 'GET', path, query, signal }, listSchema(podSchema));
  return (await unless([403], list))?.items[0];
}

async function make(cluster: Cluster, { path, manifest }: ReaperObject, signal: AbortSignal): Promise<void> {
  const create = () => cluster.api.request({ method: 'POST', path, body: manifest, signal }, unusedSchema);
  try {
    await create();
  } catch (error) {
    if (!hasStatus(error, 409)) throw error;
    const { name } = ownedSchema.shape.metadata.pick({ name: true }).parse(manifest.metadata);
    const one = `${path}/${encodeURIComponent(name)}`;
    // Of a session that was interrupted: its image, delay and Lease may be others.
    await deleteAt(cluster, one, undefined, signal);
    await gone(cluster, one, removalMilliseconds, signal);
    await create();
  }
}

/** Whether it was there, was this session's, and is being deleted now. */
async function remove(cluster: Cluster, path: string, session: string, signal: AbortSignal): Promise<boolean> {
  const present = await unless([403, 404], cluster.api.request({ method: 'GET', path, signal }, ownedSchema));
  if (present?.metadata.annotations[sessionAnnotation] !== session) return false;
  return await deleteAt(cluster, path, present.metadata.uid, signal);
}

async function deleteAt(
  cluster: Cluster,
  path: string,
  uid: string | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const preconditions = uid === undefined ? {} : { preconditions: { uid } };
  // Foreground: a Deployment is there until its pods are gone.
  const body = { apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: 'Foreground', ...preconditions };
  const answer = cluster.api.request({ method: 'DELETE', path, body, signal }, unusedSchema);
  return (await unless([403, 404, 409], answer)) !== undefined;
}

async function gone(cluster: Cluster, path: string, patience: number, signal: AbortSignal): Promise<void> {
  const end = performance.now() + patience;
  while (performance.now() < end) {
    const present = await unless([403, 404], cluster.api.request({ method: 'GET', path, signal }, ownedSchema));
    if (present === undefined) return;
    await delay(pollMilliseconds, undefined, { signal });
  }
}
