/** The rights around the reaper: its own, and those with which a user makes and removes it. */
import { groupOf, resourceOf, type WorkloadKind } from './kinds.ts';
import { leaseName } from './lease.ts';
import type { Right } from './right.ts';

const rbac = 'rbac.authorization.k8s.io';

/** The workload that a reaper watches over. */
export interface Reaped {
  readonly kind: WorkloadKind;
  readonly name: string;
  readonly namespace: string;
}

/**
 * All that the reaper of one workload may do. Each of these is among the rights that its user needs for the session, so
 * that RBAC lets them give it (it refuses to let anybody give more than they have).
 */
export function rightsOfReaper(workload: Reaped): readonly Right[] {
  const { kind, name } = workload;
  const rights = [
    ...verbsOn('coordination.k8s.io', 'leases', ['get', 'update', 'delete'], leaseName({ workload })),
    ...verbsOn('', 'pods', kind === 'Pod' ? ['get', 'list', 'watch', 'create'] : ['list', 'watch']),
  ];
  if (kind === 'Pod') return [...rights, ...verbsOn('', 'pods', ['delete'], name)];
  rights.push(...verbsOn(groupOf(kind), resourceOf(kind), ['get', 'patch'], name));
  if (kind === 'Deployment') rights.push(...verbsOn('apps', 'replicasets', ['get']));
  if (kind === 'StatefulSet') rights.push(...verbsOn('', 'pods', ['delete']));
  return rights;
}

/** What a user needs beyond a session's own rights to make a reaper of this name and to remove it again. */
export function rightsToMakeReaper(name: string): readonly Right[] {
  return [
    ['', 'serviceaccounts'],
    [rbac, 'roles'],
    [rbac, 'rolebindings'],
    ['apps', 'deployments'],
  ].flatMap(([group = '', resource = '']) => [
    ...verbsOn(group, resource, ['create']),
    ...verbsOn(group, resource, ['get', 'delete'], name),
  ]);
}

/** What the reaper of a whole cluster may do: to find the Leases, and the same in every namespace but for bare pods. */
export function rightsOfClusterReaper(): readonly Right[] {
  return [
    ...verbsOn('coordination.k8s.io', 'leases', ['get', 'list', 'update', 'delete']),
    ...verbsOn('apps', 'deployments', ['get', 'patch']),
    ...verbsOn('apps', 'statefulsets', ['get', 'patch']),
    ...verbsOn('apps', 'daemonsets', ['get', 'patch']),
    // The agent's revisions, which "kubectl rollout undo" would bring back.
    ...verbsOn('apps', 'replicasets', ['get', 'list', 'delete']),
    ...verbsOn('apps', 'controllerrevisions', ['list', 'delete']),
    ...verbsOn('', 'pods', ['list', 'watch', 'delete']),
  ];
}

function verbsOn(group: string, resource: string, verbs: readonly string[], name?: string): readonly Right[] {
  return verbs.map((verb) => ({ verb, group, resource, ...(name !== undefined && { name }) }));
}
