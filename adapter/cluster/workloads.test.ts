import { expect, test } from 'vitest';
import { controllerSchema } from './objects.ts';
import { podsStayUntilReady } from './workloads.ts';

const workload = (kind: 'Deployment' | 'StatefulSet' | 'DaemonSet', spec: object) => ({
  kind,
  object: controllerSchema.parse({
    metadata: { name: 'cart', namespace: 'shop', uid: 'u', resourceVersion: '1' },
    spec: {
      selector: { matchLabels: { app: 'cart' } },
      template: { metadata: { labels: { app: 'cart' } }, spec: { containers: [{ name: 'cart' }] } },
      ...spec,
    },
  }),
});
const rolling = (rollingUpdate: object) => ({ strategy: { type: 'RollingUpdate', rollingUpdate } });

test.each([
  ['one pod, with the defaults', true, { replicas: 1 }],
  ['no number of pods is one', true, {}],
  ['three pods, of which a quarter may be missing', true, { replicas: 3, ...rolling({ maxUnavailable: '25%' }) }],
  ['four pods, of which a quarter may be missing', false, { replicas: 4 }],
  ['none may be missing', true, { replicas: 20, ...rolling({ maxUnavailable: 0, maxSurge: 1 }) }],
  ['none may be missing, as a share', true, { replicas: 20, ...rolling({ maxUnavailable: '0%', maxSurge: '10%' }) }],
  ['one may be missing', false, { replicas: 2, ...rolling({ maxUnavailable: 1 }) }],
  ['neither more nor fewer: one may be missing', false, { replicas: 2, ...rolling({ maxSurge: 0 }) }],
  ['all at once', false, { replicas: 1, strategy: { type: 'Recreate' } }],
] as const)('a Deployment keeps its pods until new ones are ready: %s', (_, stays, spec) => {
  expect(podsStayUntilReady(workload('Deployment', spec))).toBe(stays);
});

test.each(['StatefulSet', 'DaemonSet'] as const)('a %s ends a pod before it makes the new one', (kind) => {
  expect(podsStayUntilReady(workload(kind, { replicas: 1 }))).toBe(false);
});
