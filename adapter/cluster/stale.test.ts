import { describe, expect, it } from 'vitest';
import { originalAnnotation, sessionAnnotation } from './annotations.ts';
import { controllerSchema } from './objects.ts';
import { replacementRecordSchema } from './record.ts';
import { recordOf } from './stale.ts';

const workload = { kind: 'Deployment', name: 'cart', namespace: 'shop', uid: 'u1' } as const;
const spec = { containers: [{ name: 'cart', image: 'shop/cart:1' }] };
const record = replacementRecordSchema.parse({
  version: 1,
  session: 's1',
  workload,
  container: 'cart',
  pods: { labelSelector: 'app=cart' },
  image: 'agent:1',
  changes: [],
  original: { metadata: {}, spec },
  readyBefore: 1,
  plannedAt: '2026-01-01T00:00:00.000Z',
  notes: [],
});

function carrying(about: object, kind: 'Deployment' | 'StatefulSet' = 'Deployment') {
  const annotations = {
    [sessionAnnotation]: 's1',
    [originalAnnotation('cart')]: JSON.stringify({ ...record, workload: { ...workload, ...about } }),
  };
  const metadata = { name: 'cart', namespace: 'shop', uid: 'u1', resourceVersion: '1', annotations };
  return {
    kind,
    object: controllerSchema.parse({ metadata, spec: { selector: {}, template: { metadata: {}, spec } }, status: {} }),
  };
}

describe('the record that a workload carries', () => {
  it('is found', () => {
    expect(recordOf(carrying({}))).toEqual(record);
  });

  it.each([{ name: 'prices' }, { namespace: 'kube-system' }, { kind: 'DaemonSet' }])(
    'does not count if it is about another workload: %j',
    (about) => {
      expect(recordOf(carrying(about))).toBeUndefined();
    },
  );

  it('does not count on another kind of the same name', () => {
    expect(recordOf(carrying({}, 'StatefulSet'))).toBeUndefined();
  });
});
