import { expect, test } from 'vitest';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from './fake-api-server.ts';
import { acquireLease, leaseName, listLeases, readLease, releaseLease, saveRecordInLease } from './lease.ts';

const never = new AbortController().signal;
const target = { workload: { kind: 'Deployment', name: 'cart', namespace: 'shop' } } as const;
const anna = { session: 'a', user: 'anna', host: 'laptop' };
const boris = { session: 'b', user: 'boris', host: 'desk' };

interface StoredLease {
  metadata: {
    name: string;
    uid: string;
    resourceVersion: string;
    namespace: string;
    annotations: Record<string, string>;
  };
  spec: { holderIdentity: string; renewTime: string };
}

/** Leases with optimistic locking as the API server has it. */
class Leases {
  readonly stored = new Map<string, StoredLease>();
  #version = 0;

  answer = ({ method, path, body }: FakeRequest): FakeAnswer => {
    const name = /\/leases\/(.+)$/.exec(path)?.[1];
    const given = body as StoredLease;
    const present = this.stored.get(name ?? given?.metadata?.name);
    if (method === 'GET') return name ? (present ?? 404) : { items: [...this.stored.values()] };
    if (method === 'POST') return present ? 409 : this.store(given);
    if (!present) return 404;
    const version = (
      method === 'DELETE' ? (body as { preconditions: { resourceVersion: string } }).preconditions : given.metadata
    ).resourceVersion;
    if (version !== present.metadata.resourceVersion) return 409;
    if (method === 'PUT') return this.store(given);
    this.stored.delete(present.metadata.name);
    return { kind: 'Status' };
  };

  store(lease: StoredLease): StoredLease {
    const metadata = { ...lease.metadata, uid: 'u', namespace: 'shop', resourceVersion: String(++this.#version) };
    const stored = { ...lease, metadata };
    this.stored.set(metadata.name, stored);
    return stored;
  }

  get only(): StoredLease {
    const [lease] = this.stored.values();
    if (!lease) throw new Error('there is no Lease');
    return lease;
  }

  /** As if the holder had died a minute ago. */
  expire(): void {
    this.store({ ...this.only, spec: { ...this.only.spec, renewTime: new Date(Date.now() - 60_000).toISOString() } });
  }
}

test('a free Lease is taken, seen by others, renewed and released', async () => {
  const leases = new Leases();
  await using server = await FakeApiServer.start(leases.answer);
  const cluster = server.cluster();
  const held = await acquireLease(cluster, target, anna, never);
  expect(held.name).toBe('kubernetes-local-deployment-cart');
  expect(await readLease(cluster, target, never)).toMatchObject({
    session: 'a',
    holder: 'anna on laptop',
    alive: true,
  });
  const { renewTime } = leases.only.spec;
  expect(renewTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  await held.renew(never);
  expect(Number(leases.only.metadata.resourceVersion)).toBe(2);
  await held.release(never);
  expect(leases.stored.size).toBe(0);
  await held.release(never);
});

test('a living Lease of somebody else is not taken', async () => {
  const leases = new Leases();
  await using server = await FakeApiServer.start(leases.answer);
  await acquireLease(server.cluster(), target, anna, never);
  await expect(acquireLease(server.cluster(), target, boris, never)).rejects.toMatchObject({
    code: 'target-held',
    what: 'deployment/cart is replaced by anna on laptop.',
  });
});

test('an expired Lease is taken over, and the old holder learns it at the next heartbeat', async () => {
  const leases = new Leases();
  await using server = await FakeApiServer.start(leases.answer);
  const old = await acquireLease(server.cluster(), target, anna, never);
  leases.expire();
  await acquireLease(server.cluster(), target, boris, never);
  expect(leases.only.spec.holderIdentity).toBe('b');
  await expect(old.renew(never)).rejects.toMatchObject({
    code: 'target-held',
    why: 'It was taken over by boris on desk.',
  });
  await old.release(never);
  expect(leases.only.spec.holderIdentity).toBe('b');
});

test('a Lease that somebody deleted is not made again by a heartbeat', async () => {
  const leases = new Leases();
  await using server = await FakeApiServer.start(leases.answer);
  const held = await acquireLease(server.cluster(), target, anna, never);
  leases.stored.clear();
  await expect(held.renew(never)).rejects.toMatchObject({ code: 'target-held', why: 'Somebody restored it.' });
  expect(leases.stored.size).toBe(0);
});

test('a heartbeat keeps what was written into the Lease meanwhile', async () => {
  const leases = new Leases();
  await using server = await FakeApiServer.start(leases.answer);
  const cluster = server.cluster();
  const held = await acquireLease(cluster, target, anna, never);
  await saveRecordInLease(cluster, { ...target, session: 'a' }, '{"saved":true}', never);
  await held.renew(never);
  expect(await listLeases(cluster, never)).toMatchObject([{ name: leaseName(target), record: '{"saved":true}' }]);
});

test('a session of the past does not release the Lease of another', async () => {
  const leases = new Leases();
  await using server = await FakeApiServer.start(leases.answer);
  await acquireLease(server.cluster(), target, boris, never);
  await releaseLease(server.cluster(), leaseName(target), 'a', never);
  expect(leases.only.spec.holderIdentity).toBe('b');
});

test('of two who come at the same moment one gets it', async () => {
  const leases = new Leases();
  await using server = await FakeApiServer.start(leases.answer);
  const both = await Promise.allSettled(
    [anna, boris].map((each) => acquireLease(server.cluster(), target, each, never)),
  );
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});
