import { expect, test } from 'vitest';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from './fake-api-server.ts';
import { requiredRights } from './rights.ts';
import { resolveTarget } from './target.ts';

const never = new AbortController().signal;
let serial = 0;

function metadata(name: string, more: object = {}) {
  return { name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: String(++serial), ...more };
}

function service(
  name: string,
  selector: Record<string, string> | undefined,
  ports: readonly object[] = [{ port: 80 }],
  more = {},
) {
  return { metadata: metadata(name), spec: { clusterIP: '10.0.0.9', selector, ports, ...more } };
}

function template(app: string, containers: readonly object[], more: object = {}) {
  return { metadata: { labels: { app } }, spec: { containers, ...more } };
}

interface Shop {
  readonly services?: readonly object[];
  readonly deployments?: readonly object[];
  readonly statefulsets?: readonly object[];
  readonly daemonsets?: readonly object[];
  readonly pods?: readonly { metadata: { name: string }; labels?: Record<string, string> }[];
  readonly replicasets?: readonly object[];
  readonly leases?: readonly object[];
}

/** An API server with these objects; label selectors are understood as far as `key=value`. */
function serve(shop: Shop) {
  return FakeApiServer.start((request: FakeRequest): FakeAnswer => {
    const [, , resource, name] = /\/namespaces\/(shop)\/([a-z]+)(?:\/(.+))?$/.exec(request.path) ?? [];
    const objects = (shop[resource as keyof Shop] ?? []) as {
      metadata: { name: string; labels?: Record<string, string> };
    }[];
    if (name !== undefined) return objects.find((object) => object.metadata.name === name) ?? 404;
    const wanted = (request.query.get('labelSelector') ?? '').split(',').filter(Boolean);
    const field = request.query.get('fieldSelector')?.replace('metadata.name=', '');
    const items = objects.filter(
      ({ metadata: { labels = {}, name: each } }) =>
        (field === undefined || field === each) &&
        wanted.every((part) => labels[part.split('=')[0] ?? ''] === part.split('=')[1]),
    );
    return { items, metadata: { resourceVersion: '1' } };
  });
}

const cartContainer = { name: 'cart', image: 'cart:1', ports: [{ name: 'http', containerPort: 8080 }] };
const proxyContainer = { name: 'proxy', image: 'proxy:1', ports: [{ name: 'admin', containerPort: 9901 }] };

function deployment(
  name: string,
  more: { spec?: object; annotations?: object; containers?: readonly object[]; pod?: object } = {},
) {
  return {
    metadata: metadata(name, { annotations: more.annotations ?? {} }),
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: template(name, more.containers ?? [cartContainer], more.pod),
      ...more.spec,
    },
    status: { desiredNumberScheduled: 1 },
  };
}

function pod(
  name: string,
  app: string,
  owner: { kind: string; name: string } | undefined,
  more: { status?: object; containers?: readonly object[] } = {},
) {
  const containers = more.containers ?? [cartContainer];
  return {
    metadata: metadata(name, {
      labels: { app },
      ownerReferences: owner ? [{ ...owner, uid: `uid-${owner.name}`, controller: true }] : [],
    }),
    spec: { containers },
    status: more.status ?? {
      phase: 'Running',
      containerStatuses: containers.map((each) => ({ ...each, ready: true, state: { running: {} } })),
    },
  };
}

const replicaSet = {
  metadata: metadata('cart-1', {
    ownerReferences: [{ kind: 'Deployment', name: 'cart', uid: 'uid-cart', controller: true }],
  }),
};
const shop = {
  services: [service('cart', { app: 'cart' }, [{ name: 'web', port: 80, targetPort: 'http' }])],
  deployments: [deployment('cart')],
  replicasets: [replicaSet],
  pods: [pod('cart-1-abc', 'cart', { kind: 'ReplicaSet', name: 'cart-1' })],
} satisfies Shop;

async function resolve(objects: Shop, target: string, container?: string) {
  await using server = await serve(objects);
  return await resolveTarget(server.cluster(), target, container, never);
}

test.each(['cart', 'service/cart', 'deployment/cart', 'pod/cart-1-abc'])(
  '%s leads to the Deployment',
  async (target) => {
    expect(await resolve(shop, target)).toMatchObject({
      workload: { kind: 'Deployment', name: 'cart', namespace: 'shop', uid: 'uid-cart' },
      container: 'cart',
      services: [{ name: 'cart', clusterIP: '10.0.0.9', ports: [{ name: 'web', port: 80, containerPort: 8080 }] }],
      containerPorts: [8080],
      replicas: 1,
      pods: ['cart-1-abc'],
    });
  },
);

