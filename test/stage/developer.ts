/**
 * The user as whom the end-to-end tests run the product: with exactly the Roles of docs/rights.md and docs/reaper.md as they
 * stand there, so that nothing the product does needs more than what is documented.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parse } from 'yaml';
import { z } from 'zod';
import type { TestCluster } from '../cluster/cluster.ts';
import { madePart } from '../docs/pages.ts';
import type { Kubectl } from './kubectl.ts';

/** Where each part is. */
const pages = {
  namespace: 'docs/rights.md',
  wider: 'docs/rights.md',
  names: 'docs/rights.md',
  default: 'docs/rights.md',
  namespaces: 'docs/rights.md',
  maker: 'docs/reaper.md',
} as const;
type Part = keyof typeof pages;

/** How the cluster calls them. */
export const developer = 'developer';

const roleSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.enum(['Role', 'ClusterRole']),
  metadata: z.looseObject({ name: z.string() }),
});

/** Gives the developer the documented Roles; the path of their kubeconfig. */
export async function admitDeveloper(cluster: TestCluster, kubectl: Kubectl, namespace: string): Promise<string> {
  const [kubeconfig] = await Promise.all([
    cluster.userKubeconfig(developer),
    grant(kubectl, namespace, ['namespace', 'wider', 'maker']),
    grant(kubectl, 'default', ['default', 'namespaces']),
  ]);
  await Promise.all([may(kubectl, ['patch', 'deployments', '-n', namespace]), may(kubectl, ['list', 'namespaces'])]);
  return kubeconfig;
}

const patienceMilliseconds = 20_000;

/** Waits until the API server acts by a Role: its authorizer learns of them a moment later. */
async function may(kubectl: Kubectl, what: readonly string[]): Promise<void> {
  const end = Date.now() + patienceMilliseconds;
  for (;;) {
    const answer = await kubectl.run(['auth', 'can-i', ...what, '--as', developer]).catch((error: unknown) => error);
    if (typeof answer === 'string') return;
    if (Date.now() > end) throw answer;
    await delay(50);
  }
}

/** Gives the developer the Roles of these parts of the pages in a namespace. */
export async function grant(kubectl: Kubectl, namespace: string, parts: readonly Part[]): Promise<void> {
  const items = parts.flatMap((part) => {
    const page = pages[part];
    const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
    const role = roleSchema.parse(parse(madePart(page, text, part).replaceAll(/^```.*$/gm, '')));
    const { apiVersion, kind } = role;
    const metadata = { name: role.metadata.name, ...(kind === 'Role' && { namespace }) };
    const subjects = [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: developer }];
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind, name: metadata.name };
    return [
      { ...role, metadata },
      { apiVersion, kind: `${kind}Binding`, metadata, subjects, roleRef },
    ];
  });
  // On the server's side: two worlds that open at once give the same Roles.
  const apply = ['apply', '--server-side', '--force-conflicts', '-f', '-'];
  await kubectl.run(apply, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}
