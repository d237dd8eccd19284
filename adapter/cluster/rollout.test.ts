import { expect, test } from 'vitest';
import { type FakeAnswer, FakeApiServer } from './fake-api-server.ts';
import { replacementRecordSchema } from './record.ts';
import { awaitRestored, undoReplacement } from './replacement.ts';

const template = { spec: { containers: [{ name: 'cart', image: 'cart:7' }] } };
const record = replacementRecordSchema.parse({
  version: 1,
  session: 's1',
  workload: { kind: 'Deployment', name: 'cart', namespace: 'shop', uid: 'u1' },
  container: 'cart',
  pods: { labelSelector: 'app=cart' },
  image: 'agent',
  changes: [{ at: 'container', field: 'image', before: 'cart:7', after: 'agent' }],
  original: template,
  readyBefore: 1,
  plannedAt: '2026-11-23T00:00:00.000Z',
  notes: [],
});
const bare = { ...record, workload: { ...record.workload, kind: 'Pod' as const } };

/** A cluster after the undo of a Deployment, which looks like this, and has these pods. */
function clusterWith(deployment: object | 404, pods: readonly object[] = []): Promise<FakeApiServer> {
  return FakeApiServer.start(({ method, path, query }): FakeAnswer => {
    if (query.has('watch')) return (response) => void response.write('\n');
    if (path.endsWith('/pods')) return { metadata: { resourceVersion: '1' }, items: [...pods] };
    if (path.endsWith('/replicasets')) return { items: [] };
    if (method === 'GET' && (path.endsWith('/deployments/cart') || path.endsWith('/pods/cart'))) return deployment;
    return 500;
  });
}

function deployment(spec: object, status: object = {}, uid = 'u1'): object {
  return {
    metadata: { name: 'cart', uid, resourceVersion: '1', generation: 2 },
    spec: { replicas: 1, selector: {}, template, ...spec },
    status: { observedGeneration: 2, ...status },
  };
}

const agentPod = {
  metadata: {
    name: 'cart-1',
    uid: 'p1',
    resourceVersion: '1',
    annotations: { 'kubernetes-local/session': 's1' },
  },
  spec: template.spec,
};

async function restored(cluster: FakeApiServer, of = record, gone = false): Promise<void> {
  const ended = new AbortController();
  await awaitRestored(cluster.cluster(), of, () => {}, ended.signal, gone).finally(() => ended.abort());
}

test('a paused Deployment is not waited for: who can finish it is told', async () => {
  await using cluster = await clusterWith(deployment({ paused: true }), [agentPod]);
  await expect(restored(cluster)).rejects.toMatchObject({
    code: 'undo-incomplete',
    why: expect.stringContaining('kubectl rollout resume deployment/cart -n shop'),
  });
});

test('a namespace that is being deleted gets no pods any more, and is not waited for', async () => {
  const message =
    'pods "cart-2" is forbidden: unable to create new content in namespace shop because it is being terminated';
  const conditions = [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }];
  await using cluster = await clusterWith(deployment({}, { conditions }), [agentPod]);
  await restored(cluster);
});

test('another Deployment of the same name need not be ready', async () => {
  await using cluster = await clusterWith(deployment({}, {}, 'u2'));
  await restored(cluster);
});

test('a bare pod that others deleted is neither made again nor missed; without that it is', async () => {
  await using cluster = await clusterWith(404);
  const { signal } = new AbortController();
  expect(await undoReplacement(cluster.cluster(), bare, signal, true)).toEqual({ conflicts: [] });
  await restored(cluster, bare, true);
  expect(cluster.requests.filter(({ method }) => method !== 'GET')).toEqual([]);
  await expect(restored(cluster, bare)).rejects.toMatchObject({ code: 'undo-incomplete' });
});
