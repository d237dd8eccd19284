import { expect, it } from 'vitest';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from '../../cluster/fake-api-server.ts';
import { replacementRecordSchema } from '../../cluster/replacement.ts';
import type { Act } from '../journal/journal.ts';
import { undo } from '../undo/undo.ts';

const session: Act = {
  act: 'session',
  version: 1,
  id: 'a',
  started: '2026-01-01T00:00:00.000Z',
  pid: 1,
  context: 'fake',
  namespace: 'shop',
  target: 'pod/cart',
};

const record = replacementRecordSchema.parse({
  version: 1,
  session: 'a',
  workload: { kind: 'Pod', name: 'cart', namespace: 'shop', uid: 'u' },
  container: 'cart',
  pods: { fieldSelector: 'metadata.name=cart' },
  image: 'agent:1',
  changes: [],
  original: { metadata: { name: 'cart' }, spec: { containers: [{ name: 'cart' }] } },
  readyBefore: 1,
  plannedAt: '2026-01-01T00:00:00.000Z',
  notes: [],
});

/** The Lease of the workload; there is nothing else in the cluster. */
const holding = (holder: string, annotations = {}) => ({
  metadata: { name: 'l', namespace: 'shop', uid: 'u', resourceVersion: '1', annotations },
  spec: { holderIdentity: holder, leaseDurationSeconds: 20, acquireTime: '', renewTime: new Date().toISOString() },
});

/** What the undo of these acts changes in the cluster. */
async function changesOf(acts: readonly Act[], lease: object): Promise<readonly FakeRequest[]> {
  const answer = ({ method, path }: FakeRequest): FakeAnswer => {
    if (!path.includes('/leases/')) return 404;
    return method === 'DELETE' ? {} : lease;
  };
  await using server = await FakeApiServer.start(answer);
  await undo({
    acts: [session, ...acts],
    openCluster: async () => server.cluster(),
    openHelper: () => Promise.reject(new Error('nothing is to be undone on the computer')),
    progress: () => {},
    notice: () => {},
    signal: new AbortController().signal,
  });
  return server.requests.filter(({ method }) => method !== 'GET');
}

it('a guest is taken out of the Lease, whoever holds it now; the others stay', async () => {
  const guest = (name: string) => ({ session: name, holder: name, publicKey: 'AAAA', since: '' });
  const annotations = { 'kubernetes-local/guests': JSON.stringify([guest('a'), guest('b')]) };
  const lease = 'kubernetes-local-pod-cart';
  const [change, ...others] = await changesOf([{ act: 'guest', lease }], holding('z', annotations));
  expect(others).toEqual([]);
  expect(change).toMatchObject({
    method: 'PUT',
    body: {
      metadata: { resourceVersion: '1', annotations: { 'kubernetes-local/guests': JSON.stringify([guest('b')]) } },
      spec: { holderIdentity: 'z' },
    },
  });
});

it('a pod that another session has at the moment is neither deleted nor made', async () => {
  const acts: readonly Act[] = [
    { act: 'lease', name: 'kubernetes-local-pod-cart' },
    { act: 'replacement', record },
  ];
  expect(await changesOf(acts, holding('b'))).toEqual([]);
});
