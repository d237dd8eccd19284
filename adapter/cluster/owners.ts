/** From pods up to the workload that makes them. */
import { z } from 'zod';
import { unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { controllerKinds, type WorkloadKind } from './kinds.ts';
import { ownedSchema, type Pod } from './objects.ts';

/** A pod's workload, or the owner that makes it impossible to replace. */
export type Owner =
  | { readonly supported: true; readonly kind: WorkloadKind; readonly name: string; readonly uid: string }
  | { readonly supported: false; readonly kind: string; readonly name: string; readonly uid: string };

const kindSchema = z.enum(controllerKinds);

/** Finds owners; each ReplicaSet is read once. */
export class Owners {
  readonly #cluster: Cluster;
  readonly #replicaSets = new Map<string, Promise<Owner>>();

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  /** The controller at the end of the chain; the pod itself if it has none. */
  async of(pod: Pod, signal: AbortSignal): Promise<Owner> {
    const controller = pod.metadata.ownerReferences.find((reference) => reference.controller);
    if (!controller) return { supported: true, kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid };
    if (controller.kind !== 'ReplicaSet') return asOwner(controller);
    const known = this.#replicaSets.get(controller.uid);
    const found = known ?? this.#ofReplicaSet(controller, signal);
    this.#replicaSets.set(controller.uid, found);
    // A failure is not an answer to remember.
    found.catch(() => this.#replicaSets.delete(controller.uid));
    return await found;
  }

  async #ofReplicaSet(replicaSet: { kind: string; name: string; uid: string }, signal: AbortSignal): Promise<Owner> {
    const path = `/apis/apps/v1/namespaces/${this.#cluster.namespace}/replicasets/${encodeURIComponent(replicaSet.name)}`;
    const read = await unless([404], this.#cluster.api.request({ method: 'GET', path, signal }, ownedSchema));
    const controller = read?.metadata.ownerReferences.find((reference) => reference.controller);
    return controller ? asOwner(controller) : { ...asOwner(replicaSet), supported: false };
  }
}

function asOwner({ kind, name, uid }: { kind: string; name: string; uid: string }): Owner {
  const known = kindSchema.safeParse(kind);
  return known.success ? { supported: true, kind: known.data, name, uid } : { supported: false, kind, name, uid };
}
