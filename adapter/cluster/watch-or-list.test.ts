import { expect, it } from 'vitest';
import { type FakeAnswer, FakeApiServer } from './fake-api-server.ts';
import { serviceSchema } from './objects.ts';
import { watchOrList } from './watch-or-list.ts';

const path = '/api/v1/namespaces/shop/services';

function list(...names: readonly string[]): object {
  const items = names.map((name) => ({
    metadata: { name, namespace: 'shop', uid: name, resourceVersion: '1' },
    spec: {},
  }));
  return { metadata: { resourceVersion: '5' }, items };
}

function serve(lists: (object | number)[], watch: FakeAnswer) {
  return FakeApiServer.start(({ query }) => (query.get('watch') ? watch : (lists.shift() ?? list())));
}

async function states(server: FakeApiServer, count: number): Promise<string[]> {
  const stop = new AbortController();
  const seen: string[] = [];
  for await (const { objects, watched } of watchOrList(server.cluster().api, path, serviceSchema, stop.signal, 1)) {
    seen.push(`${objects.map(({ metadata }) => metadata.name).join()} ${watched}`);
    if (seen.length === count) break;
  }
  stop.abort();
  return seen;
}

it('watches where it may', async () => {
  const added = { type: 'ADDED', object: { metadata: { name: 'b', uid: 'b', resourceVersion: '6' }, spec: {} } };
  await using server = await serve([list('a')], (response) => response.end(`${JSON.stringify(added)}\n`));
  expect(await states(server, 2)).toEqual(['a true', 'a,b true']);
});

it('lists again and again where it may not, also after an outage', async () => {
  await using server = await serve([list('a'), list('a', 'b'), 503, list('c')], 403);
  expect(await states(server, 5)).toEqual(['a true', 'a false', 'a,b false', 'a,b false', 'c false']);
});

it('ends where it may do neither, or no longer', async () => {
  await using never = await serve([403], 403);
  await expect(states(never, 1)).rejects.toMatchObject({ status: 403 });
  await using noLonger = await serve([list('a'), 403], 403);
  await expect(states(noLonger, 5)).rejects.toMatchObject({ status: 403 });
});

it('ends with the reason of the signal', async () => {
  await using server = await serve([list('a')], 403);
  const stop = new AbortController();
  const all = watchOrList(server.cluster().api, path, serviceSchema, stop.signal);
  await all.next();
  await all.next();
  const next = all.next();
  stop.abort(new Error('enough'));
  await expect(next).rejects.toThrow('enough');
});
