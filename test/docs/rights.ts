/** The Roles of docs/rights.md, made from the rights that the program itself asks for. */
import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { optionalContentRights } from '../../adapter/cluster/content-rights.ts';
import { podSchema } from '../../adapter/cluster/objects.ts';
import type { Right } from '../../adapter/cluster/right.ts';
import { optionalRights, requiredRights } from '../../adapter/cluster/rights.ts';
import { widerRights } from '../../adapter/cluster/wider-rights.ts';

type Kind = Parameters<typeof requiredRights>[0]['workload']['kind'];

/** Rights on the same resource with the same names: one rule of a Role. */
interface Rule {
  readonly group: string;
  readonly resource: string;
  readonly verbs: readonly string[];
  readonly names: readonly string[];
}

/** Why a session needs the resource. */
const reasons: Readonly<Record<string, string>> = {
  services: 'what the target is, and which names your program may call',
  pods: 'the pods of the workload: which there are, which are ready',
  'pods/portforward': 'the tunnel; before Kubernetes 1.35 "get" is enough',
  'pods/log': 'the key by which the tunnel knows the agent, and its last words if it crashes',
  leases: 'says who holds the workload; RBAC cannot limit "create" to a name',
  deployments: 'puts the agent in and the original back',
  statefulsets: 'puts the agent in and the original back',
  daemonsets: 'puts the agent in and the original back',
  replicasets: 'to which Deployment a pod belongs',
  configmaps: 'what the environment of the container refers to',
  secrets: 'what the environment of the container refers to',
};

/** What it gains by those that it works without, by the first verb and the resource. */
const optionalReasons: Readonly<Record<string, string>> = {
  'watch services': 'optional: Services that come or go during the session show at once, not within 30 seconds',
  'get pods/exec': 'optional: the variables that the image sets',
  'create serviceaccounts/token': 'optional: the token with which the program talks to the API server',
  'list configmaps': 'optional: files of ConfigMaps that change during the session show at once',
  'list secrets': 'optional: files of Secrets that change during the session show at once',
  'list endpointslices': 'optional: names of pods such as db-0.db, and all pods of headless Services',
};

const manifests = readFileSync(new URL('../apps/shop/manifests/cart.yaml', import.meta.url), 'utf8');
const manifestSchema = z.looseObject({
  kind: z.string(),
  spec: z.looseObject({ template: z.looseObject({}).optional() }).optional(),
});
const template = parseAllDocuments(manifests)
  .map((document) => manifestSchema.parse(document.toJS()))
  .find(({ kind }) => kind === 'Deployment')?.spec?.template;
const pod = podSchema.parse({ ...template, metadata: { name: 'cart', uid: '0', resourceVersion: '0' } });

/** The Role for the cart of the sample shop, as YAML, if it were a workload of this kind. */
export function roleOfOneWorkload(kind: Kind): string {
  return role('kubernetes-local-cart', rightsOn(kind));
}

/** The Role for all workloads of a namespace, as YAML. */
export function roleOfNamespace(): string {
  const rights = (['Deployment', 'StatefulSet', 'DaemonSet', 'Pod'] as const).flatMap(rightsOn);
  return role(
    'kubernetes-local',
    rights.map(({ name: _name, ...right }) => right),
  );
}

/** The Role with what a session does without, as YAML. */
export function roleOfWiderRights(): string {
  return plainRole('kubernetes-local-wider', widerRights, ({ gain }) => `optional: ${gain}`);
}

/** The Role for the names of another namespace, as YAML. */
export function roleOfOtherNamespace(): string {
  const rights = optionalRights(['', 'other']).filter(({ namespace }) => namespace === 'other');
  return plainRole('kubernetes-local-names', rights, () => 'the names of this namespace, for sessions in others');
}

/** The Role in the namespace `default`, as YAML. */
export function roleInDefault(): string {
  const right = { verb: 'get', group: '', resource: 'services', name: 'kubernetes' };
  const reason = 'the variables KUBERNETES_SERVICE_... and the name kubernetes.default';
  return plainRole('kubernetes-local', [right], () => reason);
}

/** The ClusterRole for the names of namespaces, as YAML. */
export function clusterRoleOfNamespaces(): string {
  const rights = ['get', 'list'].map((verb) => ({ verb, group: '', resource: 'namespaces' }));
  return plainRole('kubernetes-local-namespaces', rights, () => 'a wrong namespace is named at once', 'ClusterRole');
}

function rightsOn(kind: Kind): readonly Right[] {
  return requiredRights({ workload: { kind, name: 'cart', namespace: '', uid: '' }, container: 'cart', pod });
}

function role(name: string, rights: readonly Right[]): string {
  const write = ruleWriter();
  const rules = [
    ...rulesOf(rights).map((rule) => write(rule, reasons[rule.resource])),
    ...rulesOf([...optionalRights(['']), ...optionalContentRights]).map((rule) =>
      write(rule, optionalReasons[`${rule.verbs[0]} ${rule.resource}`]),
    ),
  ];
  return object('Role', name, rules);
}

function object(kind: 'Role' | 'ClusterRole', name: string, rules: readonly string[]): string {
  return `apiVersion: rbac.authorization.k8s.io/v1\nkind: ${kind}\nmetadata: { name: ${name} }\nrules:\n${rules.join('')}`;
}

function plainRole<T extends Right>(
  name: string,
  rights: readonly T[],
  reasonOf: (right: T) => string,
  kind: 'Role' | 'ClusterRole' = 'Role',
): string {
  const write = ruleWriter();
  const rules = groups(rights, reasonOf).flatMap(({ first, all }) =>
    rulesOf(all).map((rule) => write(rule, reasonOf(first))),
  );
  return object(kind, name, rules);
}

/** One line a rule; a reason stands above the first of those that share it. */
function ruleWriter(): (rule: Rule, reason: string | undefined) => string {
  let said = '';
  return ({ group, resource, verbs, names }, reason) => {
    if (reason === undefined) throw new Error(`Say why a session needs ${resource}.`);
    const comment = reason === said ? '' : `  # ${reason}\n`;
    said = reason;
    const resourceNames = names.length > 0 ? `,\n      resourceNames: ${list(names)}` : '';
    return `${comment}  - { apiGroups: ["${group}"], resources: ${list([resource])}, verbs: ${list(verbs)}${resourceNames} }\n`;
  };
}

function rulesOf(rights: readonly Right[]): readonly Rule[] {
  const objects = groups(rights, ({ group, resource, name }) => [group, resource, name]).map(({ first, all }) => ({
    ...first,
    verbs: [...new Set(all.map(({ verb }) => verb))],
  }));
  return groups(objects, ({ group, resource, verbs, name }) => [group, resource, verbs, name === undefined]).map(
    ({ first: { group, resource, verbs }, all }) => ({
      group,
      resource,
      verbs,
      names: all.flatMap(({ name }) => name ?? []),
    }),
  );
}

function groups<T>(items: readonly T[], key: (item: T) => unknown): readonly { first: T; all: readonly T[] }[] {
  return [...Map.groupBy(items, (item) => JSON.stringify(key(item))).values()].flatMap((all) => {
    const [first] = all;
    return first === undefined ? [] : [{ first, all }];
  });
}

function list(values: readonly string[]): string {
  return `[${values.join(', ')}]`;
}
