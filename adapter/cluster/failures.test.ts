import { expect, test } from 'vitest';
import { controllerFailure, podFailure } from './failures.ts';
import { controllerSchema, podSchema } from './objects.ts';

function pod(status: object) {
  const metadata = { name: 'cart-1', uid: 'u', resourceVersion: '1' };
  return podSchema.parse({ metadata, spec: { containers: [{ name: 'cart' }, { name: 'proxy' }] }, status });
}

const waiting = (name: string, reason: string) =>
  pod({ phase: 'Pending', containerStatuses: [{ name, state: { waiting: { reason, message: 'because' } } }] });

test.each([
  ['ErrImageNeverPull', 'image-pull-failed', 0],
  ['ImagePullBackOff', 'image-pull-failed', 0],
  ['ErrImagePull', 'image-pull-failed', 5000],
  ['CrashLoopBackOff', 'rollout-failed', 0],
  ['CreateContainerConfigError', 'rollout-failed', 5000],
])('%s of the agent is %s after %d ms', (reason, code, patience) => {
  expect(podFailure(waiting('cart', reason), 'cart')).toMatchObject({
    code,
    patience,
    why: `Pod cart-1: container cart: ${reason}: because`,
  });
});

test('a sidecar in trouble gets some time', () => {
  expect(podFailure(waiting('proxy', 'ImagePullBackOff'), 'cart')).toMatchObject({
    code: 'rollout-failed',
    patience: 20_000,
  });
});

test('a pod that no node takes gets some time', () => {
  const status = {
    phase: 'Pending',
    conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/1' }],
  };
  expect(podFailure(pod(status), 'cart')).toMatchObject({
    patience: 20_000,
    why: 'Pod cart-1: Pending: Unschedulable: 0/1',
  });
});

test.each(['ContainerCreating', 'PodInitializing'])('%s is no failure', (reason) => {
  expect(podFailure(waiting('cart', reason), 'cart')).toBeUndefined();
});

test('trouble that counts on is the same trouble', () => {
  const first = podFailure(waiting('cart', 'CrashLoopBackOff'), 'cart');
  const later = pod({
    phase: 'Running',
    containerStatuses: [{ name: 'cart', state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } } }],
  });
  expect(podFailure(later, 'cart')?.key).toBe(first?.key);
});

function deployment(observedGeneration: number, conditions: readonly object[]) {
  return {
    kind: 'Deployment' as const,
    object: controllerSchema.parse({
      metadata: { name: 'cart', uid: 'u', resourceVersion: '1', generation: 2 },
      spec: { selector: {}, template: { spec: { containers: [] } } },
      status: { observedGeneration, conditions },
    }),
  };
}

const quota = {
  type: 'ReplicaFailure',
  status: 'True',
  reason: 'FailedCreate',
  message: 'pods "x" is forbidden: exceeded quota: q',
};

test('conditions from before the change say nothing', () => {
  expect(controllerFailure(deployment(1, [quota]))).toBeUndefined();
});

test('refused pods and a missed deadline are told', () => {
  expect(controllerFailure(deployment(2, [quota]))).toMatchObject({ code: 'quota-exceeded', why: quota.message });
  const policy = { ...quota, message: 'violates PodSecurity' };
  expect(controllerFailure(deployment(2, [policy]))).toMatchObject({ code: 'rollout-failed' });
  const late = { type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', message: 'timed out' };
  expect(controllerFailure(deployment(2, [late]))).toMatchObject({ code: 'rollout-failed', why: 'timed out' });
});
