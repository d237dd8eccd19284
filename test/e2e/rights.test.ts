/**
 * The Role of docs/rights.md, as it stands there, is enough. Without any single right of it nothing is changed, or, if the
 * right is optional, the session says what it lacks.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { optionalContentRights } from '../../adapter/cluster/content-rights.ts';
import { missingNameRight } from '../../adapter/cluster/name-rights.ts';
import { optionalRights } from '../../adapter/cluster/rights.ts';
import { cartProgram } from '../apps/shop/shop.ts';
import { madePart } from '../docs/pages.ts';
import { Kubectl } from '../stage/kubectl.ts';
import { openWorld, type World } from '../stage/world.ts';

const user = 'rights-tester';
const namespace = 'e2e-rights';
const page = 'docs/rights.md';

const roleSchema = z.strictObject({
  apiVersion: z.literal('rbac.authorization.k8s.io/v1'),
  kind: z.literal('Role'),
  metadata: z.strictObject({ name: z.string() }),
  rules: z.array(
    z.strictObject({
      apiGroups: z.tuple([z.string()]),
      resources: z.tuple([z.string()]),
      verbs: z.array(z.string()).min(1),
      resourceNames: z.array(z.string()).min(1).optional(),
    }),
  ),
});

/** One verb on one resource, on one object or on all of them. */
interface Right {
  readonly verb: string;
  readonly group: string;
  readonly resource: string;
  readonly name: string | undefined;
}

