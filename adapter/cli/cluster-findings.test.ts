import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from '../cluster/fake-api-server.ts';
import { clusterFindings } from './cluster-findings.ts';

const { signal } = new AbortController();
const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-doctor-'));
afterAll(() => rmSync(folder, { recursive: true }));

const meta = (name: string, more: object = {}) => ({
  name,
  namespace: 'shop',
  uid: name,
  resourceVersion: '1',
  ...more,
});
const labels = { app: 'cart' };
const spec = { containers: [{ name: 'cart', image: 'cart:1', ports: [{ containerPort: 8080 }] }] };
const replicaSet = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'cart-1', uid: 'cart-1', controller: true };
const objects: Readonly<Record<string, readonly object[]>> = {
  services: [{ metadata: meta('cart'), spec: { clusterIP: '10.0.0.9', selector: labels, ports: [{ port: 8080 }] } }],
  deployments: [
    {
      metadata: meta('cart'),
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      status: { readyReplicas: 1 },
    },
  ],
  replicasets: [
    {
      metadata: meta('cart-1', {
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name: 'cart', uid: 'cart', controller: true }],
      }),
      spec: { replicas: 1 },
    },
  ],
  pods: [
    {
      metadata: meta('cart-1-a', { labels, ownerReferences: [replicaSet] }),
      spec,
      status: {
        phase: 'Running',
        podIP: '10.1.0.5',
        containerStatuses: [{ name: 'cart', ready: true, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } }],
      },
    },
  ],
};

/** An API server with one Deployment behind a Service; `allowed` tells which rights the user has. */
function serve(
  allowed: (verb: string, resource: string) => boolean,
  nodes?: readonly object[],
): Promise<FakeApiServer> {
  return FakeApiServer.start(({ path, body }: FakeRequest): FakeAnswer => {
    if (path === '/version') return { gitVersion: 'v1.35.4' };
    if (path.endsWith('/selfsubjectreviews')) return { status: { userInfo: { username: 'anna' } } };
    if (path.endsWith('/selfsubjectaccessreviews')) {
      const { verb, resource } = (body as { spec: { resourceAttributes: { verb: string; resource: string } } }).spec
        .resourceAttributes;
      return { status: { allowed: allowed(verb, resource) } };
    }
    if (path === '/api/v1/nodes')
      return nodes === undefined ? 403 : { metadata: { resourceVersion: '1' }, items: nodes };
    if (path === '/api/v1/namespaces/shop') return { metadata: meta('shop') };
    const [, resource = '', name] = /\/namespaces\/shop\/([a-z]+)(?:\/(.+))?$/.exec(path) ?? [];
    const found = objects[resource] ?? [];
    if (name === undefined) return { metadata: { resourceVersion: '1' }, items: found };
    return found.find((object) => 'metadata' in object && (object.metadata as { name: string }).name === name) ?? 404;
  });
}

function kubeconfig(server: string): string {
  const path = join(folder, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'dev',
    clusters: [{ name: 'dev', cluster: { server } }],
    users: [{ name: 'anna', user: { token: 'hunter2' } }],
    contexts: [{ name: 'dev', context: { cluster: 'dev', user: 'anna', namespace: 'shop' } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

describe('clusterFindings', () => {
  it('are good where everything is there, and only ask', async () => {
    await using server = await serve(() => true);
    const question = { kubeconfig: kubeconfig(server.url), target: 'service/cart', ports: { '8080': 49_151 } };
    const { findings, problem } = await clusterFindings(question, signal);
    expect(problem).toBeUndefined();
    expect(findings.map(({ subject, outcome }) => [subject, outcome])).toEqual([
      ['cluster', 'ok'],
      ['target', 'ok'],
      ['rights', 'ok'],
      ['local ports', 'ok'],
    ]);
    expect(findings[0]?.text).toContain('you are anna, in namespace shop');
    expect(JSON.stringify(findings)).not.toContain('hunter2');
    const changes = server.requests.filter(({ method, path }) => method !== 'GET' && !path.endsWith('reviews'));
    expect(changes).toEqual([]);
  });

  it('name a right that is missing', async () => {
    await using server = await serve((verb, resource) => !(verb === 'patch' && resource === 'deployments'));
    const question = { kubeconfig: kubeconfig(server.url), target: 'cart', ports: {} };
    const { findings, problem } = await clusterFindings(question, signal);
    expect(problem?.code).toBe('right-missing');
    expect(findings.at(-1)).toMatchObject({
      subject: 'rights',
      outcome: 'not possible',
      text: expect.stringContaining('patch deployments.apps "cart"'),
    });
  });

  it('name a target that is not there', async () => {
    await using server = await serve(() => true);
    const question = { kubeconfig: kubeconfig(server.url), target: 'card', ports: {} };
    const { findings, problem } = await clusterFindings(question, signal);
    expect(problem?.code).toBe('target-missing');
    expect(findings.map(({ outcome }) => outcome)).toEqual(['ok', 'not possible']);
  });

  it('say that the cluster does not answer', async () => {
    const gone = await serve(() => true);
    const path = kubeconfig(gone.url);
    await gone[Symbol.asyncDispose]();
    const { findings, problem } = await clusterFindings({ kubeconfig: path, ports: {} }, signal);
    expect(problem?.code).toBe('cluster-unreachable');
    expect(findings).toMatchObject([{ subject: 'cluster', outcome: 'not possible' }]);
  });
});

describe("the agent's image", () => {
  const node = (name: string, ...names: string[]) => ({
    metadata: meta(name),
    status: { images: [{ names: ['docker.io/library/other:1'] }, { names }] },
  });
  const agentImage = 'registry.example.com/team/agent:1';

  async function imageOf(image: string, nodes?: readonly object[]) {
    await using server = await serve(() => true, nodes);
    const question = { kubeconfig: kubeconfig(server.url), target: 'cart', ports: {}, agentImage: image };
    const { findings, problem } = await clusterFindings(question, signal);
    return { finding: findings.find(({ subject }) => subject === 'image'), problem };
  }

  it('is fine where every node has it', async () => {
    const { finding } = await imageOf(agentImage, [node('one', agentImage), node('two', agentImage)]);
    expect(finding).toMatchObject({ outcome: 'ok', text: expect.stringContaining('Every node has') });
  });

  it('is known under its full name', async () => {
    const { finding } = await imageOf('kubernetes-local/agent:1', [node('one', 'docker.io/kubernetes-local/agent:1')]);
    expect(finding?.outcome).toBe('ok');
  });

  it.each([
    ['on some nodes', agentImage, [node('one', agentImage), node('two')], ['Already on one, but not on two']],
    ['on no node', agentImage, [node('one')], ['registry.example.com', 'cannot be known beforehand', 'No node tells']],
    ['unknown', agentImage, undefined, ['You may not list nodes']],
    [
      'without a registry',
      'kubernetes-local/agent:1',
      [node('one')],
      ['names no registry', 'docker.io/kubernetes-local'],
    ],
  ])('may be missing: %s', async (_case, image, nodes, words) => {
    const { finding, problem } = await imageOf(image, nodes);
    expect(problem).toBeUndefined();
    expect(finding).toMatchObject({ outcome: 'limited', remedy: expect.stringMatching(/registry/) });
    for (const word of words) expect(finding?.text).toContain(word);
  });

  it('must have a name that can be one', async () => {
    const { finding, problem } = await imageOf('Not An Image');
    expect(problem?.code).toBe('bad-value');
    expect(finding).toMatchObject({ outcome: 'not possible', remedy: expect.stringContaining('agentImage') });
  });
});
