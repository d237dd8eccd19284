import { expect, test } from 'vitest';
import { helpText } from './help.ts';
import { replacementRecordSchema } from './record.ts';

const record = replacementRecordSchema.parse({
  version: 1,
  session: 'a',
  workload: { kind: 'Deployment', name: 'cart', namespace: 'shop', uid: 'u' },
  container: 'cart',
  pods: {},
  image: 'agent:1',
  changes: [],
  original: { spec: { containers: [] } },
  readyBefore: 1,
  plannedAt: '2026-05-01T10:07:42.123Z',
  notes: [],
});

test('a colleague reads who, since when and what to do', () => {
  expect(helpText({ ...record, holder: 'anna on laptop' })).toBe(
    'anna on laptop debugs container cart with kubernetes-local since 2026-05-01 10:07 UTC; the agent stands in for it. ' +
      'It is undone when they stop. If their computer is gone, anybody with rights on this workload undoes it with: ' +
      'kubernetes-local restore --namespace shop',
  );
});

test('a record of an older version does not say who', () => {
  expect(helpText(record)).toMatch(/^Somebody debugs container cart/);
});
