/** The kinds of workload that can be replaced, where the API server keeps them and how users write them. */
import { Problem } from '../problem.ts';
import { nearest } from './nearest.ts';

export type WorkloadKind = 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Pod';
export type ControllerKind = Exclude<WorkloadKind, 'Pod'>;
export const controllerKinds = ['Deployment', 'StatefulSet', 'DaemonSet'] as const satisfies readonly ControllerKind[];
export const workloadKinds = [...controllerKinds, 'Pod'] as const satisfies readonly WorkloadKind[];

/** What the user wrote: `cart` alone has no kind and means the Service, else the one workload of that name. */
export interface TargetName {
  readonly kind: WorkloadKind | 'Service' | undefined;
  readonly name: string;
}

const words: Readonly<Record<WorkloadKind | 'Service', readonly string[]>> = {
  Service: ['service', 'services', 'svc'],
  Deployment: ['deployment', 'deployments', 'deploy', 'deployment.apps', 'deployments.apps'],
  StatefulSet: ['statefulset', 'statefulsets', 'sts', 'statefulset.apps', 'statefulsets.apps'],
  DaemonSet: ['daemonset', 'daemonsets', 'ds', 'daemonset.apps', 'daemonsets.apps'],
  Pod: ['pod', 'pods', 'po'],
};

const kindOfWord = new Map<string, WorkloadKind | 'Service'>(
  [...workloadKinds, 'Service' as const].flatMap((kind) => words[kind].map((word) => [word, kind] as const)),
);

/** Kinds that kubectl knows and that cannot stand still for a debugger. */
const unsupported = new Set(
  'replicaset replicasets rs job jobs cronjob cronjobs cj replicationcontroller replicationcontrollers rc'.split(' '),
);

/** Reads `KIND/NAME` or `NAME` with kubectl's words for kinds. Problems bad-value, target-unsupported. */
export function parseTarget(target: string): TargetName {
  const parts = target.trim().split('/');
  const [first = '', second] = parts;
  const word = second === undefined ? undefined : first.toLowerCase();
  const name = second ?? first;
  if (parts.length > 2 || name === '' || word === '') {
    throw new Problem({
      code: 'bad-value',
      what: `"${target}" is not a target.`,
      why: 'A target is written KIND/NAME, or NAME alone for a Service.',
      remedy: 'For example: service/cart, deployment/cart, statefulset/cart, daemonset/cart, pod/cart.',
    });
  }
  if (word === undefined) return { kind: undefined, name };
  const kind = kindOfWord.get(word);
  if (kind) return { kind, name };
  if (unsupported.has(word)) {
    throw new Problem({
      code: 'target-unsupported',
      what: `"${target}" cannot be replaced.`,
      why: 'Only a Service, Deployment, StatefulSet, DaemonSet or Pod can be a target.',
      remedy: 'Name the owner of the pods instead.',
    });
  }
  const near = nearest(word, kindOfWord.keys())[0];
  throw new Problem({
    code: 'bad-value',
    what: `"${word}" in "${target}" is not a kind of target.`,
    why: 'The kinds are service, deployment, statefulset, daemonset and pod.',
    remedy: near ? `Did you mean "${near}/${name}"?` : 'Correct "target".',
  });
}

/** The plural, lower-case name of a kind in URLs and roles. */
export function resourceOf(kind: WorkloadKind): string {
  return `${kind.toLowerCase()}s`;
}

/** The API group of a kind. */
export function groupOf(kind: WorkloadKind): '' | 'apps' {
  return kind === 'Pod' ? '' : 'apps';
}

/** The URL path of all objects of a kind in a namespace, or of one of them. */
export function pathOf(kind: WorkloadKind, namespace: string, name?: string): string {
  const root = kind === 'Pod' ? '/api/v1' : '/apis/apps/v1';
  const list = `${root}/namespaces/${encodeURIComponent(namespace)}/${resourceOf(kind)}`;
  return name === undefined ? list : `${list}/${encodeURIComponent(name)}`;
}

/** As kubectl prints it: `deployment/cart`. */
export function display(workload: { readonly kind: string; readonly name: string }): string {
  return `${workload.kind.toLowerCase()}/${workload.name}`;
}
