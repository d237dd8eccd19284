import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from './fake-api-server.ts';
import { podSchema } from './objects.ts';
import { watchList } from './watch.ts';

const path = '/api/v1/namespaces/shop/pods';

function pod(name: string, resourceVersion: number): object {
  return { metadata: { name, uid: name, resourceVersion: String(resourceVersion) }, spec: { containers: [] } };
}

/** Plays one answer after the other: a list, or the lines of a watch. */
function play(answers: (object | number | readonly object[])[]) {
  return FakeApiServer.start(({ query }: FakeRequest): FakeAnswer => {
    const next = answers.shift();
    if (next === undefined) return () => {};
    if (!Array.isArray(next)) return next as object | number;
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

test('a right that is missing ends it', async () => {
  await using server = await play([403]);
  await expect(collect(server, 1)).rejects.toMatchObject({ status: 403 });
});

test('the signal ends it with its reason', async () => {
  await using server = await play([{ metadata: { resourceVersion: '5' }, items: [] }]);
  const stop = new AbortController();
  const lists = watchList(server.cluster().api, path, {}, podSchema, stop.signal);
  await lists.next();
  const next = lists.next();
  stop.abort(new Error('enough'));
  await expect(next).rejects.toThrow('enough');
});
