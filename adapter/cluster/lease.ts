/**
 * The Lease by which everybody sees that a workload is replaced, by whom, and whether that session still lives.
 * All writes carry the resourceVersion that was read, so two who want the same lease cannot both get it.
 */
import { Problem } from '../problem.ts';
import {
  guestsAnnotation,
  holderAnnotation,
  recordAnnotation,
  takeoverAnnotation,
  workloadAnnotation,
} from './annotations.ts';
import { retryOnConflict } from './api.ts';
import { hasStatus, unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { display } from './kinds.ts';
import {
  answered,
  changeLease,
  type Leased,
  type LeaseState,
  leaseName,
  leasePath,
  microTime,
  readLeaseObject,
  stateOf,
  withAnnotations,
  writeLeaseObject,
} from './lease-object.ts';
import { type Lease, leaseSchema, listSchema, unusedSchema } from './objects.ts';
import { reaperOf } from './reaper-identity.ts';

export { type Leased, type LeaseGuest, type LeaseState, leaseName, type Takeover } from './lease-object.ts';

/** Seconds after the last renewal until anybody may undo the session. */
const durationSeconds = 20;
/** How often a holder renews its Lease. */
export const heartbeatMilliseconds = 5_000;
const managedBy = { 'app.kubernetes.io/managed-by': 'kubernetes-local' };

export interface Holder {
  readonly session: string;
  readonly user: string;
  readonly host: string;
}

export interface HeldLease {
  readonly name: string;
  /** Heartbeat, every 5 s. Problem session-taken if somebody else has taken or ended the session. */
  renew(signal: AbortSignal): Promise<void>;
  release(signal: AbortSignal): Promise<void>;
}

/** Problem target-held: another session has the workload, or has left its marks on it. */
export class TargetHeld extends Problem {
  readonly target: Leased;

  constructor(target: Leased, text: { readonly what: string; readonly why: string; readonly remedy: string }) {
    super({ code: 'target-held', ...text });
    this.target = { workload: target.workload };
  }
}

/** `anna on laptop` */
export function holderName({ user, host }: Pick<Holder, 'user' | 'host'>): string {
  return `${user} on ${host}`;
}

/**
 * Takes the Lease, also an expired one, and that of the session `evenFrom`, which was asked for it and did not answer.
 * Problem target-held (TargetHeld) says who holds it and since when.
 */
export async function acquireLease(
  cluster: Cluster,
  target: Leased,
  holder: Holder,
  signal: AbortSignal,
  { evenFrom }: { readonly evenFrom?: string } = {},
): Promise<HeldLease> {
  const name = leaseName(target);
  const { namespace } = target.workload;
  let mayBeNew = true;
  let held = await retryOnConflict(async () => {
    const now = microTime(cluster.api.now());
    const spec = {
      holderIdentity: holder.session,
      leaseDurationSeconds: durationSeconds,
      acquireTime: now,
      renewTime: now,
    };
    const annotations = { [holderAnnotation]: holderName(holder), [workloadAnnotation]: display(target.workload) };
    // Mostly there is none: it is created without a look, and looked at when that is refused (409).
    const present = mayBeNew ? undefined : await readLeaseObject(cluster, namespace, name, signal);
    if (!present) {
      mayBeNew = false;
      const metadata = { name, labels: managedBy, annotations };
      const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
      return await cluster.api.request({ method: 'POST', path: leasePath(namespace), body, signal }, leaseSchema);
    }
    const state = stateOf(cluster, present);
    const isSilent = state.session === evenFrom && state.takeover?.answered === undefined;
    if (state.alive && state.session !== holder.session && !isSilent) throw heldBy(target, state);
    // Wishes and guests were the former holder's. The record stays: it may be all that is left of a pod.
    const ofBefore = { [takeoverAnnotation]: undefined, [guestsAnnotation]: undefined };
    return await writeLeaseObject(
      cluster,
      { ...withAnnotations(present, { ...annotations, ...ofBefore }), spec },
      signal,
    );
  }, signal);
  return {
    name,
    async renew(renewSignal) {
      held = await retryOnConflict(async () => {
        try {
          return await writeLeaseObject(cluster, renewed(cluster, held), renewSignal);
        } catch (error) {
          if (!hasStatus(error, 404, 409)) throw error;
          const present = await readLeaseObject(cluster, namespace, name, renewSignal);
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

/**
 * A heartbeat of whoever undoes the session: it must not look dead while that takes long. It is an answer, too, to whoever
 * asks for the workload. Nothing if the Lease is another's.
 */
export async function renewLease(cluster: Cluster, name: string, session: string, signal: AbortSignal): Promise<void> {
  const renew = (lease: Lease, state: LeaseState) =>
    state.session === session ? renewed(cluster, answered(cluster, lease, state)) : undefined;
  await changeLease(cluster, cluster.namespace, name, renew, signal);
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
  const lease = await readLeaseObject(cluster, target.workload.namespace, leaseName(target), signal);
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
  const request = { method: 'GET', path: leasePath(cluster.namespace), query, signal } as const;
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
  const save = (lease: Lease, state: LeaseState) =>
    state.session === target.session ? withAnnotations(lease, { [recordAnnotation]: record }) : undefined;
  await changeLease(cluster, target.workload.namespace, leaseName(target), save, signal);
}

/** Problem target-held for a workload whose Lease is alive. */
export function heldBy(target: Leased, state: LeaseState): TargetHeld {
  return new TargetHeld(target, {
    what: `${display(target.workload)} is replaced by ${state.holder}.`,
    why: `The session began at ${state.since} and is alive.`,
    remedy: `Ask them to stop, or say with "onHeld" what to do: "wait" for it (--wait), "share" it read-only (--share), "take-over" (--force). If their computer is gone, "kubernetes-local restore --namespace ${target.workload.namespace}" works 20 s later.`,
  });
}

/** Problem session-taken for a session whose Lease is another's, or gone. */
export function takenFrom(target: Leased, state: LeaseState | undefined): Problem {
  return new Problem({
    code: 'session-taken',
    what: `This session lost ${display(target.workload)}.`,
    why: state ? `It was taken over by ${state.holder}.` : 'Somebody restored it.',
    remedy: 'Start again when it is free.',
  });
}

function renewed(cluster: Cluster, lease: Lease): Lease {
  return { ...lease, spec: { ...lease.spec, renewTime: microTime(cluster.api.now()) } };
}

async function releaseIn(
  cluster: Cluster,
  namespace: string,
  name: string,
  session: string,
  signal: AbortSignal,
): Promise<void> {
  await retryOnConflict(async () => {
    const lease = await readLeaseObject(cluster, namespace, name, signal);
    // A reaper that was undoing this very session has no Lease to wait for either.
    if (lease === undefined || ![session, reaperOf(session)].includes(lease.spec.holderIdentity)) return;
    const { uid, resourceVersion } = lease.metadata;
    const body = { apiVersion: 'v1', kind: 'DeleteOptions', preconditions: { uid, resourceVersion } };
    const request = { method: 'DELETE', path: leasePath(namespace, name), body, signal } as const;
    await unless([404], cluster.api.request(request, unusedSchema));
  }, signal);
}
