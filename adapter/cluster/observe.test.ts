import { describe, expect, it } from 'vitest';
import { exampleRecord as record } from './example-record.ts';
import { FakeApiServer } from './fake-api-server.ts';
import { observe } from './observe.ts';

describe('observing a workload', () => {
  it('ends when the API server does not come back, also if it was never there', async () => {
    const server = await FakeApiServer.start(() => 500);
    const cluster = server.cluster();
    await server[Symbol.asyncDispose]();
    const first = observe(cluster, record, new AbortController().signal, 0).next();
    await expect(first).rejects.toMatchObject({ code: 'cluster-unreachable' });
  }, 30_000);
});
