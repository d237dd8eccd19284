import { describe, expect, test } from 'vitest';
import { exampleRecord as record } from './example-record.ts';
import { FakeApiServer } from './fake-api-server.ts';
import { controllerSchema } from './objects.ts';
import { removeAgentRevisions } from './revisions.ts';
import type { Workload } from './workloads.ts';

const plain = { spec: { containers: [{ name: 'cart', image: 'cart:7' }] } };
const marked = (session: string) => ({ ...plain, metadata: { annotations: { 'kubernetes-local/session': session } } });
/** What is left when somebody removed the mark only. */
const configured = {
  spec: {
    containers: [{ name: 'cart', env: [{ name: 'KUBERNETES_LOCAL_AGENT', value: JSON.stringify({ session: 's1' }) }] }],
  },
};
const metadata = (name: string, owner = 'u1') => ({
  name,
  uid: `uid-of-${name}`,
  resourceVersion: '5',
  ownerReferences: owner === '' ? [] : [{ kind: 'Deployment', name: 'cart', uid: owner, controller: true }],
});
const replicaSet = (name: string, template: object, replicas = 0, owner?: string) => ({
  metadata: metadata(name, owner),
  spec: { replicas, template },
});

function workload(kind: 'Deployment' | 'StatefulSet', status: object = {}): Workload {
  const object = controllerSchema.parse({
    metadata: { name: 'cart', uid: 'u1', resourceVersion: '1' },
    spec: { selector: {}, template: plain },
    status,
  });
  return { kind, object };
}

/** A history from which deletions take away; answers the names and preconditions of those. */
async function removed(items: () => readonly { metadata: { name: string } }[], of = record, seen?: Workload) {
  const gone = new Map<string, unknown>();
  await using server = await FakeApiServer.start(({ method, path, body }) => {
    if (method === 'GET') return { items: items().filter(({ metadata: { name } }) => !gone.has(name)) };
    gone.set(path.split('/').at(-1) ?? '', (body as { preconditions: unknown }).preconditions);
    return {};
  });
  await removeAgentRevisions(server.cluster(), of, seen, new AbortController().signal);
  return gone;
}

describe('the history of a Deployment', () => {
  test('loses the revisions of this session, exactly as they were read, and no other', async () => {
    const items = [
      replicaSet('original', plain, 1),
      replicaSet('agent', marked('s1')),
      replicaSet('half', configured),
      replicaSet('another-session', marked('s2')),
      replicaSet('another-workload', marked('s1'), 0, 'u9'),
    ];
    const gone = await removed(() => items, record, workload('Deployment'));
    expect(Object.fromEntries(gone)).toEqual({
      agent: { uid: 'uid-of-agent', resourceVersion: '5' },
      half: { uid: 'uid-of-half', resourceVersion: '5' },
    });
  });

  test('loses a revision only when no pod is of it any more', async () => {
    let looks = 0;
    const gone = await removed(
      () => [replicaSet('agent', marked('s1'), looks++ < 2 ? 1 : 0)],
      record,
      workload('Deployment'),
    );
    expect([...gone.keys()]).toEqual(['agent']);
    expect(looks).toBeGreaterThan(2);
  });

  test('is cleared of what was left without an owner when the workload is gone, pods or not', async () => {
    const items = [replicaSet('agent', marked('s1'), 1, ''), replicaSet('original', plain, 1, '')];
    expect([...(await removed(() => items)).keys()]).toEqual(['agent']);
  });
});

describe('the history of a StatefulSet', () => {
  const set = { ...record, workload: { ...record.workload, kind: 'StatefulSet' as const } };
  const revision = (name: string, template: object) => ({ metadata: metadata(name), data: { spec: { template } } });

  test('loses the revision of this session; data of other kinds is left alone', async () => {
    const items = [
      revision('original', plain),
      revision('agent', marked('s1')),
      { metadata: metadata('odd'), data: 'x' },
    ];
    const seen = workload('StatefulSet', { currentRevision: 'original', updateRevision: 'original' });
    expect([...(await removed(() => items, set, seen)).keys()]).toEqual(['agent']);
  });

  test('loses it as soon as the controller says that no pod is of it, which is after the pods are ready', async () => {
    const states = ['agent', 'agent', 'original'].map((currentRevision) =>
      workload('StatefulSet', { currentRevision, updateRevision: 'original' }),
    );
    let at = 0;
    const deletedAt: number[] = [];
    await using server = await FakeApiServer.start(({ method, path }) => {
      if (path.endsWith('/statefulsets/cart')) return states[++at]?.object ?? 404;
      if (method === 'GET') return { items: deletedAt.length > 0 ? [] : [revision('agent', marked('s1'))] };
      deletedAt.push(at);
      return {};
    });
    await removeAgentRevisions(server.cluster(), set, states[0], new AbortController().signal);
    expect(deletedAt).toEqual([2]);
  });
});

test.each([
  ['list', 'GET'],
  ['delete', 'DELETE'],
])('without the right to %s revisions they stay, and the undo goes on', async (_verb, refused) => {
  await using server = await FakeApiServer.start(({ method }) =>
    method === refused ? 403 : { items: [replicaSet('agent', marked('s1'))] },
  );
  const { signal } = new AbortController();
  await removeAgentRevisions(server.cluster(), record, workload('Deployment'), signal);
  expect(server.requests.at(-1)?.method).toBe(refused);
});

test('a bare pod has no history', async () => {
  await using server = await FakeApiServer.start(() => 500);
  const pod = { ...record, workload: { ...record.workload, kind: 'Pod' as const } };
  await removeAgentRevisions(server.cluster(), pod, undefined, new AbortController().signal);
  expect(server.requests).toEqual([]);
});
