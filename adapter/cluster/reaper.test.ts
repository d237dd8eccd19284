import { describe, expect, it } from 'vitest';
import { sessionAnnotation } from './annotations.ts';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from './fake-api-server.ts';
import { clusterReaper, makeReaper, missingForReaper, reaperName, reaperState, removeReaper } from './reaper.ts';

const { signal } = new AbortController();
const workload = { kind: 'Deployment', name: 'cart', namespace: 'shop' } as const;
const name = reaperName(workload);
const plan = { workload, session: 'a', image: 'agent:1', imagePullSecrets: undefined, delay: 60 };
const metadata = (of: string) => ({
  name,
  uid: `uid-${of}`,
  resourceVersion: '1',
  annotations: { [sessionAnnotation]: of },
});

/** A namespace with a Lease of the session `a`, and what is made in it. */
class Namespace {
  readonly objects = new Map<string, unknown>();
  readonly requests: string[] = [];
  holder = 'a';

  answer = ({ method, path, body }: FakeRequest): FakeAnswer => {
    this.requests.push(`${method} ${path.split('/').slice(-2).join('/')}`);
    if (path.includes('/leases/')) {
      return { metadata: { name: 'lease', uid: 'l', resourceVersion: '1' }, spec: { holderIdentity: this.holder } };
    }
    if (method === 'POST') {
      if (this.objects.has(`${path}/${name}`)) return 409;
      const made = body as { metadata: { annotations: Record<string, string> } };
      this.objects.set(`${path}/${name}`, {
        ...made,
        metadata: metadata(made.metadata.annotations[sessionAnnotation] ?? ''),
      });
      return made;
    }
    const present = this.objects.get(path);
    if (present === undefined) return 404;
    if (method === 'DELETE') this.objects.delete(path);
    return present as object;
  };
}

const kindsOf = (requests: readonly string[], verb: string) =>
  requests
    .filter((each) => each.startsWith(verb))
    .map((each) =>
      each
        .split('/')
        .at(verb === 'POST' ? -1 : -2)
        ?.replace(`${verb} `, ''),
    );

describe('making a reaper', () => {
  it('makes account, Role and binding before the pod', async () => {
    const namespace = new Namespace();
    await using server = await FakeApiServer.start(namespace.answer);
    await makeReaper(server.cluster(), plan, signal);
    expect(kindsOf(namespace.requests, 'POST')).toEqual(['serviceaccounts', 'roles', 'rolebindings', 'deployments']);
  });

  it('replaces what an interrupted session left', async () => {
    const namespace = new Namespace();
    await using server = await FakeApiServer.start(namespace.answer);
    namespace.holder = 'old';
    await makeReaper(server.cluster(), { ...plan, session: 'old' }, signal);
    namespace.holder = 'a';
    await makeReaper(server.cluster(), plan, signal);
    const sessions = [...namespace.objects.values()].map((object) => JSON.stringify(object).includes('uid-a'));
    expect(sessions).toEqual([true, true, true, true]);
  });

  it('makes nothing for a session that has lost its Lease', async () => {
    const namespace = new Namespace();
    await using server = await FakeApiServer.start(namespace.answer);
    namespace.holder = 'b';
    await makeReaper(server.cluster(), plan, signal);
    expect(namespace.objects.size).toBe(0);
  });
});

describe('removing a reaper', () => {
  it('removes all of it, and may be repeated', async () => {
    const namespace = new Namespace();
    await using server = await FakeApiServer.start(namespace.answer);
    await makeReaper(server.cluster(), plan, signal);
    await removeReaper(server.cluster(), { namespace: 'shop', name, session: 'a' }, signal);
    expect(namespace.objects.size).toBe(0);
    await removeReaper(server.cluster(), { namespace: 'shop', name, session: 'a' }, signal);
  });

  it('leaves one of another session', async () => {
    const namespace = new Namespace();
    await using server = await FakeApiServer.start(namespace.answer);
    await makeReaper(server.cluster(), plan, signal);
    await removeReaper(server.cluster(), { namespace: 'shop', name, session: 'b' }, signal);
    expect(namespace.objects.size).toBe(4);
  });

  it('leaves what the user may not delete to the garbage collector', async () => {
    await using server = await FakeApiServer.start(({ method }) =>
      method === 'GET' ? { metadata: metadata('a') } : 403,
    );
    await removeReaper(server.cluster(), { namespace: 'shop', name, session: 'a' }, signal);
    expect(server.requests.filter(({ method }) => method === 'DELETE')).toHaveLength(4);
  });
});

it.each([
  [404, undefined],
  [403, undefined],
  [{ data: { delay: '600' } }, 600],
  [{ data: { delay: 'soon' } }, undefined],
])('the marker of a reaper of the whole cluster: %j', async (answer, expected) => {
  await using server = await FakeApiServer.start(() => answer);
  expect(await clusterReaper(server.cluster(), signal)).toBe(expected);
  expect(server.requests[0]?.path).toBe('/api/v1/namespaces/kube-public/configmaps/kubernetes-local-reaper');
});

it('says which rights are missing', async () => {
  await using server = await FakeApiServer.start(({ body }) => {
    const { verb, resource } = (body as { spec: { resourceAttributes: { verb: string; resource: string } } }).spec
      .resourceAttributes;
    return { status: { allowed: resource !== 'roles' && !(verb === 'create' && resource === 'deployments') } };
  });
  expect(await missingForReaper(server.cluster(), workload, signal)).toEqual([
    'create roles.rbac.authorization.k8s.io',
    'get roles.rbac.authorization.k8s.io',
    'delete roles.rbac.authorization.k8s.io',
    'create deployments.apps',
  ]);
});

it.each([
  [{ status: { availableReplicas: 1 } }, { ready: true }],
  [404, { ready: false, why: 'somebody removed it' }],
  [
    { status: { conditions: [{ type: 'ReplicaFailure', status: 'True', message: 'exceeded quota' }] } },
    { ready: false, why: 'exceeded quota' },
  ],
  [{ status: {} }, { ready: false, why: 'container reaper: ImagePullBackOff: no such image' }],
])('how it is doing: %j', async (deployment, expected) => {
  const waiting = { name: 'reaper', state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } };
  const pod = {
    metadata: { name: 'p', uid: 'p', resourceVersion: '1' },
    spec: { containers: [{ name: 'reaper' }] },
    status: { phase: 'Pending', containerStatuses: [waiting] },
  };
  await using server = await FakeApiServer.start(({ path }) =>
    path.endsWith('/pods') ? { items: [pod] } : deployment,
  );
  expect(await reaperState(server.cluster(), workload, signal)).toEqual(expected);
});
