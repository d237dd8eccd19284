/**
 * What the product must leave as it found it, as text that can be compared and hashed:
 * the bytes of the hosts file, and every object of a namespace that a user or a controller described.
 */
import { createHash } from 'node:crypto';
import { lstatSync, readFileSync } from 'node:fs';
import type { Kubectl } from './kubectl.ts';

/** Objects whose whole description has to come back. Pods and ReplicaSets are listed apart: their names change. */
const kinds = [
  'deployments.apps',
  'statefulsets.apps',
  'daemonsets.apps',
  'services',
  'configmaps',
  'secrets',
  'serviceaccounts',
  'roles.rbac.authorization.k8s.io',
  'rolebindings.rbac.authorization.k8s.io',
  'leases.coordination.k8s.io',
  'jobs.batch',
];

export interface Snapshot {
  /** One text for each object, by kind and name. */
  readonly objects: ReadonlyMap<string, string>;
  /** Container images of the pods, sorted. */
  readonly images: readonly string[];
  readonly hosts: { readonly bytes: Buffer; readonly mode: number; readonly uid: number; readonly gid: number };
}

/** Takes the snapshot of a namespace and of the hosts file. */
export async function takeSnapshot(kubectl: Kubectl, namespace: string, hostsFile = '/etc/hosts'): Promise<Snapshot> {
  const [objects, pods] = await Promise.all([
    kubectl.json(['get', kinds.join(','), '-n', namespace]),
    kubectl.json(['get', 'pods', '-n', namespace]),
  ]);
  const stat = lstatSync(hostsFile);
  return {
    objects: new Map(
      items(objects)
        .map(described)
        .sort(([a], [b]) => a.localeCompare(b)),
    ),
    images: items(pods)
      .flatMap((pod) => list(record(pod.spec).containers).map((container) => String(record(container).image)))
      .sort(),
    hosts: { bytes: readFileSync(hostsFile), mode: stat.mode, uid: stat.uid, gid: stat.gid },
  };
}

/** What differs, in words; empty if nothing does. */
export function differences(before: Snapshot, after: Snapshot): readonly string[] {
  const found: string[] = [];
  for (const [name, text] of before.objects) {
    const other = after.objects.get(name);
    if (other === undefined) found.push(`${name} is gone`);
    else if (other !== text) found.push(`${name} differs:\n  before ${text}\n  after  ${other}`);
  }
  for (const name of after.objects.keys()) if (!before.objects.has(name)) found.push(`${name} was left behind`);
  if (before.images.join() !== after.images.join()) {
    found.push(`pods ran ${before.images.join(', ')}, now ${after.images.join(', ')}`);
  }
  if (!before.hosts.bytes.equals(after.hosts.bytes)) {
    found.push(`the hosts file has other bytes:\n  before ${before.hosts.bytes}\n  after  ${after.hosts.bytes}`);
  }
  for (const key of ['mode', 'uid', 'gid'] as const) {
    if (before.hosts[key] !== after.hosts[key]) found.push(`the hosts file has another ${key}`);
  }
  return found;
}

/** The hashes that a person compares. */
export function hashes(snapshot: Snapshot): { readonly cluster: string; readonly hosts: string } {
  const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
  return {
    cluster: sha256(JSON.stringify([...snapshot.objects, snapshot.images])),
    hosts: sha256(snapshot.hosts.bytes),
  };
}

/** An object without what the API server and the controllers count up at every change. */
function described(object: Record<string, unknown>): [name: string, text: string] {
  const { metadata, status: _status, ...rest } = object;
  const {
    resourceVersion: _resourceVersion,
    generation: _generation,
    managedFields: _managedFields,
    annotations,
    ...kept
  } = record(metadata);
  // Kubernetes numbers the versions of a template; the number has no meaning for what runs.
  const {
    'deployment.kubernetes.io/revision': _revision,
    'deprecated.daemonset.template.generation': _templateGeneration,
    ...notes
  } = record(annotations ?? {});
  return [`${object.kind}/${kept.name}`, JSON.stringify({ ...rest, metadata: { ...kept, annotations: notes } })];
}

function items(answer: unknown): readonly Record<string, unknown>[] {
  return list(record(answer).items).map(record);
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`expected a list, got ${JSON.stringify(value)}`);
  return value;
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`expected an object, got ${JSON.stringify(value)}`);
  }
  return { ...value };
}
