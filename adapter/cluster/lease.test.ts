import { expect, test } from 'vitest';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from './fake-api-server.ts';
import {
  acquireLease,
  leaseName,
  listLeases,
  readLease,
  releaseLease,
  renewLease,
  saveRecordInLease,
  TargetHeld,
} from './lease.ts';
import { answerTakeover, askToTakeOver, enterGuest, removeGuest } from './lease-wishes.ts';

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
    workload: 'deployment/cart',
    guests: [],
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
    code: 'session-taken',
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
  await expect(held.renew(never)).rejects.toMatchObject({ code: 'session-taken', why: 'Somebody restored it.' });
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

const cleo = { session: 'c', user: 'cleo', host: 'tower' };
const guest = { session: 'b', holder: 'boris on desk', publicKey: 'AAAA', since: '2026-01-01T00:00:00.000Z' };

test('who it is held by comes with the target, for whoever wants to do something about it', async () => {
  const leases = new Leases();
  await using server = await FakeApiServer.start(leases.answer);
  await acquireLease(server.cluster(), target, anna, never);
  const refused = await acquireLease(server.cluster(), target, boris, never).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(TargetHeld);
  expect(refused).toMatchObject({ target, remedy: expect.stringContaining('--force') });
});

test('a wish is read, answered, and gone with the Lease’s next holder', async () => {
  const leases = new Leases();
  await using server = await FakeApiServer.start(leases.answer);
  const cluster = server.cluster();
  const held = await acquireLease(cluster, target, anna, never);
  expect(await askToTakeOver(cluster, target, 'a', boris, never)).toMatchObject({
    session: 'a',
    takeover: { session: 'b', holder: 'boris on desk' },
  });
  await held.renew(never);
  expect((await readLease(cluster, target, never))?.takeover?.answered).toBeUndefined();
  await answerTakeover(cluster, target, 'a', never);
  const { answered } = (await readLease(cluster, target, never))?.takeover ?? {};
  expect(Date.parse(answered ?? '')).toBeLessThanOrEqual(Date.now());
  // Who steps aside already does so for whoever asks.
  expect((await askToTakeOver(cluster, target, 'a', cleo, never))?.takeover).toMatchObject({ session: 'c', answered });
  leases.expire();
  await acquireLease(cluster, target, boris, never);
  expect(await readLease(cluster, target, never)).toMatchObject({ session: 'b', takeover: undefined });
});

test('a wish to a session that has gone meanwhile is not written', async () => {
  const leases = new Leases();
  await using server = await FakeApiServer.start(leases.answer);
  const cluster = server.cluster();
  expect(await askToTakeOver(cluster, target, 'a', boris, never)).toBeUndefined();
  await acquireLease(cluster, target, cleo, never);
  expect(await askToTakeOver(cluster, target, 'a', boris, never)).toMatchObject({ session: 'c', takeover: undefined });
});

test('a holder that does not answer is fenced; one that answered is not', async () => {
  const leases = new Leases();
  await using server = await FakeApiServer.start(leases.answer);
  const cluster = server.cluster();
  const old = await acquireLease(cluster, target, anna, never);
  await askToTakeOver(cluster, target, 'a', boris, never);
  await answerTakeover(cluster, target, 'a', never);
  const late = acquireLease(cluster, target, boris, never, { evenFrom: 'a' });
  await expect(late).rejects.toMatchObject({ code: 'target-held' });

  leases.store({ ...leases.only, metadata: { ...leases.only.metadata, annotations: {} } });
  await acquireLease(cluster, target, boris, never, { evenFrom: 'a' });
  expect(leases.only.spec.holderIdentity).toBe('b');
  await expect(old.renew(never)).rejects.toMatchObject({ code: 'session-taken' });
  // Of the same session only.
  const other = acquireLease(cluster, target, cleo, never, { evenFrom: 'a' });
  await expect(other).rejects.toMatchObject({ code: 'target-held' });
});

test('the heartbeat of an undo keeps the Lease alive and answers a wish, but never touches another’s', async () => {
  const leases = new Leases();
  await using server = await FakeApiServer.start(leases.answer);
  const cluster = server.cluster();
  await acquireLease(cluster, target, anna, never);
  leases.expire();
  await askToTakeOver(cluster, target, 'a', boris, never);
  await renewLease(cluster, leaseName(target), 'b', never);
  expect(await readLease(cluster, target, never)).toMatchObject({ alive: false });
  await renewLease(cluster, leaseName(target), 'a', never);
  expect(await readLease(cluster, target, never)).toMatchObject({
    alive: true,
    takeover: { session: 'b', answered: expect.any(String) },
  });
  leases.stored.clear();
  await renewLease(cluster, leaseName(target), 'a', never);
  expect(leases.stored.size).toBe(0);
});

test('guests are entered once, up to the limit, and taken out again', async () => {
  const leases = new Leases();
  await using server = await FakeApiServer.start(leases.answer);
  const cluster = server.cluster();
  await acquireLease(cluster, target, anna, never);
  const one = { most: 1 };
  await enterGuest(cluster, target, 'a', guest, one, never);
  expect(await enterGuest(cluster, target, 'a', guest, one, never)).toMatchObject({ guests: [guest] });
  const second = enterGuest(cluster, target, 'a', { ...guest, session: 'c' }, one, never);
  await expect(second).rejects.toMatchObject({ code: 'target-held' });
  const ofAnother = enterGuest(cluster, target, 'z', guest, one, never);
  await expect(ofAnother).rejects.toMatchObject({ code: 'session-taken' });
  await removeGuest(cluster, leaseName(target), 'b', never);
  await removeGuest(cluster, leaseName(target), 'b', never);
  expect(Object.keys(leases.only.metadata.annotations).sort()).toEqual([
    'kubernetes-local/holder',
    'kubernetes-local/workload',
  ]);
});

test('what anybody wrote into a Lease can neither break nor forge what is shown', async () => {
  const leases = new Leases();
  await using server = await FakeApiServer.start(leases.answer);
  const cluster = server.cluster();
  await acquireLease(cluster, target, anna, never);
  const annotations = {
    'kubernetes-local/holder': '\u001b[31manna\n on laptop',
    'kubernetes-local/takeover': '{"session":',
    'kubernetes-local/guests': '[{"session":1}]',
  };
  leases.store({ ...leases.only, metadata: { ...leases.only.metadata, annotations } });
  expect(await readLease(cluster, target, never)).toMatchObject({
    holder: '[31manna on laptop',
    takeover: undefined,
    guests: [],
  });
});
