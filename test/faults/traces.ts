/**
 * All that a session could leave behind, as texts that can be compared and hashed: every object of the lane's namespace
 * and what is beside it in the cluster, the hosts file and the folder it is in, processes, sockets, temporary files.
 */
import { createHash } from 'node:crypto';
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Api, ApiObject } from './api.ts';
import type { Lane } from './lane.ts';
import { processesOf } from './processes.ts';

/** Each trace by its name. */
export type Traces = ReadonlyMap<string, string>;

/** The name of the trace of the state folder. */
export const stateFolder = 'state folder';

const namespaced = [
  'api/v1 configmaps',
  'api/v1 secrets',
  'api/v1 services',
  'api/v1 serviceaccounts',
  'api/v1 persistentvolumeclaims',
  'api/v1 podtemplates',
  'api/v1 limitranges',
  'api/v1 resourcequotas',
  'apis/apps/v1 deployments',
  'apis/apps/v1 statefulsets',
  'apis/apps/v1 daemonsets',
  'apis/apps/v1 replicasets',
  'apis/apps/v1 controllerrevisions',
  'apis/batch/v1 jobs',
  'apis/batch/v1 cronjobs',
  'apis/autoscaling/v2 horizontalpodautoscalers',
  'apis/policy/v1 poddisruptionbudgets',
  'apis/networking.k8s.io/v1 networkpolicies',
  'apis/networking.k8s.io/v1 ingresses',
  'apis/rbac.authorization.k8s.io/v1 roles',
  'apis/rbac.authorization.k8s.io/v1 rolebindings',
  'apis/coordination.k8s.io/v1 leases',
];
/** In the whole cluster: names only, for other lanes do not change these either. */
const clusterWide = [
  'apis/rbac.authorization.k8s.io/v1/clusterroles',
  'apis/rbac.authorization.k8s.io/v1/clusterrolebindings',
  'api/v1/namespaces/kube-public/configmaps',
];

/** Takes all traces of a lane. Rejects while the API server cannot be reached. */
export async function takeTraces(api: Api, lane: Lane): Promise<Traces> {
  const [cluster, computer] = [await clusterTraces(api, lane.namespace), computerTraces(lane)];
  return new Map([...cluster, ...computer]);
}

/** Those of this computer, which cost little. */
export function computerTraces(lane: Lane): Traces {
  const traces = new Map<string, string>();
  const hosts = join(lane.etc, 'hosts');
  const { mode, uid, gid } = lstatSync(hosts);
  traces.set('hosts file', `${sha256(readFileSync(hosts))} mode ${mode.toString(8)} owner ${uid}:${gid}`);
  for (const [name, folder] of [
    ['/etc', lane.etc],
    ['temporary files', lane.temporary],
    ['runtime folder', lane.runtime],
    ['links', lane.links],
  ] as const) {
    traces.set(name, names(folder).join('\n'));
  }
  // Logs are there to stay.
  const state = names(lane.state).filter((path) => !path.startsWith('logs'));
  traces.set(stateFolder, state.join('\n'));
  traces.set(
    'shared memory',
    readdirSync('/dev/shm')
      .filter((name) => lane.sessions.some((session) => name.includes(session)))
      .join('\n'),
  );
  traces.set(
    'processes',
    processesOf(lane.state)
      .map(({ command }) => command)
      .join('\n'),
  );
  traces.set('sockets', sockets(lane.folder).join('\n'));
  return traces;
}

/** What differs, in words; empty if nothing does. */
export function differences(before: Traces, after: Traces): readonly string[] {
  const found: string[] = [];
  for (const [name, text] of before) {
    const other = after.get(name);
    if (other === undefined) found.push(`${name} is gone`);
    else if (other !== text) found.push(`${name} differs:\n      before ${text}\n      after  ${other}`);
  }
  for (const name of after.keys()) if (!before.has(name)) found.push(`${name} was left behind`);
  return found;
}

/** One hash over all traces. */
export function hashOf(traces: Traces): string {
  return sha256(JSON.stringify([...traces].sort(([a], [b]) => (a < b ? -1 : 1))));
}

async function clusterTraces(api: Api, namespace: string): Promise<Traces> {
  const traces = new Map<string, string>();
  for (const entry of namespaced) {
    const [group, resource] = entry.split(' ');
    for (const object of await api.list(`/${group}/namespaces/${namespace}/${resource}`)) {
      traces.set(`${object.kind}/${object.metadata.name}`, described(object));
    }
  }
  const pods = await api.list(`/api/v1/namespaces/${namespace}/pods`);
  traces.set('pods', pods.map(describedPod).sort().join('\n'));
  for (const path of clusterWide) {
    const ours = (await api.list(`/${path}`)).map(({ metadata }) => metadata.name).filter(isOurs);
    traces.set(path, ours.sort().join('\n'));
  }
  return traces;
}

function isOurs(name: string): boolean {
  return name.includes('kubernetes-local') && !name.startsWith('kubernetes-local-developer');
}

/** An object without what the API server and the controllers count up at every change. */
function described({ kind, metadata, ...rest }: ApiObject): string {
  const { resourceVersion: _version, generation: _generation, managedFields: _fields, annotations, ...kept } = metadata;
  const notes = Object.entries(annotations ?? {}).filter(([key]) => !key.startsWith('deployment.kubernetes.io/'));
  const { status: _status, ...description } = rest;
  // The Deployment controller scales the ReplicaSet that counts; its copy of the wanted number is in the annotations.
  return JSON.stringify({ kind, metadata: { ...kept, annotations: Object.fromEntries(notes.sort()) }, ...description });
}

function describedPod({ metadata, spec, status }: ApiObject): string {
  const images = (part: unknown): string => JSON.stringify(part, (key, value) => (keptOfPod(key) ? value : undefined));
  const ending = metadata.deletionTimestamp === undefined ? '' : ' ending';
  return `${images(spec)} ${readiness(status)}${ending}`;
}

/** Of a pod's spec only the images: the rest has names that change. */
function keptOfPod(key: string): boolean {
  return (
    key === '' || /^\d+$/.test(key) || ['containers', 'initContainers', 'ephemeralContainers', 'image'].includes(key)
  );
}

function readiness(status: unknown): string {
  const conditions = /"type":"Ready"[^}]*"status":"True"|"status":"True"[^}]*"type":"Ready"/;
  return conditions.test(JSON.stringify(status)) ? 'ready' : 'not ready';
}

/** Every path beneath a folder, links with where they lead. */
function names(folder: string): readonly string[] {
  if (!existsSync(folder)) return ['missing'];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const name = relative(folder, path);
      return entry.isSymbolicLink() ? `${name} → ${linkTarget(path)}` : name;
    })
    .sort();
}

function linkTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '?';
  }
}

/** Listening Unix sockets beneath this folder, by proc_net_unix(5). */
function sockets(folder: string): readonly string[] {
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .flatMap((line) => line.match(/\S*$/)?.[0] ?? [])
    .filter((path) => path.startsWith(folder));
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}
