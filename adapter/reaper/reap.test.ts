import { describe, expect, it } from 'vitest';
import { originalAnnotation, recordAnnotation, sessionAnnotation, workloadAnnotation } from '../cluster/annotations.ts';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from '../cluster/fake-api-server.ts';
import { type Lease, leaseSchema } from '../cluster/objects.ts';
import { reap, workloadOf } from './reap.ts';

const { signal } = new AbortController();
const leaseName = 'kubernetes-local-deployment-cart';
const container = { name: 'cart', image: 'shop/cart:1' };
const record = {
  version: 1,
  session: 'a',
  workload: { kind: 'Deployment', name: 'cart', namespace: 'shop', uid: 'u' },
  container: 'cart',
  pods: { labelSelector: 'app=cart' },
  image: 'agent:1',
  changes: [{ at: 'container', field: 'image', before: 'shop/cart:1', after: 'agent:1' }],
  original: { spec: { containers: [container] } },
  readyBefore: 0,
  plannedAt: '2026-05-01T10:00:00Z',
  notes: [],
};

function lease(annotations: Readonly<Record<string, string>> = {}, name = leaseName): Lease {
  const metadata = { name, namespace: 'shop', uid: 'l', resourceVersion: '7', annotations };
  return leaseSchema.parse({ metadata, spec: { holderIdentity: 'a', leaseDurationSeconds: 20 } });
}

/** A Deployment with a Lease, as the API server keeps them: a write with an old version is refused. */
class Shop {
  lease: Lease | undefined = lease();
  readonly written: FakeRequest[] = [];
  readonly #annotations: Readonly<Record<string, string>>;
  #image = 'agent:1';

  constructor(annotations: Readonly<Record<string, string>>) {
    this.#annotations = annotations;
  }

  get image(): string {
    return this.#image;
  }

  answer = (request: FakeRequest): FakeAnswer => {
    const { method, path, body } = request;
    if (method !== 'GET') this.written.push(request);
    if (path.includes('/leases/')) return this.#answerForLease(method, body);
    if (path.endsWith('/pods')) {
      return request.query.has('watch') ? (response) => void response.flushHeaders() : { items: [] };
    }
    if (method === 'PATCH') this.#image = container.image;
    const annotations = this.#image === 'agent:1' ? this.#annotations : {};
    return {
      metadata: { name: 'cart', namespace: 'shop', uid: 'u', resourceVersion: '1', annotations },
      spec: { replicas: 0, selector: {}, template: { spec: { containers: [{ ...container, image: this.#image }] } } },
    };
  };

  #answerForLease(method: string, body: unknown): FakeAnswer {
    if (this.lease === undefined) return 404;
    const { resourceVersion } = this.lease.metadata;
    if (method === 'PUT') {
      const given = leaseSchema.parse(body);
      if (given.metadata.resourceVersion !== resourceVersion) return 409;
      this.lease = { ...given, metadata: { ...given.metadata, resourceVersion: '8' } };
    }
    if (method === 'DELETE') this.lease = undefined;
    return this.lease ?? {};
  }
}

const marks = (text: string) => ({ [sessionAnnotation]: 'a', [originalAnnotation('cart')]: text });

it('puts the original back and deletes the Lease', async () => {
  const shop = new Shop(marks(JSON.stringify(record)));
  await using server = await FakeApiServer.start(shop.answer);
  expect(await reap(server.cluster(), lease(), signal)).toBe('undone');
  expect(shop.image).toBe('shop/cart:1');
  expect(shop.lease).toBeUndefined();
  expect(shop.written.map(({ method }) => method)).toEqual(['PUT', 'PATCH', 'DELETE']);
});

it('leaves a session alone that has renewed its Lease meanwhile', async () => {
  const shop = new Shop(marks(JSON.stringify(record)));
  shop.lease = { ...lease(), metadata: { ...lease().metadata, resourceVersion: '9' } };
  await using server = await FakeApiServer.start(shop.answer);
  expect(await reap(server.cluster(), lease(), signal)).toBe('renewed');
  expect(shop.image).toBe('agent:1');
  expect(shop.lease.spec.holderIdentity).toBe('a');
});

it('removes the Lease of a session that died before it changed anything', async () => {
  const shop = new Shop({});
  await using server = await FakeApiServer.start(shop.answer);
  expect(await reap(server.cluster(), lease(), signal)).toBe('nothing to undo');
  expect(shop.lease).toBeUndefined();
});

it.each([
  ['about another workload', { ...record, workload: { ...record.workload, name: 'payment' } }],
  ['about another namespace', { ...record, workload: { ...record.workload, namespace: 'kube-system' } }],
  ['of another version', { ...record, version: 2 }],
])('does not believe a record %s', async (_, other) => {
  const shop = new Shop(marks(JSON.stringify(other)));
  await using server = await FakeApiServer.start(shop.answer);
  expect(await reap(server.cluster(), lease(), signal)).toBe('unreadable');
  expect(shop.written).toEqual([]);
});

it('does not believe a record in the Lease of a controller', async () => {
  const shop = new Shop({});
  await using server = await FakeApiServer.start(shop.answer);
  expect(await reap(server.cluster(), lease({ [recordAnnotation]: JSON.stringify(record) }), signal)).toBe(
    'nothing to undo',
  );
});

describe('the workload of a Lease', () => {
  const cart = { kind: 'Deployment', name: 'cart', namespace: 'shop' };
  it.each([
    [lease(), cart],
    [lease({ [workloadAnnotation]: 'deployment/cart' }), cart],
    [lease({ [workloadAnnotation]: 'deployment/payment' }), undefined],
    [lease({ [workloadAnnotation]: 'job/cart' }), undefined],
    [lease({ [workloadAnnotation]: 'a/b/c' }), undefined],
    [lease({}, 'kubernetes-local-cronjob-cart'), undefined],
    [lease({}, 'kubernetes-local-pod-db.0'), { kind: 'Pod', name: 'db.0', namespace: 'shop' }],
  ])('%#', (given, expected) => {
    expect(workloadOf(given)).toEqual(expected);
  });
});
