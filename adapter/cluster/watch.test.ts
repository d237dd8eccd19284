import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from './fake-api-server.ts';
import { podSchema } from './objects.ts';
import { watchList } from './watch.ts';

const soon = { first: 10, longest: 20 };
const path = '/api/v1/namespaces/shop/pods';

function pod(name: string, resourceVersion: number): object {
  return { metadata: { name, uid: name, resourceVersion: String(resourceVersion) }, spec: { containers: [] } };
}

/** Plays one answer after the other: a list, or the lines of a watch. */
function play(answers: (FakeAnswer | readonly object[])[]) {
  return FakeApiServer.start(({ query }: FakeRequest): FakeAnswer => {
    const next = answers.shift();
    if (next === undefined) return () => {};
    if (!Array.isArray(next)) return next as FakeAnswer;
    expect(query.get('watch')).toBe('true');
    return (response: ServerResponse) => response.end(next.map((event) => `${JSON.stringify(event)}\n`).join(''));
  });
}

/** The first `count` lists, as names. */
async function collect(server: FakeApiServer, count: number): Promise<string[]> {
  const stop = new AbortController();
  const lists: string[] = [];
  for await (const pods of watchList(
    server.cluster().api,
    path,
    { labelSelector: 'app=cart' },
    podSchema,
    stop.signal,
    soon,
  )) {
    lists.push(pods.map(({ metadata }) => metadata.name).join());
    if (lists.length === count) break;
  }
  stop.abort();
  return lists;
}

test('the list comes first, then every change', async () => {
  await using server = await play([
    { metadata: { resourceVersion: '5' }, items: [pod('a', 1)] },
    [
      { type: 'ADDED', object: pod('b', 6) },
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '7' } } },
      { type: 'DELETED', object: pod('a', 8) },
    ],
  ]);
  expect(await collect(server, 3)).toEqual(['a', 'a,b', 'b']);
  expect(server.requests.map(({ query }) => query.get('labelSelector'))).toEqual(['app=cart', 'app=cart']);
  expect(server.requests[1]?.query.get('resourceVersion')).toBe('5');
});

test('a watch that ends goes on where it stopped', async () => {
  await using server = await play([
    { metadata: { resourceVersion: '5' }, items: [] },
    [
      { type: 'ADDED', object: pod('a', 6) },
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '9' } } },
    ],
    [{ type: 'ADDED', object: pod('b', 10) }],
  ]);
  expect(await collect(server, 3)).toEqual(['', 'a', 'a,b']);
  expect(server.requests.map(({ query }) => query.get('resourceVersion'))).toEqual([null, '5', '9']);
});

test('a watch that is too old begins again with a list', async () => {
  await using server = await play([
    { metadata: { resourceVersion: '5' }, items: [pod('a', 1)] },
    [{ type: 'ERROR', object: { kind: 'Status', code: 410 } }],
    { metadata: { resourceVersion: '50' }, items: [pod('c', 49)] },
  ]);
  expect(await collect(server, 2)).toEqual(['a', 'c']);
});

test('is not ended by an outage, nor by refusals after it has worked', async () => {
  await using server = await play([
    { metadata: { resourceVersion: '5' }, items: [pod('a', 1)] },
    503,
    401,
    403,
    (response: ServerResponse) => response.destroy(),
    [{ type: 'ADDED', object: pod('b', 6) }],
  ]);
  expect(await collect(server, 2)).toEqual(['a', 'a,b']);
  expect(server.requests.slice(1).map(({ query }) => query.get('resourceVersion'))).toEqual(Array(5).fill('5'));
});

test('a right that was taken away ends it in the end', async () => {
  await using server = await play([{ metadata: { resourceVersion: '5' }, items: [] }, [], ...Array(7).fill(403)]);
  await expect(collect(server, 2)).rejects.toMatchObject({ status: 403 });
  expect(server.requests).toHaveLength(9);
});

test('who may list but not watch is told at once', async () => {
  await using server = await play([{ metadata: { resourceVersion: '5' }, items: [] }, 403]);
  await expect(collect(server, 2)).rejects.toMatchObject({ status: 403 });
  expect(server.requests).toHaveLength(2);
});

test('goes on where it was when its connection may be dead', async () => {
  await using server = await play([
    { metadata: { resourceVersion: '5' }, items: [] },
    (response: ServerResponse) => {
      response.write(`${JSON.stringify({ type: 'ADDED', object: pod('a', 6) })}\n`);
    },
    [{ type: 'ADDED', object: pod('b', 7) }],
  ]);
  const { api } = server.cluster();
  const stop = new AbortController();
  const lists: string[] = [];
  for await (const pods of watchList(api, path, {}, podSchema, stop.signal, soon)) {
    lists.push(pods.map(({ metadata }) => metadata.name).join());
    if (lists.length === 2) api.restartWatches();
    if (lists.length === 3) break;
  }
  expect(lists).toEqual(['', 'a', 'a,b']);
  expect(server.requests[2]?.query.get('resourceVersion')).toBe('6');
});

test('a right that is missing ends it', async () => {
  await using server = await play([403]);
  await expect(collect(server, 1)).rejects.toMatchObject({ status: 403 });
});

test('the signal ends it with its reason', async () => {
  await using server = await play([{ metadata: { resourceVersion: '5' }, items: [] }]);
  const stop = new AbortController();
  const lists = watchList(server.cluster().api, path, {}, podSchema, stop.signal, soon);
  await lists.next();
  const next = lists.next();
  stop.abort(new Error('enough'));
  await expect(next).rejects.toThrow('enough');
});