test.each([
  ['statefulsets', 'StatefulSet'],
  ['daemonsets', 'DaemonSet'],
])('a Service over %s leads to the %s', async (resource, kind) => {
  const objects = {
    services: shop.services,
    [resource]: [deployment('cart')],
    pods: [pod('cart-0', 'cart', { kind, name: 'cart' })],
  };
  expect((await resolve(objects, 'cart')).workload).toMatchObject({ kind, name: 'cart' });
});

test('a Service over a pod without owner leads to the pod', async () => {
  const objects = { services: shop.services, pods: [pod('lonely', 'cart', undefined)] };
  expect(await resolve(objects, 'cart')).toMatchObject({ workload: { kind: 'Pod', name: 'lonely' }, replicas: 1 });
});

test('a name that is no Service but one workload means the workload', async () => {
  expect((await resolve({ ...shop, services: [] }, 'cart')).workload.kind).toBe('Deployment');
});

test('a name that is no Service but several workloads is ambiguous', async () => {
  const objects = { ...shop, services: [], statefulsets: [deployment('cart')] };
  await expect(resolve(objects, 'cart')).rejects.toMatchObject({
    code: 'target-ambiguous',
    why: expect.stringContaining('deployment/cart, statefulset/cart'),
  });
});

test.each([
  ['crat', 'Did you mean "cart"?'],
  ['service/crat', 'Did you mean "cart"?'],
  ['deployment/crat', 'Did you mean "cart"?'],
])('%s does not exist; the nearest name is told', async (target, remedy) => {
  await expect(resolve(shop, target)).rejects.toMatchObject({ code: 'target-missing', remedy });
});

test('several owners behind a Service are named', async () => {
  const objects = {
    services: shop.services,
    pods: [
      pod('a', 'cart', { kind: 'StatefulSet', name: 'cart' }),
      pod('b', 'cart', { kind: 'DaemonSet', name: 'cart-canary' }),
    ],
  };
  await expect(resolve(objects, 'cart')).rejects.toMatchObject({
    code: 'target-ambiguous',
    why: expect.stringContaining('statefulset/cart, daemonset/cart-canary'),
  });
});

test('pods of a Job cannot be replaced', async () => {
  const objects = { services: shop.services, pods: [pod('a', 'cart', { kind: 'Job', name: 'import' })] };
  await expect(resolve(objects, 'cart')).rejects.toMatchObject({
    code: 'target-unsupported',
    why: expect.stringContaining('Job "import"'),
  });
});

test.each([
  [service('cart', undefined), /no selector/],
  [service('cart', undefined, [], { type: 'ExternalName', externalName: 'db.example' }), /db\.example/],
])('a Service without pods of its own is refused', async (each, why) => {
  await expect(resolve({ services: [each] }, 'cart')).rejects.toMatchObject({
    code: 'service-without-selector',
    why: expect.stringMatching(why),
  });
});

const waiting = (reason: string, message: string) => ({
  phase: 'Running',
  containerStatuses: [
    { name: 'cart', state: { waiting: { reason, message } }, lastState: { terminated: { exitCode: 3 } } },
  ],
});

test.each([
  [{ pods: [], deployments: [deployment('cart', { spec: { replicas: 0 } })] }, /scaled to 0/],
  [{ pods: [], deployments: [] }, /labels app=cart/],
  [
    {
      pods: [
        pod(
          'cart-1-abc',
          'cart',
          { kind: 'ReplicaSet', name: 'cart-1' },
          { status: waiting('CrashLoopBackOff', 'back-off') },
        ),
      ],
    },
    /cart-1-abc: container cart: CrashLoopBackOff: back-off: last exit code 3/,
  ],
  [
    {
      pods: [
        pod(
          'cart-1-abc',
          'cart',
          { kind: 'ReplicaSet', name: 'cart-1' },
          {
            status: {
              phase: 'Pending',
              conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1 nodes' }],
            },
          },
        ),
      ],
    },
    /Pending: Unschedulable: 0\/1 nodes/,
  ],
])('without a running pod the reason is told (%#)', async (change, why) => {
  await expect(resolve({ ...shop, ...change }, 'cart')).rejects.toMatchObject({
    code: 'target-without-pods',
    why: expect.stringMatching(why),
  });
});

test.each([
  [{ spec: { paused: true } }, /paused/],
  [{ spec: { updateStrategy: { type: 'OnDelete' } } }, /OnDelete/],
  [{ spec: { updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } } }, /partition/],
  [{ pod: { nodeSelector: { 'kubernetes.io/os': 'windows' } } }, /Windows/],
])('what a changed template would not reach is refused (%#)', async (change, why) => {
  await expect(resolve({ ...shop, deployments: [deployment('cart', change)] }, 'cart')).rejects.toMatchObject({
    code: 'target-unsupported',
    why: expect.stringMatching(why),
  });
});

