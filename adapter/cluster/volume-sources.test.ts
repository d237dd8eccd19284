import { describe, expect, it } from 'vitest';
import { Redactor } from '../diagnostics/redactor.ts';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from './fake-api-server.ts';
import { volumeReader } from './volume-sources.ts';

const never = new AbortController().signal;
const encode = (text: string) => Buffer.from(text).toString('base64');
const configMap = (data: object, uid = 'u', more: object = {}) => ({
  metadata: { name: 'settings', uid, resourceVersion: '1' },
  data,
  ...more,
});
const reference = { kind: 'ConfigMap', name: 'settings' } as const;

/** The reader on a server with these answers; `redactor` is its log's. */
async function serve(answer: (request: FakeRequest) => FakeAnswer, pause = 1) {
  const server = await FakeApiServer.start(answer);
  const redactor = new Redactor();
  const cluster = { ...server.cluster(), log: { redactor, write: () => {} } };
  return { server, redactor, reader: volumeReader(cluster, pause) };
}

const texts = (data: ReadonlyMap<string, Uint8Array> | undefined) =>
  data && Object.fromEntries([...data].map(([key, value]) => [key, Buffer.from(value).toString()]));

async function take(states: AsyncIterable<ReadonlyMap<string, Uint8Array> | undefined>, count: number) {
  const seen: (Record<string, string> | undefined)[] = [];
  for await (const state of states) {
    seen.push(texts(state));
    if (seen.length === count) break;
  }
  return seen;
}

describe('reading', () => {
  it('gives text and bytes of a ConfigMap', async () => {
    const { server, reader } = await serve(() => configMap({ a: 'ü' }, 'u', { binaryData: { b: encode('bytes') } }));
    await using _ = server;
    expect(texts(await reader.object('shop', reference, never))).toEqual({ a: 'ü', b: 'bytes' });
    expect(server.requests[0]?.path).toBe('/api/v1/namespaces/shop/configmaps/settings');
  });

  it('gives the decoded values of a Secret and masks them from then on', async () => {
    const { server, reader, redactor } = await serve(() => configMap({ password: encode('hunter22') }));
    await using _ = server;
    const data = await reader.object('shop', { kind: 'Secret', name: 'keys' }, never);
    expect(texts(data)).toEqual({ password: 'hunter22' });
    expect(redactor.redact('it is hunter22')).not.toContain('hunter22');
  });

  it('tells what does not exist from what may not be read', async () => {
    const { server, reader } = await serve(({ path }) =>
      path.endsWith('none')
        ? 404
        : (response) =>
            response
              .writeHead(403)
              .end(JSON.stringify({ kind: 'Status', message: 'User "anna" cannot get resource "configmaps"' })),
    );
    await using _ = server;
    expect(await reader.object('shop', { ...reference, name: 'none' }, never)).toBeUndefined();
    await expect(reader.object('shop', reference, never)).rejects.toMatchObject({ code: 'right-missing' });
  });

  it('reads a node where it may', async () => {
    const { server, reader } = await serve(({ path }) =>
      path.endsWith('closed') ? 403 : { status: { allocatable: { cpu: 4, memory: '8Gi' } } },
    );
    await using _ = server;
    expect(await reader.nodeAllocatable?.('n', never)).toEqual({ cpu: '4', memory: '8Gi' });
    expect(await reader.nodeAllocatable?.('closed', never)).toBeUndefined();
  });
});