/** Every single right of a Role of the page. */
function rightsOf(part: string): readonly Right[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  const yaml = madePart(page, text, part).replaceAll(/^```.*$/gm, '');
  return roleSchema
    .parse(parse(yaml))
    .rules.flatMap(({ apiGroups: [group], resources: [resource], verbs, resourceNames = [undefined] }) =>
      verbs.flatMap((verb) => resourceNames.map((name) => ({ verb, group, resource, name }))),
    );
}

const documented = rightsOf('deployment');

/** What the user is told while the session stands; without `list` and `watch` all is as it was, only later. */
const toldWithout: Readonly<Record<string, string>> = {
  'pods/exec': `you may not create and get pods/exec in namespace ${namespace}`,
  'serviceaccounts/token': 'create serviceaccounts/token',
  configmaps: '',
  secrets: '',
};

/** What the user is told without a right that the session works without; undefined for the others. */
function lossOf({ verb, group, resource, name }: Right): string | undefined {
  const isThis = (right: Omit<Right, 'name'>) =>
    right.verb === verb && right.group === group && right.resource === resource;
  if (name !== undefined) return undefined;
  const optional = optionalRights([namespace]).find(isThis);
  if (optional) return missingNameRight(optional);
  return optionalContentRights.some(isThis) ? toldWithout[resource] : undefined;
}

let world: World;
let kubeconfig: string;
let users: Kubectl;
beforeAll(async () => {
  world = await openWorld(namespace);
  kubeconfig = await world.cluster.userKubeconfig(user);
  const [program = '', ...args] = world.cluster.kubectl;
  const rest = args.slice(0, args.indexOf('--kubeconfig'));
  users = new Kubectl([program, ...rest, '--kubeconfig', kubeconfig]);
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** Gives the user exactly these rights; resolves when the API server acts by them. */
async function grant(rights: readonly Right[], absent?: Right): Promise<void> {
  const metadata = { name: 'tested', namespace: world.shop.namespace };
  const rules = rights.map(({ verb, group, resource, name }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs: [verb],
    ...(name === undefined ? {} : { resourceNames: [name] }),
  }));
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const objects = [
    { apiVersion, kind: 'Role', metadata, rules },
    {
      apiVersion,
      kind: 'RoleBinding',
      metadata,
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: metadata.name },
    },
  ];
  await world.shop.kubectl.run(
    ['apply', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }),
  );
  // The Role changes as a whole: if one answer is the new Role's, all are.
  const last = rights.at(-1);
  await (absent ? may(absent, false) : last && may(last, true));
}

/** Waits until the API server answers the user so: its authorizer learns of a changed Role a moment later. */
async function may(right: Right, expected: boolean): Promise<void> {
  const [resource = '', subresource] = right.resource.split('/');
  const kind = right.group === '' ? resource : `${resource}.${right.group}`;
  const what = right.name === undefined ? kind : `${kind}/${right.name}`;
  const question = ['auth', 'can-i', right.verb, what, '-n', world.shop.namespace];
  if (subresource) question.push(`--subresource=${subresource}`);
  const end = Date.now() + 20_000;
  for (;;) {
    const allowed = await users.run(question).then(
      () => true,
      () => false,
    );
    if (allowed === expected) return;
    if (Date.now() > end) throw new Error(`The API server does not notice the Role: ${question.join(' ')}`);
    await delay(50);
  }
}

/** A session whose cart listens, what it will have said on standard error, and its end. */
async function listeningCart() {
  const child = runCart(await freePort());
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error('no pipes');
  const said = text(stderr);
  const exit = new Promise<number | null>((resolve) => child.once('close', resolve));
  for await (const line of createInterface(stdout)) if (line.includes('listens on port')) break;
  stdout.resume();
  expect(child.exitCode, 'the cart listens').toBeNull();
  return { child, said, exit };
}

/** Starts the cart in place of the cluster's, as this user. */
function runCart(port: number): ChildProcess {
  const [program = '', ...args] = world.product;
  const { namespace, agentImage } = world.place;
  const options = ['--target', 'service/cart', '--namespace', namespace, '--agent-image', agentImage];
  return spawn(
    program,
    [
      ...args,
      'run',
      ...options,
      '--kubeconfig',
      kubeconfig,
      '--port',
      `http:${port}`,
      '--',
      '/usr/bin/python3',
      cartProgram,
    ],
    { env: { ...world.environment, PORT: String(port) }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe.each([
  ['of one workload', documented],
  ['of a namespace', rightsOf('namespace')],
])('a user with exactly the documented Role %s', (_, rights) => {
  it('runs a whole session: environment, names, requests, undo', async () => {
    await grant(rights);
    const before = await world.snapshot();
    const { child, said, exit } = await listeningCart();
    // PAYMENT_TOKEN is a Secret's, the rest is a ConfigMap's, the pod's and its resources'.
    expect(JSON.parse(await world.shop.request('http://cart/environment'))).toMatchObject({
      servedBy: expect.stringMatching(/^this computer/),
      POD_NAMESPACE: world.shop.namespace,
      GREETING: expect.stringContaining('Good to see you.'),
      MEMORY_LIMIT: '64',
      FEATURES: { FEATURE_VOUCHERS: 'on' },
      PAYMENT_TOKEN: '19 characters',
    });
    // The cart here calls http://prices/ and redis:6379 in the cluster by name.
    expect(JSON.parse(await world.shop.request('http://web/json'))).toMatchObject({
      cartServedBy: expect.stringMatching(/^this computer/),
      pricesServedBy: expect.stringMatching(/in the cluster$/),
    });
    child.kill('SIGTERM');
    await exit;
    expect(await said).toContain('Everything is as it was before.');
    await world.asBefore(before);
  });
});

describe('without one single right', () => {
  it('covers all rights of the documented Role', () => {
    expect(documented.length).toBeGreaterThan(15);
  });

  const cases = documented
    .filter((right) => lossOf(right) === undefined)
    .map((right) => ({ title: titleOf(right), absent: right }));
  it.each(cases)('$title: it is named and nothing is changed', async ({ absent }) => {
    await grant(
      documented.filter((right) => right !== absent),
      absent,
    );
    const before = await world.snapshot();
    const generation = await workloadVersion();
    const child = runCart(await freePort());
    const { stdout, stderr } = child;
    if (!stdout || !stderr) throw new Error('no pipes');
    const [output, said, code] = await Promise.all([
      text(stdout),
      text(stderr),
      new Promise<number | null>((resolve) => child.once('close', resolve)),
    ]);
    expect(said).toContain('error (right-missing)');
    expect(said).toMatch(
      absent.group === ''
        ? new RegExp(`may not ${absent.verb} ${absent.resource}\\b|cannot ${absent.verb} resource "${absent.resource}"`)
        : new RegExp(
            `may not ${absent.verb} ${absent.resource}\\.${absent.group}|cannot ${absent.verb} resource "${absent.resource}" in API group "${absent.group}"`,
          ),
    );
    if (absent.name !== undefined) expect(said).toContain(`"${absent.name}"`);
    expect(said).toContain(`namespace "${world.shop.namespace}"`);
    expect(code).toBe(3);
    expect(output, 'the program was never started').toBe('');
    expect(await workloadVersion(), 'the Deployment was never written').toBe(generation);
    await world.asBefore(before);
  });
});

describe('without one optional right', () => {
  const cases = documented.flatMap((absent) => {
    const loss = lossOf(absent);
    return loss === undefined ? [] : [{ title: titleOf(absent), absent, loss }];
  });

  it('covers all of them', () => {
    expect(cases).toHaveLength(optionalRights([namespace]).length + optionalContentRights.length);
  });

  it.each(cases)('$title: the session stands, and says what it lacks', async ({ absent, loss }) => {
    await grant(
      documented.filter((right) => right !== absent),
      absent,
    );
    const before = await world.snapshot();
    const { child, said, exit } = await listeningCart();
    expect(JSON.parse(await world.shop.request('http://web/json'))).toMatchObject({
      cartServedBy: expect.stringMatching(/^this computer/),
      pricesServedBy: expect.stringMatching(/in the cluster$/),
    });
    child.kill('SIGTERM');
    await exit;
    expect(await said).toContain(loss);
    await world.asBefore(before);
  });
});

function titleOf({ verb, resource, name }: Right): string {
  return [verb, resource, name].filter(Boolean).join(' ');
}

/** Grows with each change of the Deployment's definition, also with one that is undone. */
async function workloadVersion(): Promise<string> {
  const path = 'jsonpath={.metadata.generation}';
  return world.shop.kubectl.run(['get', 'deployment/cart', '-n', world.shop.namespace, '-o', path]);
}
