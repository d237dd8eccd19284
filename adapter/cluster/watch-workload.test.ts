import { expect, test } from 'vitest';
import { FakeApiServer } from './fake-api-server.ts';
import { watchWorkload } from './watch-workload.ts';

const workload = { kind: 'Deployment', name: 'cart', namespace: 'shop', uid: 'u1' } as const;
const deployment = (replicas: number) => ({
  metadata: { name: 'cart', uid: 'u1', resourceVersion: String(replicas) },
  spec: { replicas, selector: {}, template: { spec: { containers: [] } } },
});

async function replicas(
  states: AsyncGenerator<{ readonly object: { readonly spec: object } } | undefined>,
  count: number,
) {
  const seen: unknown[] = [];
  for await (const state of states) {
    seen.push(state && 'replicas' in state.object.spec ? state.object.spec.replicas : undefined);
    if (seen.length === count) return seen;
  }
  throw new Error('it ended');
}

test('a workload that may be watched is watched by its name alone, until it is deleted', async () => {
  await using server = await FakeApiServer.start(({ method, query }) => {
    if (method === 'POST') return { status: { allowed: true } };
    if (!query.has('watch')) return { metadata: { resourceVersion: '1' }, items: [deployment(1)] };
    return (response) => {
      for (const type of ['MODIFIED', 'DELETED'])
        response.write(`${JSON.stringify({ type, object: deployment(2) })}\n`);
    };
  });
  const ended = new AbortController();
  expect(await replicas(watchWorkload(server.cluster(), { workload }, ended.signal), 3)).toEqual([1, 2, undefined]);
  ended.abort();
  const reads = server.requests.filter(({ method }) => method === 'GET');
  expect(reads.every(({ query }) => query.get('fieldSelector') === 'metadata.name=cart')).toBe(true);
});

test('one that the user may not watch is read again and again, through failures of the cluster', async () => {
  let reads = 0;
  const answers = [deployment(1), 500, deployment(2), 404];
  await using server = await FakeApiServer.start(({ method, path, body }) => {
    if (method === 'POST') return { status: { allowed: !JSON.stringify(body).includes('"watch"') } };
    return path.endsWith('/cart') ? (answers[reads++] ?? 404) : 403;
  });
  const ended = new AbortController();
  expect(await replicas(watchWorkload(server.cluster(), { workload }, ended.signal, 1), 3)).toEqual([1, 2, undefined]);
  ended.abort();
});
