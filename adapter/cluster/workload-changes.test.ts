import { describe, expect, test } from 'vitest';
import { withChanges } from './changes.ts';
import { controllerSchema, type PodTemplate, podSchema } from './objects.ts';
import { replacementRecordSchema } from './record.ts';
import { changesOf, endsSession } from './workload-changes.ts';
import type { Workload } from './workloads.ts';

const original = {
  metadata: { labels: { app: 'cart' } },
  spec: {
    containers: [
      { name: 'cart', image: 'cart:7', command: ['run'], env: [{ name: 'A', value: '1' }] },
      { name: 'proxy', image: 'proxy:1' },
    ],
  },
};
const record = replacementRecordSchema.parse({
  version: 1,
  session: 's1',
  workload: { kind: 'Deployment', name: 'cart', namespace: 'shop', uid: 'u1' },
  container: 'cart',
  pods: { labelSelector: 'app=cart' },
  image: 'agent',
  changes: [
    { at: 'container', field: 'image', before: 'cart:7', after: 'agent' },
    { at: 'container', field: 'command', before: ['run'], after: null },
    { at: 'container', field: 'imagePullPolicy', before: null, after: 'IfNotPresent' },
    { at: 'annotation', name: 'kubernetes-local/session', before: null, after: 's1' },
  ],
  original,
  readyBefore: 1,
  plannedAt: '2026-11-23T00:00:00.000Z',
  notes: [],
});
const replaced = withChanges(record.original, 'cart', record.changes, 'after');

interface Seen {
  readonly template?: PodTemplate;
  readonly uid?: string;
  readonly replicas?: number;
  readonly paused?: boolean;
  readonly deletionTimestamp?: string;
}

function deployment({ template = replaced, uid = 'u1', deletionTimestamp, ...spec }: Seen = {}): Workload {
  const metadata = { name: 'cart', namespace: 'shop', uid, resourceVersion: '1', deletionTimestamp };
  const object = controllerSchema.parse({ metadata, spec: { replicas: 1, selector: {}, template, ...spec } });
  return { kind: 'Deployment', object };
}

function edited(
  edit: (template: { metadata: { annotations: Record<string, string> }; spec: Spec }) => void,
): PodTemplate {
  const copy = structuredClone(replaced) as unknown as Parameters<typeof edit>[0];
  edit(copy);
  return copy as unknown as PodTemplate;
}
interface Spec {
  containers: {
    image: string;
    imagePullPolicy?: string;
    env?: { name: string; value: string }[];
    envFrom?: object[];
  }[];
}

describe('a session ends', () => {
  test('when the workload is deleted, is being deleted, or is another one of its name', () => {
    expect(changesOf(record, undefined, undefined)).toEqual([{ kind: 'deleted', why: '' }]);
    expect(changesOf(record, deployment(), undefined)).toEqual([{ kind: 'deleted', why: '' }]);
    const leaving = deployment({ deletionTimestamp: '2026-11-23T00:00:00Z' });
    expect(changesOf(record, deployment(), leaving)).toEqual([{ kind: 'deleted', why: '' }]);
    expect(changesOf(record, deployment(), deployment({ uid: 'u2' }))).toEqual([{ kind: 'remade' }]);
    expect(changesOf(record, undefined, deployment({ uid: 'u2' })).every(endsSession)).toBe(true);
  });

  test('when all is put back, also if that happened before the first look', () => {
    const back = deployment({ template: record.original });
    const expected = { kind: 'agent-removed', undone: true, by: undefined };
    expect(changesOf(record, deployment(), back)).toMatchObject([expected]);
    expect(changesOf(record, undefined, back)).toMatchObject([expected]);
  });

  test('when only the image is changed', () => {
    const template = edited(({ spec }) => {
      for (const container of spec.containers) if (container.image === 'agent') container.image = 'cart:8';
    });
    expect(changesOf(record, deployment(), deployment({ template }))).toMatchObject([
      { kind: 'agent-removed', undone: false, fields: ['image of container cart'] },
    ]);
  });

  test('when the bare pod is evicted, with the cluster’s reason', () => {
    const bare = { ...record, workload: { ...record.workload, kind: 'Pod' as const } };
    const pod = (status: object, deletionTimestamp?: string): Workload => ({
      kind: 'Pod',
      object: podSchema.parse({
        metadata: { name: 'cart', uid: 'p1', resourceVersion: '1', deletionTimestamp, ...replaced.metadata },
        spec: replaced.spec,
        status,
      }),
    });
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'EvictionByEvictionAPI',
      message: 'evicting',
    };
    const evicted = pod({ conditions: [condition] }, '2026-11-23T00:00:00Z');
    expect(changesOf(bare, pod({}), pod({}))).toEqual([]);
    expect(changesOf(bare, pod({}), evicted)).toEqual([{ kind: 'deleted', why: 'EvictionByEvictionAPI: evicting' }]);
  });
});

describe('a session goes on', () => {
  test('when nothing has changed', () => {
    expect(changesOf(record, undefined, deployment())).toEqual([]);
    expect(changesOf(record, deployment(), deployment())).toEqual([]);
  });

  test('when the workload is scaled, paused and resumed', () => {
    expect(changesOf(record, deployment(), deployment({ replicas: 0 }))).toMatchObject([
      { kind: 'scaled', from: 1, to: 0 },
    ]);
    expect(changesOf(record, deployment(), deployment({ paused: true }))).toMatchObject([
      { kind: 'paused', paused: true },
    ]);
    expect(changesOf(record, deployment({ paused: true }), deployment())).toMatchObject([
      { kind: 'paused', paused: false },
    ]);
  });

  test('when variables of the container are changed, which are named', () => {
    const template = edited(({ spec: { containers } }) => {
      const [cart] = containers;
      cart?.env?.splice(0, 1, { name: 'B', value: '2' });
      if (cart) cart.envFrom = [{ configMapRef: { name: 'more' } }];
    });
    expect(changesOf(record, deployment(), deployment({ template }))).toMatchObject([
      { kind: 'variables', names: ['A', 'B', 'envFrom'] },
    ]);
  });

  test('when it is restarted, and when another container is changed', () => {
    const template = edited(({ metadata, spec: { containers } }) => {
      metadata.annotations['kubectl.kubernetes.io/restartedAt'] = 'now';
      for (const container of containers) if (container.image === 'proxy:1') container.image = 'proxy:2';
    });
    expect(changesOf(record, deployment(), deployment({ template }))).toMatchObject([
      { kind: 'restarted' },
      { kind: 'template', paths: ['spec.containers[proxy].image'] },
    ]);
  });

  test('when a field is changed that the agent does without', () => {
    const template = edited(({ spec: { containers } }) => {
      for (const container of containers) if (container.image === 'agent') container.imagePullPolicy = 'Always';
    });
    const changes = changesOf(record, deployment(), deployment({ template }));
    expect(changes).toMatchObject([{ kind: 'template', paths: ['spec.containers[cart].imagePullPolicy'] }]);
    expect(changes.some(endsSession)).toBe(false);
  });
});
