/** The record of a replaced Deployment, for tests. */
import { replacementRecordSchema } from './record.ts';

export const exampleRecord = replacementRecordSchema.parse({
  version: 1,
  session: 's1',
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
