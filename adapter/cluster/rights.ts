/** The rights that a session uses, and the check that the user has them before anything is changed. */
import { z } from 'zod';
import { Problem } from '../problem.ts';
import { unless } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { contentRights, optionalContentRights } from './content-rights.ts';
import { groupOf, resourceOf } from './kinds.ts';
import { leaseName } from './lease.ts';
import { missingNameRight, type NameRight, nameRights } from './name-rights.ts';
import type { Right } from './right.ts';
import type { ResolvedTarget } from './target.ts';

const reviewSchema = z.looseObject({ status: z.looseObject({ allowed: z.boolean() }) });

/** Every right that a session on this target needs in the namespace. What only helps to explain failures is not in it. */
export function requiredRights(target: Pick<ResolvedTarget, 'workload' | 'container' | 'pod'>): readonly Right[] {
  const { kind, name } = target.workload;
  const rights: Right[] = [
    ...right('', 'services', ['list']),
    ...right('', 'pods', ['get', 'list', 'watch']),
    // A websocket is a GET; since Kubernetes 1.35 the API server asks for `create` as well, which it is for SPDY.
    ...right('', 'pods/portforward', ['get', 'create']),
    // The agent's key stands in its log, see cluster/agent-key.ts.
    ...right('', 'pods/log', ['get']),
    ...right('coordination.k8s.io', 'leases', ['create']),
    ...right('coordination.k8s.io', 'leases', ['get', 'update', 'delete'], leaseName(target)),
  ];
  if (kind === 'Pod') rights.push(...right('', 'pods', ['create']), ...right('', 'pods', ['delete'], name));
  else rights.push(...right(groupOf(kind), resourceOf(kind), ['get', 'patch'], name));
  if (kind === 'Deployment') rights.push(...right('apps', 'replicasets', ['get']));
  // An ordered StatefulSet waits for ever for a pod that is not ready, also to put the original back.
  if (kind === 'StatefulSet') rights.push(...right('', 'pods', ['delete']));
  rights.push(...contentRights(target.pod, target.container));
  return rights;
}

/** Those of the required rights without which a session goes on where the user said so: variables and files are left out. */
function isContent({ resource }: Right): boolean {
  return ['configmaps', 'secrets', 'serviceaccounts/token'].includes(resource);
}

/** A guest of another's session changes nothing but the Lease. */
function isForGuests({ verb, resource }: Right): boolean {
  return (
    !['create', 'patch', 'delete'].includes(verb) || ['pods/portforward', 'serviceaccounts/token'].includes(resource)
  );
}

/**
 * Asks the cluster about every right at once. Problem right-missing names all that are missing. With `leave-out` what only
 * variables and files need is not asked for: whoever reads them tells.
 */
export async function checkRights(
  cluster: Cluster,
  target: ResolvedTarget,
  onUnresolved: 'fail' | 'leave-out',
  signal: AbortSignal,
  as: 'holder' | 'guest' = 'holder',
): Promise<void> {
  const { namespace } = target.workload;
  const rights = requiredRights(target)
    .filter((each) => as === 'holder' || isForGuests(each))
    .filter((each) => isUsed(each, cluster.version))
    .filter((each) => onUnresolved === 'fail' || !isContent(each));
  const allowed = await Promise.all(rights.map((each) => isAllowed(cluster, each, namespace, signal)));
  const missing = rights.filter((_, index) => !allowed[index]);
  if (missing.length === 0) return;
  throw new Problem({
    code: 'right-missing',
    what: `You lack ${missing.length === 1 ? 'a right' : `${missing.length} rights`} in namespace "${namespace}".`,
    why: `User "${cluster.user}" may not ${missing.map(describe).join('; may not ')}.`,
    remedy: 'Ask the cluster administrator for the Role in the documentation. Nothing was changed.',
  });
}

/**
 * The rights that names work without, in these namespaces; the first is the session's. Whoever lacks one is
 * told by the session, or beforehand by `missingOptionalRights`.
 */
export function optionalRights(namespaces: readonly string[]): readonly (Right & NameRight)[] {
  return [...new Set(namespaces)].flatMap((namespace, index) => nameRights(namespace, index === 0));
}

/** Asks the cluster about them; what the user lacks, and what follows from it, in full sentences. */
export async function missingOptionalRights(
  cluster: Cluster,
  namespaces: readonly string[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const names = optionalRights(namespaces).map((right) => ({ right, told: missingNameRight(right) }));
  const [namespace = cluster.namespace] = namespaces;
  const contents = optionalContentRights.map((right) => ({
    right: { ...right, namespace },
    told: `You may not ${right.verb} ${right.resource} in namespace ${namespace}. ${right.loss}`,
  }));
  const all = [...names, ...contents];
  const allowed = await Promise.all(all.map(({ right }) => isAllowed(cluster, right, right.namespace, signal)));
  return all.filter((_, index) => !allowed[index]).map(({ told }) => told);
}

function right(group: string, resource: string, verbs: readonly string[], name?: string): readonly Right[] {
  return verbs.map((verb) => ({ verb, group, resource, ...(name === undefined ? {} : { name }) }));
}

function describe({ verb, group, resource, name }: Right): string {
  return `${verb} ${resource}${group ? `.${group}` : ''}${name ? ` "${name}"` : ''}`;
}

/** API servers before 1.35 let a websocket port-forward pass with `get` alone. */
function isUsed({ verb, resource }: Right, version: string): boolean {
  if (resource !== 'pods/portforward' || verb !== 'create') return true;
  const [, major = '1', minor = '99'] = /^v(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(major) > 1 || Number(minor) >= 35;
}

/** Whether the cluster says that the user has this right. One that does not answer the question counts as yes. */
export async function isAllowed(
  cluster: Cluster,
  wanted: Right,
  namespace: string,
  signal: AbortSignal,
): Promise<boolean> {
  const [resource, subresource] = wanted.resource.split('/');
  const { verb, group, name } = wanted;
  const body = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes: { namespace, verb, group, resource, subresource, name } },
  };
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews';
  const review = await unless([403, 404], cluster.api.request({ method: 'POST', path, body, signal }, reviewSchema));
  // A cluster that does not answer the question will say no to the act itself.
  return review?.status.allowed ?? true;
}
