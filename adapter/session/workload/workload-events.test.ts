import { expect, test } from 'vitest';
import { exampleRecord as record } from '../../cluster/example-record.ts';
import { controllerSchema } from '../../cluster/objects.ts';
import { noticeOf, problemOf } from './workload-events.ts';

const by = (manager: string) => ({ manager, time: undefined });

test('an autoscaler is called so, and somebody unknown is not named', () => {
  const scaled = { kind: 'scaled', from: 1, to: 3 } as const;
  expect(noticeOf(record, { ...scaled, by: by('kube-controller-manager') })?.text).toBe(
    'deployment/cart was scaled from 1 to 3 pods by an autoscaler of the cluster. The new ones run the agent too.',
  );
  expect(noticeOf(record, { ...scaled, by: undefined })?.text).toContain('to 3 pods. The new');
});

test('no pod at all is a warning, fewer pods are none', () => {
  const scaled = { kind: 'scaled', from: 2, by: undefined } as const;
  expect(noticeOf(record, { ...scaled, to: 0 })).toMatchObject({ level: 'warning' });
  expect(noticeOf(record, { ...scaled, to: 1 })).toEqual({
    level: 'info',
    text: 'deployment/cart was scaled from 2 to 1 pod.',
  });
});

test('a GitOps tool that puts it back is named, with the command that pauses it', () => {
  const object = controllerSchema.parse({
    metadata: { name: 'cart', uid: 'u1', resourceVersion: '1', labels: { 'argocd.argoproj.io/instance': 'shop' } },
    spec: { selector: {}, template: { spec: { containers: [] } } },
  });
  const change = {
    kind: 'agent-removed',
    fields: ['image of container cart'],
    undone: true,
    by: by('argocd-controller'),
  } as const;
  const problem = problemOf(record, change, { kind: 'Deployment', object }, 'unknown');
  expect(problem).toMatchObject({
    code: 'workload-changed',
    what: 'deployment/cart was put back to what it was before the session by Argo CD (argocd-controller).',
    why: 'Changed: image of container cart.',
    remedy: expect.stringContaining('argocd app set shop --sync-policy none'),
  });
});

test('a deleted namespace is the reason, if it is known', () => {
  const deleted = { kind: 'deleted', why: '' } as const;
  expect(problemOf(record, deleted, undefined, 'ending').why).toBe('Its namespace shop is being deleted.');
  expect(problemOf(record, deleted, undefined, 'unknown')).toMatchObject({
    what: 'deployment/cart was deleted.',
    why: 'Somebody else did it during the session.',
    remedy: expect.stringContaining('not brought back'),
  });
});
