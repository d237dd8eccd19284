import type { ServerResponse } from 'node:http';
import { expect, test, vi } from 'vitest';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from './fake-api-server.ts';
import { followLease } from './lease-watch.ts';

const target = { workload: { kind: 'Deployment', name: 'cart', namespace: 'shop' } } as const;

function lease(session: string, secondsLeft = 20, version = '1') {
  return {
    metadata: { name: 'kubernetes-local-deployment-cart', namespace: 'shop', uid: 'u', resourceVersion: version },
    spec: {
      holderIdentity: session,
      leaseDurationSeconds: 20,
      acquireTime: '2026-01-01T00:00:00.000000Z',
      renewTime: new Date(Date.now() + (secondsLeft - 20) * 1000).toISOString(),
    },
  };
}

/** Lists `items`, and lets the test write the watch's lines. */
function watchable(items: readonly object[]) {
  const watches: ServerResponse[] = [];
  const answer = ({ query }: FakeRequest): FakeAnswer => {
    if (query.get('watch') === null) return { metadata: { resourceVersion: '1' }, items };
    return (response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      response.flushHeaders();
      watches.push(response);
    };
  };
  const tell = async (type: string, object: object) => {
    await vi.waitFor(() => expect(watches).toHaveLength(1));
    watches[0]?.write(`${JSON.stringify({ type, object })}\n`);
  };
  return { answer, tell };
}

test('a change and the end of the Lease are seen at once', async () => {
  const { answer, tell } = watchable([lease('a')]);
  await using server = await FakeApiServer.start(answer);
  const states = followLease(server.cluster(), target, new AbortController().signal);
  expect((await states.next()).value).toMatchObject({ session: 'a', alive: true });
  await tell('MODIFIED', lease('b', 20, '2'));
  expect((await states.next()).value).toMatchObject({ session: 'b' });
  await tell('DELETED', lease('b', 20, '3'));
  expect(await states.next()).toEqual({ done: false, value: undefined });
  expect(
    server.requests.every(
      ({ query }) => query.get('fieldSelector') === 'metadata.name=kubernetes-local-deployment-cart',
    ),
  ).toBe(true);
  await states.return(undefined);
});

test('the expiry is said though nobody writes anything', async () => {
  const { answer } = watchable([lease('a', 0.3)]);
  await using server = await FakeApiServer.start(answer);
  const states = followLease(server.cluster(), target, new AbortController().signal);
  expect((await states.next()).value).toMatchObject({ alive: true });
  expect((await states.next()).value).toMatchObject({ session: 'a', alive: false });
  await states.return(undefined);
});

test('a Lease that may not be watched is read again and again', async () => {
  let session = 'a';
  await using server = await FakeApiServer.start(({ path }) => (path.endsWith('/leases') ? 403 : lease(session)));
  const states = followLease(server.cluster(), target, new AbortController().signal);
  expect((await states.next()).value).toMatchObject({ session: 'a' });
  session = 'b';
  expect((await states.next()).value).toMatchObject({ session: 'b' });
  await states.return(undefined);
});

test('it ends with the signal', async () => {
  const { answer } = watchable([]);
  await using server = await FakeApiServer.start(answer);
  const ended = new AbortController();
  const states = followLease(server.cluster(), target, ended.signal);
  expect(await states.next()).toEqual({ done: false, value: undefined });
  const next = states.next();
  ended.abort(new Error('ended by the user'));
  await expect(next).rejects.toThrow('ended by the user');
});
