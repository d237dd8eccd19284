/** The manifests of docs/reaper.md, made from what the program itself makes and asks for. */
import { stringify } from 'yaml';
import { clusterReaperMarker } from '../../adapter/cluster/reaper.ts';
import { reaperName, reaperPodSpec, rulesOf } from '../../adapter/cluster/reaper-objects.ts';
import { rightsOfClusterReaper, rightsOfReaper, rightsToMakeReaper } from '../../adapter/cluster/reaper-rights.ts';
import type { Right } from '../../adapter/cluster/right.ts';

const rbac = 'rbac.authorization.k8s.io';
const usualDelay = 300;
/** Of the reaper of a whole cluster. */
const name = 'kubernetes-local-reaper';
const home = 'kubernetes-local';
const image = 'registry.example.com/team/agent:1';

/** The Role with which a user may have reapers in a namespace, as YAML. */
export function roleOfReaperMaker(): string {
  const rights = rightsToMakeReaper('').map(({ name: _name, ...right }) => right);
  return yaml(role('Role', 'kubernetes-local-reaper-maker', rights));
}

/** The Role that the reaper of the sample shop's cart gets, as YAML. */
export function roleOfReaper(): string {
  const workload = { kind: 'Deployment', name: 'cart', namespace: '' } as const;
  return yaml(role('Role', reaperName(workload), rightsOfReaper(workload)));
}

/** All that makes one reaper serve a whole cluster, as YAML. */
export function clusterReaper(): string {
  const metadata = { name, namespace: home };
  const labels = { app: name };
  const args = ['reaper', '--all-namespaces', '--delay', String(usualDelay)];
  const marker = clusterReaperMarker;
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: home, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata, automountServiceAccountToken: false },
    role('ClusterRole', name, rightsOfClusterReaper()),
    {
      apiVersion: `${rbac}/v1`,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      subjects: [{ kind: 'ServiceAccount', name, namespace: home }],
      roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
    },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata,
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: reaperPodSpec(name, image, args) },
      },
    },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: marker, data: { delay: String(usualDelay) } },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'Role',
      metadata: marker,
      rules: rulesOf([{ verb: 'get', group: '', resource: 'configmaps', name: marker.name }]),
    },
    {
      apiVersion: `${rbac}/v1`,
      kind: 'RoleBinding',
      metadata: marker,
      subjects: [{ apiGroup: rbac, kind: 'Group', name: 'system:authenticated' }],
      roleRef: { apiGroup: rbac, kind: 'Role', name: marker.name },
    },
  ]
    .map(yaml)
    .join('---\n');
}

function role(kind: 'Role' | 'ClusterRole', roleName: string, rights: readonly Right[]) {
  return { apiVersion: `${rbac}/v1`, kind, metadata: { name: roleName }, rules: rulesOf(rights) };
}

/** Short lists and small maps stand in one line. */
function yaml(object: object): string {
  return stringify(object, { aliasDuplicateObjects: false, lineWidth: 110 });
}
