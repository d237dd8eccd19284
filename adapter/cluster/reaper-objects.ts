/** The objects that make up the reaper of one workload. Pure: from a description to manifests. */
import { createHash } from 'node:crypto';
import { reaperLabel, sessionAnnotation } from './annotations.ts';
import { leaseName } from './lease.ts';
import { type Reaped, rightsOfReaper } from './reaper-rights.ts';
import type { Right } from './right.ts';

const rbac = 'rbac.authorization.k8s.io';
/** A name of ours also is the value of a label. */
const longestName = 63;
/** Of the agent's image: Kubernetes can check that it is not root. */
const user = 65_532;
/** Where the reaper says that it can read its Lease. */
export const reaperHealthPort = 8080;

export interface ReaperPlan {
  readonly workload: Reaped;
  readonly session: string;
  /** The uid of the Lease, with which the garbage collector removes the reaper. */
  readonly leaseUid: string;
  /** The agent's image has the reaper in it. */
  readonly image: string;
  readonly imagePullSecrets: unknown;
  /** Seconds after the Lease has expired. */
  readonly delay: number;
}

/** A manifest, and where it is made. */
export interface ReaperObject {
  readonly path: string;
  readonly manifest: Readonly<Record<string, unknown>>;
}

/** The name of everything that belongs to the reaper of a workload. */
export function reaperName({ kind, name }: Pick<Reaped, 'kind' | 'name'>): string {
  const whole = `kubernetes-local-reaper-${kind.toLowerCase()}-${name}`;
  if (whole.length <= longestName) return whole;
  const digest = createHash('sha256').update(whole).digest('hex').slice(0, 8);
  return `${whole.slice(0, longestName - digest.length - 1).replace(/[.-]+$/, '')}-${digest}`;
}

/** Where the objects of a reaper are, in the order in which they are made; the last one runs it. */
export function reaperPaths(namespace: string): readonly string[] {
  const inNamespace = `namespaces/${encodeURIComponent(namespace)}`;
  return [
    `/api/v1/${inNamespace}/serviceaccounts`,
    `/apis/${rbac}/v1/${inNamespace}/roles`,
    `/apis/${rbac}/v1/${inNamespace}/rolebindings`,
    `/apis/apps/v1/${inNamespace}/deployments`,
  ];
}

/** The manifests of the reaper of one workload, in the order in which they are made. */
export function reaperObjects(plan: ReaperPlan): readonly ReaperObject[] {
  const { workload, session, leaseUid, delay } = plan;
  const name = reaperName(workload);
  const lease = leaseName({ workload });
  const labels = { 'app.kubernetes.io/managed-by': 'kubernetes-local', [reaperLabel]: name };
  const metadata = {
    name,
    labels,
    annotations: { [sessionAnnotation]: session },
    ownerReferences: [{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name: lease, uid: leaseUid }],
  };
  const args = ['reaper', '--namespace', workload.namespace, '--lease', lease];
  const manifests = [
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    { apiVersion: `${rbac}/v1`, kind: 'Role', metadata, rules: rulesOf(rightsOfReaper(workload)) },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata,
      subjects: [{ kind: 'ServiceAccount', name, namespace: workload.namespace }],
      roleRef: { apiGroup: rbac, kind: 'Role', name },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 1,
        revisionHistoryLimit: 0,
        strategy: { type: 'Recreate' },
        selector: { matchLabels: { [reaperLabel]: name } },
        template: {
          metadata: { labels },
          spec: {
            ...reaperPodSpec(name, plan.image, [...args, '--delay', String(delay)]),
            ...(Array.isArray(plan.imagePullSecrets) && { imagePullSecrets: plan.imagePullSecrets }),
          },
        },
      },
    },
  ];
  return reaperPaths(workload.namespace).map((path, index) => ({ path, manifest: manifests[index] ?? {} }));
}

/** The pod of a reaper: passes the Pod Security level "restricted", and a quota that wants requests and limits. */
export function reaperPodSpec(serviceAccountName: string, image: string, args: readonly string[]) {
  return {
    serviceAccountName,
    automountServiceAccountToken: true,
    enableServiceLinks: false,
    // It has nothing to finish: whatever it was doing, it or somebody else does again.
    terminationGracePeriodSeconds: 1,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: user,
      runAsGroup: user,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    containers: [
      {
        name: 'reaper',
        image,
        imagePullPolicy: 'IfNotPresent',
        args: [...args],
        resources: { requests: { cpu: '5m', memory: '48Mi' }, limits: { cpu: '250m', memory: '128Mi' } },
        readinessProbe: { httpGet: { path: '/ready', port: reaperHealthPort }, periodSeconds: 5, timeoutSeconds: 2 },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      },
    ],
  };
}

/** Rights as the rules of a Role: one rule for each resource and name. */
export function rulesOf(rights: readonly Right[]): readonly Readonly<Record<string, unknown>>[] {
  const groups = Map.groupBy(rights, ({ group, resource, name }) => JSON.stringify([group, resource, name]));
  return [...groups.values()].flatMap((all) => {
    const [first] = all;
    if (first === undefined) return [];
    const { group, resource, name } = first;
    const verbs = all.map(({ verb }) => verb);
    return [{ apiGroups: [group], resources: [resource], verbs, ...(name !== undefined && { resourceNames: [name] }) }];
  });
}
