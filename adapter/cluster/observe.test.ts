import { describe, expect, it } from 'vitest';
import { FakeApiServer } from './fake-api-server.ts';
import { observe } from './observe.ts';
import { replacementRecordSchema } from './record.ts';

const record = replacementRecordSchema.parse({
  version: 1,
  session: 'a1',
  workload: { kind: 'Deployment', name: 'cart', namespace: 'shop', uid: 'u1' },
  container: 'cart',
  pods: { labelSelector: 'app=cart' },
  image: 'agent',
  changes: [],
  original: { spec: { containers: [] } },
  readyBefore: 1,
  plannedAt: '2026-11-23T00:00:00.000Z',
  notes: [],
});

describe('observing a workload', () => {
  it('ends when the API server does not come back, also if it was never there', async () => {
    const server = await FakeApiServer.start(() => 500);
    const cluster = server.cluster();
    await server[Symbol.asyncDispose]();
    const first = observe(cluster, record, new AbortController().signal, 0).next();
    await expect(first).rejects.toMatchObject({ code: 'cluster-unreachable' });
  }, 30_000);
});
