/**
 * The Lease by which everybody sees that a workload is replaced, by whom, and whether that session still lives.
 * All writes carry the resourceVersion that was read, so two who want the same lease cannot both get it.
 */
import { Problem } from '../problem.ts';
import { holderAnnotation, recordAnnotation } from './annotations.ts';
import { retryOnConflict } from './api.ts';
import { hasStatus, unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { display, type WorkloadKind } from './kinds.ts';
import { type Lease, leaseSchema, listSchema, unusedSchema } from './objects.ts';

/** Seconds after the last renewal until anybody may undo the session. */
const durationSeconds = 20;
const managedBy = { 'app.kubernetes.io/managed-by': 'kubernetes-local' };

interface Leased {
  readonly workload: { readonly kind: WorkloadKind; readonly name: string; readonly namespace: string };
}

export interface Holder {
  readonly session: string;
  readonly user: string;
  readonly host: string;
}

export interface HeldLease {
  readonly name: string;
  /** Heartbeat, every 5 s. Problem target-held if somebody else has taken or ended the session. */
  renew(signal: AbortSignal): Promise<void>;
  release(signal: AbortSignal): Promise<void>;
}

/** What a Lease says. */
export interface LeaseState {
  readonly session: string;
  /** `anna on laptop` */
  readonly holder: string;
  /** ISO time of the acquisition by the API server's clock. */
  readonly since: string;
  readonly alive: boolean;
  /** The record of a bare pod, if it was saved here. */
  readonly record: string | undefined;
}

/** The name of the Lease of a workload. */
export function leaseName(target: Leased): string {
  return `kubernetes-local-${target.workload.kind.toLowerCase()}-${target.workload.name}`;
}

/** Takes the Lease, also an expired one. Problem target-held says who holds it and since when. */
export async function acquireLease(
  cluster: Cluster,
  target: Leased,
  holder: Holder,
  signal: AbortSignal,
): Promise<HeldLease> {
  const name = leaseName(target);
  const { namespace } = target.workload;
  let held = await retryOnConflict(async () => {
    const now = microTime(cluster.api.now());
    const spec = {
      holderIdentity: holder.session,
      leaseDurationSeconds: durationSeconds,
      acquireTime: now,
      renewTime: now,
    };
    const annotations = { [holderAnnotation]: `${holder.user} on ${holder.host}` };
    const present = await read(cluster, namespace, name, signal);
    if (!present) {
      const metadata = { name, labels: managedBy, annotations };
      const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
      return await cluster.api.request({ method: 'POST', path: pathOf(namespace), body, signal }, leaseSchema);
    }
    const state = stateOf(cluster, present);
    if (state.alive && state.session !== holder.session) throw heldBy(target, state);
    const metadata = { ...present.metadata, annotations: { ...present.metadata.annotations, ...annotations } };
    return await write(cluster, { ...present, metadata, spec }, signal);
  }, signal);
  return {
    name,
    async renew(renewSignal) {
      held = await retryOnConflict(async () => {
        try {
          return await write(
            cluster,
            { ...held, spec: { ...held.spec, renewTime: microTime(cluster.api.now()) } },
            renewSignal,
          );
        } catch (error) {
          if (!hasStatus(error, 404, 409)) throw error;
          const present = await read(cluster, namespace, name, renewSignal);
          if (present?.spec.holderIdentity !== holder.session)
            throw takenFrom(target, present && stateOf(cluster, present));
          held = present;
          throw error;
        }
      }, renewSignal);
    },
    release: (releaseSignal) => releaseIn(cluster, namespace, name, holder.session, releaseSignal),
  };
}

/** Deletes a Lease of the session's namespace if that session still holds it. */
export async function releaseLease(
  cluster: Cluster,
  name: string,
  session: string,
  signal: AbortSignal,
): Promise<void> {
  await releaseIn(cluster, cluster.namespace, name, session, signal);
}

/** What the Lease of a workload says; undefined if there is none. */
export async function readLease(
  cluster: Cluster,
  target: Leased,
  signal: AbortSignal,
): Promise<LeaseState | undefined> {
  const lease = await read(cluster, target.workload.namespace, leaseName(target), signal);
  return lease && stateOf(cluster, lease);
}

/** All Leases of kubernetes-local in the session's namespace; empty if the user may not list them. */
export async function listLeases(
  cluster: Cluster,
  signal: AbortSignal,
): Promise<readonly (LeaseState & { readonly name: string })[]> {
  const query = {
    labelSelector: Object.entries(managedBy)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  };
  const request = { method: 'GET', path: pathOf(cluster.namespace), query, signal } as const;
  const list = await unless([403], cluster.api.request(request, listSchema(leaseSchema)));
  return (list?.items ?? []).map((lease) => ({ name: lease.metadata.name, ...stateOf(cluster, lease) }));
}

/** Saves the record of a bare pod in the session's Lease, where it survives the pod. */
export async function saveRecordInLease(
  cluster: Cluster,
  target: Leased & { readonly session: string },
  record: string,
  signal: AbortSignal,
): Promise<void> {
  await retryOnConflict(async () => {
    const lease = await read(cluster, target.workload.namespace, leaseName(target), signal);
    if (lease?.spec.holderIdentity !== target.session) return;
    const annotations = { ...lease.metadata.annotations, [recordAnnotation]: record };
    await write(cluster, { ...lease, metadata: { ...lease.metadata, annotations } }, signal);
  }, signal);
}

/** Problem target-held for a workload whose Lease is alive. */
export function heldBy(target: Leased, state: LeaseState): Problem {
  return new Problem({
    code: 'target-held',
    what: `${display(target.workload)} is replaced by ${state.holder}.`,
    why: `The session began at ${state.since} and is alive.`,
    remedy: `Ask them to stop, or choose another target. If their computer is gone, "kubernetes-local restore --namespace ${target.workload.namespace}" works 20 s later.`,
  });
}

function takenFrom(target: Leased, state: LeaseState | undefined): Problem {
  return new Problem({
    code: 'target-held',
    what: `This session lost ${display(target.workload)}.`,
    why: state ? `It was taken over by ${state.holder}.` : 'Somebody restored it.',
    remedy: 'Start again when it is free.',
  });
}

async function read(
  cluster: Cluster,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<Lease | undefined> {
  return await unless(
    [404],
    cluster.api.request({ method: 'GET', path: pathOf(namespace, name), signal }, leaseSchema),
  );
}

async function write(cluster: Cluster, lease: Lease, signal: AbortSignal): Promise<Lease> {
  const { namespace, name } = lease.metadata;
  const body = { ...lease, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
  return await cluster.api.request({ method: 'PUT', path: pathOf(namespace, name), body, signal }, leaseSchema);
}

async function releaseIn(
  cluster: Cluster,
  namespace: string,
  name: string,
  session: string,
  signal: AbortSignal,
): Promise<void> {
  await retryOnConflict(async () => {
    const lease = await read(cluster, namespace, name, signal);
    if (lease?.spec.holderIdentity !== session) return;
    const { uid, resourceVersion } = lease.metadata;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
    const request = { method: 'DELETE', path: pathOf(namespace, name), body, signal } as const;
    await unless([404], cluster.api.request(request, unusedSchema));
  }, signal);
}

function stateOf(cluster: Cluster, { metadata, spec }: Lease): LeaseState {
  const end = Date.parse(spec.renewTime) + spec.leaseDurationSeconds * 1000;
  return {
    session: spec.holderIdentity,
    holder: metadata.annotations[holderAnnotation] ?? 'somebody',
    since: spec.acquireTime,
    alive: spec.holderIdentity !== '' && end > cluster.api.now().getTime(),
    record: metadata.annotations[recordAnnotation],
  };
}

function pathOf(namespace: string, name?: string): string {
  const list = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  return name === undefined ? list : `${list}/${encodeURIComponent(name)}`;
}

/** Kubernetes' MicroTime: RFC 3339 with six decimals. */
function microTime(date: Date): string {
  return date.toISOString().replace(/Z$/, '000Z');
}