describe('following', () => {
  it('lists and watches the one object', async () => {
    const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
    const { server, reader } = await serve(({ query }) =>
      query.get('watch')
        ? (response) =>
            response.end(
              line('MODIFIED', configMap({ a: '2' })) +
                line('DELETED', configMap({})) +
                line('ADDED', configMap({ a: '3' }, 'v')),
            )
        : { metadata: { resourceVersion: '5' }, items: [configMap({ a: '1' })] },
    );
    await using _ = server;
    const states = await take(reader.followObject('shop', reference, never), 4);
    expect(states).toEqual([{ a: '1' }, { a: '2' }, undefined, { a: '3' }]);
    expect(server.requests.map(({ path, query }) => `${path} ${query.get('fieldSelector')}`)).toEqual([
      '/api/v1/namespaces/shop/configmaps metadata.name=settings',
      '/api/v1/namespaces/shop/configmaps metadata.name=settings',
    ]);
  });

  it.each(['list', 'watch'])('reads again and again where it may not %s, also after an outage', async (denied) => {
    const answers: FakeAnswer[] = [configMap({ a: '2' }), 503, 404, configMap({ a: '3' })];
    const { server, reader } = await serve(({ path, query }) => {
      if (path.endsWith('/settings')) return answers.shift() ?? 404;
      if (denied === 'list' || query.get('watch')) return 403;
      return { metadata: { resourceVersion: '5' }, items: [configMap({ a: '1' })] };
    });
    await using _ = server;
    const first = denied === 'watch' ? [{ a: '1' }] : [];
    const states = await take(reader.followObject('shop', reference, never), first.length + 3);
    expect(states).toEqual([...first, { a: '2' }, undefined, { a: '3' }]);
  });

  it('ends where it may not even read, and with its signal', async () => {
    const { server, reader } = await serve(() => 403);
    await using _ = server;
    await expect(take(reader.followObject('shop', reference, never), 1)).rejects.toMatchObject({ status: 403 });
    const stop = AbortSignal.abort(new Error('enough'));
    await expect(take(reader.followObject('shop', reference, stop), 1)).rejects.toThrow('enough');
  });

  it('gives the whole pod', async () => {
    const pod = { metadata: { name: 'p', uid: 'u', resourceVersion: '1', labels: { a: 'b' } }, spec: { x: 1 } };
    const { server, reader } = await serve(() => ({ metadata: {}, items: [pod] }));
    await using _ = server;
    for await (const state of reader.followPod('shop', 'p', never)) {
      expect(state).toEqual(pod);
      break;
    }
  });
});

describe('a token', () => {
  const request = { serviceAccount: 'cart', audience: 'vault', expirationSeconds: 600, pod: { name: 'p', uid: 'u' } };

  it('is asked for, bound to the pod, and masked', async () => {
    const { server, reader, redactor } = await serve(() => ({
      spec: { expirationSeconds: 600 },
      status: { token: 'eyToken', expirationTimestamp: null },
    }));
    await using _ = server;
    expect(await reader.token('shop', request, never)).toEqual({ token: 'eyToken', lifetime: 600_000 });
    expect(server.requests).toMatchObject([
      {
        method: 'POST',
        path: '/api/v1/namespaces/shop/serviceaccounts/cart/token',
        body: {
          kind: 'TokenRequest',
          spec: {
            audiences: ['vault'],
            expirationSeconds: 600,
            boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' },
          },
        },
      },
    ]);
    expect(redactor.redact('eyToken')).not.toContain('eyToken');
    await reader.token('shop', { ...request, audience: '', expirationSeconds: undefined }, never);
    expect(server.requests[1]?.body).toMatchObject({ spec: { audiences: [] } });
    expect(server.requests[1]?.body).not.toHaveProperty('spec.expirationSeconds');
  });

  it('lives until the time that the server says, by the server’s clock', async () => {
    const ahead = Date.now() + 5 * 3_600_000;
    const { server, reader } = await serve(() => (response) => {
      const status = { token: 'eyToken', expirationTimestamp: new Date(ahead + 600_000).toISOString() };
      response.writeHead(201, { date: new Date(ahead).toUTCString() }).end(JSON.stringify({ status }));
    });
    await using _ = server;
    const { lifetime } = await reader.token('shop', request, never);
    expect(Math.round(lifetime / 60_000)).toBe(10);
  });
});
