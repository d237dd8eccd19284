import { expect, it } from 'vitest';
import { type FakeAnswer, FakeApiServer } from '../../cluster/fake-api-server.ts';
import { Problem } from '../../problem.ts';
import { lossOf } from './loss.ts';

const workload = { kind: 'Deployment', name: 'cart', namespace: 'shop' } as const;
const taken = new Problem({ code: 'session-taken', what: 'Taken.', why: '', remedy: '' });

async function loss(answer: FakeAnswer): Promise<Problem> {
  await using server = await FakeApiServer.start(() => answer);
  return await lossOf(server.cluster(), { workload }, taken, new AbortController().signal);
}

it('is told as it is while the namespace stands, or nobody may know', async () => {
  expect(await loss({ metadata: {}, status: { phase: 'Active' } })).toBe(taken);
  expect(await loss(403)).toBe(taken);
});

it('is the namespace’s end if that is deleted', async () => {
  const ending = await loss({
    metadata: { deletionTimestamp: '2026-01-01T00:00:00Z' },
    status: { phase: 'Terminating' },
  });
  expect(ending).toMatchObject({ code: 'workload-changed', why: 'Its namespace shop is being deleted.' });
  expect(await loss(404)).toMatchObject({ code: 'workload-changed' });
});
