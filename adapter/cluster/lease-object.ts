/** The Lease of one workload as an object in the cluster: its name, what it says, and how it is read and written. */
import { z } from 'zod';
import {
  guestsAnnotation,
  holderAnnotation,
  recordAnnotation,
  takeoverAnnotation,
  workloadAnnotation,
} from './annotations.ts';
import { retryOnConflict } from './api.ts';
import { unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import type { WorkloadKind } from './kinds.ts';
import { type Lease, leaseSchema } from './objects.ts';

export interface Leased {
  readonly workload: { readonly kind: WorkloadKind; readonly name: string; readonly namespace: string };
}

const longestName = 100;
/** Anybody may write into a Lease: what is shown of it has no control characters, and an end. */
const shown = (text: string): string => text.replaceAll(/\p{Cc}/gu, '').slice(0, longestName);
const nameSchema = z.string().transform(shown);

const takeoverSchema = z.object({
  /** The session that wants the workload. */
  session: z.string(),
  /** `boris on desk` */
  holder: nameSchema,
  /** ISO time. */
  since: z.string(),
  /** ISO time at which the holder has read it: it steps aside, however long its undo takes. */
  answered: z.string().optional(),
});
/** Somebody's wish to have the workload in the holder's stead. */
export type Takeover = z.infer<typeof takeoverSchema>;

const guestSchema = z.object({
  session: z.string(),
  /** `boris on desk` */
  holder: nameSchema,
  /** Ed25519, base64 of its SPKI DER form; the agents admit its owner. */
  publicKey: z.string(),
  /** ISO time. */
  since: z.string(),
});
/** Somebody who shares the holder's session, read-only. */
export type LeaseGuest = z.infer<typeof guestSchema>;

/** What a Lease says. */
export interface LeaseState {
  readonly session: string;
  /** `anna on laptop` */
  readonly holder: string;
  /** ISO time of the acquisition by the API server's clock. */
  readonly since: string;
  readonly alive: boolean;
  /** Milliseconds for which it stays alive without a heartbeat; negative: since then it is not. */
  readonly left: number;
  /** `deployment/cart`; undefined in a Lease of an older version. */
  readonly workload: string | undefined;
  /** The record of a bare pod, if it was saved here. */
  readonly record: string | undefined;
  readonly takeover: Takeover | undefined;
  readonly guests: readonly LeaseGuest[];
}

/** The name of the Lease of a workload. */
export function leaseName(target: Leased): string {
  return `kubernetes-local-${target.workload.kind.toLowerCase()}-${target.workload.name}`;
}

/** Where Leases of a namespace are in the API, or one of them. */
export function leasePath(namespace: string, name?: string): string {
  const list = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  return name === undefined ? list : `${list}/${encodeURIComponent(name)}`;
}

/** undefined if there is none. */
export async function readLeaseObject(
  cluster: Cluster,
  namespace: string,
  name: string,
  signal: AbortSignal,
): Promise<Lease | undefined> {
  const request = { method: 'GET', path: leasePath(namespace, name), signal } as const;
  return await unless([404], cluster.api.request(request, leaseSchema));
}

/** Refused (409) if it was changed since it was read. */
export async function writeLeaseObject(cluster: Cluster, lease: Lease, signal: AbortSignal): Promise<Lease> {
  const { namespace, name } = lease.metadata;
  const body = { ...lease, apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' };
  const request = { method: 'PUT', path: leasePath(namespace, name), body, signal } as const;
  return await cluster.api.request(request, leaseSchema);
}

/** The Lease with these annotations set; one that is undefined is removed. */
export function withAnnotations(lease: Lease, changes: Readonly<Record<string, string | undefined>>): Lease {
  const annotations = Object.fromEntries(
    Object.entries({ ...lease.metadata.annotations, ...changes }).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value]],
    ),
  );
  return { ...lease, metadata: { ...lease.metadata, annotations } };
}

/**
 * Writes what `change` makes of the Lease, read afresh as often as somebody else was faster. `change` gives undefined, or
 * throws, for a Lease that it does not want to change. Returns what the Lease says now; undefined if there is none.
 */
export async function changeLease(
  cluster: Cluster,
  namespace: string,
  name: string,
  change: (lease: Lease, state: LeaseState) => Lease | undefined,
  signal: AbortSignal,
): Promise<LeaseState | undefined> {
  return await retryOnConflict(async () => {
    const lease = await readLeaseObject(cluster, namespace, name, signal);
    if (lease === undefined) return undefined;
    const state = stateOf(cluster, lease);
    const changed = change(lease, state);
    return changed === undefined ? state : stateOf(cluster, await writeLeaseObject(cluster, changed, signal));
  }, signal);
}

/** The Lease with word to whoever asks for the workload that its holder steps aside. */
export function answered(cluster: Cluster, lease: Lease, { takeover }: LeaseState): Lease {
  if (takeover === undefined || takeover.answered !== undefined) return lease;
  const answer = { ...takeover, answered: cluster.api.now().toISOString() };
  return withAnnotations(lease, { [takeoverAnnotation]: JSON.stringify(answer) });
}

export function stateOf(cluster: Cluster, { metadata, spec }: Lease): LeaseState {
  const { annotations } = metadata;
  const end = Date.parse(spec.renewTime) + spec.leaseDurationSeconds * 1000;
  const left = end - cluster.api.now().getTime();
  return {
    session: spec.holderIdentity,
    holder: shown(annotations[holderAnnotation] ?? 'somebody'),
    since: spec.acquireTime,
    alive: spec.holderIdentity !== '' && left > 0,
    left,
    workload: annotations[workloadAnnotation],
    record: annotations[recordAnnotation],
    takeover: parsed(takeoverSchema.optional(), annotations[takeoverAnnotation]),
    guests: parsed(z.array(guestSchema), annotations[guestsAnnotation]) ?? [],
  };
}

/** Kubernetes' MicroTime: RFC 3339 with six decimals. */
export function microTime(date: Date): string {
  return date.toISOString().replace(/Z$/, '000Z');
}

/** Anybody may write an annotation: one that cannot be read says nothing. */
function parsed<T>(schema: z.ZodType<T>, text: string | undefined): T | undefined {
  if (text === undefined) return undefined;
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