const lease = (renewed: Date) => ({
  metadata: metadata('kubernetes-local-deployment-cart', {
    annotations: { 'kubernetes-local/holder': 'boris on desk' },
  }),
  spec: {
    holderIdentity: 's1',
    leaseDurationSeconds: 20,
    acquireTime: '2024-05-01T08:00:00.000000Z',
    renewTime: renewed.toISOString(),
  },
});

test.each([
  [[lease(new Date())], /replaced by boris on desk/, /Ask them/],
  [[lease(new Date(Date.now() - 60_000))], /boris on desk that has died/, /kubernetes-local restore/],
  [[], /a session that has died/, /kubernetes-local restore/],
])('a target that carries a session is held (%#)', async (leases, what, remedy) => {
  const objects = {
    ...shop,
    deployments: [deployment('cart', { annotations: { 'kubernetes-local/session': 's1' } })],
    leases,
  };
  await expect(resolve(objects, 'cart')).rejects.toMatchObject({
    code: 'target-held',
    what: expect.stringMatching(what),
    remedy: expect.stringMatching(remedy),
  });
});

const two = [proxyContainer, cartContainer];
const withTwo = (more: object = {}) => ({
  ...shop,
  deployments: [deployment('cart', { containers: two, ...more })],
  pods: [pod('cart-1-abc', 'cart', { kind: 'ReplicaSet', name: 'cart-1' }, { containers: two })],
});

test('of several containers the one that the Service reaches is meant', async () => {
  expect(await resolve(withTwo(), 'cart')).toMatchObject({ container: 'cart', containerPorts: [8080] });
});

test('the container named is taken, and only the ports that reach it', async () => {
  expect(await resolve(withTwo(), 'cart', 'proxy')).toMatchObject({
    container: 'proxy',
    containerPorts: [9901],
    services: [],
  });
});

test("kubectl's annotation decides before the ports do", async () => {
  const objects = withTwo();
  const [first] = objects.deployments;
  const annotations = { 'kubectl.kubernetes.io/default-container': 'proxy' };
  const annotated = {
    ...first,
    spec: {
      ...first?.spec,
      template: { metadata: { labels: { app: 'cart' }, annotations }, spec: { containers: two } },
    },
  };
  expect((await resolve({ ...objects, deployments: [annotated] }, 'cart')).container).toBe('proxy');
});

test('without a Service several containers are ambiguous', async () => {
  await expect(resolve({ ...withTwo(), services: [] }, 'deployment/cart')).rejects.toMatchObject({
    code: 'container-ambiguous',
    why: 'The containers are: proxy, cart.',
  });
});

test('an unknown container comes with the nearest', async () => {
  await expect(resolve(withTwo(), 'cart', 'crt')).rejects.toMatchObject({
    code: 'container-unknown',
    remedy: 'Did you mean "cart"?',
  });
});

test('numbers, names and protocols of Service ports are resolved per container', async () => {
  const services = [
    service('cart', { app: 'cart' }, [
      { name: 'a', port: 80, targetPort: 8080 },
      { name: 'b', port: 81, targetPort: 'admin' },
      { name: 'c', port: 82, targetPort: 7000 },
      { name: 'd', port: 9901 },
      { name: 'e', port: 53, targetPort: 8080, protocol: 'UDP' },
    ]),
    service('headless', { app: 'cart' }, [{ name: 'x', port: 8080 }], { clusterIP: 'None' }),
    service('other', { app: 'orders' }),
  ];
  const resolved = await resolve({ ...withTwo(), services }, 'cart', 'cart');
  expect(resolved.services).toEqual([
    {
      name: 'cart',
      clusterIP: '10.0.0.9',
      ports: [
        { name: 'a', port: 80, containerPort: 8080 },
        { name: 'c', port: 82, containerPort: 7000 },
      ],
    },
    { name: 'headless', clusterIP: undefined, ports: [{ name: 'x', port: 8080, containerPort: 8080 }] },
  ]);
  expect(resolved.containerPorts).toEqual([7000, 8080]);
});

test('rights are asked for the objects that are really used', async () => {
  const containers = [
    {
      ...cartContainer,
      env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'cart-secret', key: 'a' } } }],
      envFrom: [{ configMapRef: { name: 'cart-settings' } }],
    },
  ];
  const objects = {
    ...shop,
    pods: [pod('cart-1-abc', 'cart', { kind: 'ReplicaSet', name: 'cart-1' }, { containers })],
  };
  const rights = requiredRights(await resolve(objects, 'cart'));
  expect(rights).toContainEqual({ verb: 'patch', group: 'apps', resource: 'deployments', name: 'cart' });
  expect(rights).toContainEqual({ verb: 'get', group: '', resource: 'secrets', name: 'cart-secret' });
  expect(rights).toContainEqual({ verb: 'get', group: '', resource: 'configmaps', name: 'cart-settings' });
  expect(rights.some(({ resource, verb }) => resource === 'pods' && verb === 'delete')).toBe(false);
});
