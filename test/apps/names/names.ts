/**
 * The names sample: Services of every kind in two namespaces, whose answers tell who gave them. It owns the manifests and
 * what each name has to answer. All of it runs from the busybox image of the sample shop.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kubectl } from '../../stage/kubectl.ts';

/** The namespace of the session, and another one. */
export interface NamesPlace {
  readonly session: string;
  readonly other: string;
}

/** What the body of a GET of / at this name and port must be. */
export interface Expectation {
  readonly host: string;
  readonly port: number;
  /** Any of these: the pods of a headless Service take turns. */
  readonly answers: readonly string[];
  /** Only if the session asks for the other namespace. */
  readonly needsOther: boolean;
}

/** The workload that a session replaces. */
export const namesTarget = 'service/workbench';

/** Every name and port that a program of the session's namespace can call, in each form that a pod may use. */
export function expectations({ session, other }: NamesPlace): readonly Expectation[] {
  const own = (name: string, port: number, ...answers: readonly string[]) =>
    forms(name, session).map((host) => ({ host, port, answers, needsOther: false }));
  return [
    ...own('prices', 80, 'prices of the session'),
    ...own('catalogue', 80, 'catalogue goods'),
    ...own('catalogue', 9090, 'catalogue admin'),
    ...own('catalogue-pods', 8080, 'catalogue goods'),
    ...own('db', 5432, 'db-0', 'db-1'),
    ...own('db-0.db', 5432, 'db-0'),
    ...own('db-1.db', 5432, 'db-1'),
    ...own('goods', 80, 'catalogue goods'),
    ...own('goods', 9090, 'catalogue admin'),
    ...own('far-prices', 80, 'prices of the other'),
    ...forms('prices', other)
      .slice(1)
      .map((host) => ({ host, port: 80, answers: ['prices of the other'], needsOther: true })),
  ];
}

/**
 * What `NAME_SERVICE_HOST` and `NAME_SERVICE_PORT`, or `NAME_PORT_…_TCP_PORT` for that port, lead to in mode env.
 * `variable` is NAME.
 */
export function variableExpectations(
  place: NamesPlace,
): readonly (Omit<Expectation, 'host'> & { readonly variable: string })[] {
  const bare = expectations(place).filter(({ host }) => isShortest(host, place));
  return bare.map(({ host, ...rest }) => ({ variable: host.replaceAll(/[-.]/g, '_').toUpperCase(), ...rest }));
}

function isShortest(host: string, { session, other }: NamesPlace): boolean {
  return host === `prices.${other}` || !new RegExp(`\\.(${session}|${other})(\\.|$)`).test(host);
}

function forms(name: string, namespace: string): readonly string[] {
  return [name, `${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`];
}

/** The manifests of both namespaces as YAML texts for `kubectl apply`. */
export async function namesManifests(place: NamesPlace): Promise<{ readonly session: string; readonly other: string }> {
  const read = async (name: string) => {
    const text = await readFile(join(import.meta.dirname, 'manifests', `${name}.yaml`), 'utf8');
    return text.replaceAll('__SESSION__', place.session).replaceAll('__OTHER__', place.other);
  };
  const [session, other] = await Promise.all([read('session'), read('other')]);
  return { session, other };
}

/** Makes both namespaces and waits until everything in them answers. The image is loaded already, as for the shop. */
export async function deployNames(kubectl: Kubectl, place: NamesPlace): Promise<void> {
  const namespaces = [place.session, place.other].map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'kubernetes-local-stage' } },
  }));
  await kubectl.run(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: namespaces }));
  const manifests = await namesManifests(place);
  await Promise.all([
    kubectl.run(['apply', '-n', place.session, '-f', '-'], manifests.session),
    kubectl.run(['apply', '-n', place.other, '-f', '-'], manifests.other),
  ]);
  const ready = (namespace: string, workload: string) =>
    kubectl.run(['rollout', 'status', workload, '-n', namespace, '--timeout=120s']);
  await Promise.all([
    ...['deployment/workbench', 'deployment/catalogue', 'deployment/prices', 'statefulset/db'].map((workload) =>
      ready(place.session, workload),
    ),
    ready(place.other, 'deployment/prices'),
  ]);
}
