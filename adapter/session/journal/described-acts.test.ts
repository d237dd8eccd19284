import { describe, expect, it } from 'vitest';
import { describeActs, describeSession, withoutValues } from './described-acts.ts';
import type { Act } from './journal.ts';

const secret = 'tok_4f9c2b7e61';
const acts: readonly Act[] = [
  {
    act: 'session',
    version: 1,
    id: 'x',
    started: '2026-01-02T03:04:05.000Z',
    pid: 1,
    context: 'dev',
    namespace: 'shop',
    target: 'service/cart',
  },
  { act: 'lease', name: 'kubernetes-local-cart' },
  {
    act: 'replacement',
    record: {
      version: 1,
      session: 'x',
      workload: { kind: 'Deployment', name: 'cart', namespace: 'shop', uid: 'u' },
      container: 'cart',
      pods: { labelSelector: 'app=cart' },
      image: 'agent:1',
      changes: [
        { at: 'container', field: 'image', before: 'cart:1', after: 'agent:1' },
        { at: 'container', field: 'args', before: [`--token=${secret}`], after: null },
        { at: 'variable', name: 'AGENT', before: null, after: { name: 'AGENT', value: '{}' } },
      ],
      original: { spec: { containers: [{ name: 'cart', image: 'cart:1', args: [`--token=${secret}`] }] } },
      readyBefore: 2,
      plannedAt: '2026-01-02T03:04:05.000Z',
      notes: [],
    },
  },
  { act: 'hosts', file: '/etc/hosts' },
  { act: 'volumes', folder: '/run/x' },
  { act: 'link', path: '/home/anna/config', into: '/run/x', made: [] },
];

describe('the acts of a journal', () => {
  it('are told one by one, each with its undo', () => {
    const told = describeActs(acts);
    expect(told.map(({ where, what }) => [where, what])).toEqual([
      ['cluster', 'Lease kubernetes-local-cart in namespace shop tells others that you hold the workload.'],
      [
        'cluster',
        'deployment/cart in namespace shop runs the agent agent:1 in place of container cart. Changed: image of container cart, args of container cart, environment variable AGENT of container cart.',
      ],
      ['computer', '/etc/hosts has a block with the names of Services.'],
      ['computer', "/run/x has the files of the pod's volumes."],
      ['computer', "/home/anna/config leads to files of the pod's volumes."],
    ]);
    expect(told.every(({ undo }) => undo.endsWith('.'))).toBe(true);
    expect(told[1]?.undo).toContain('2 ready pods');
    expect(JSON.stringify(told)).not.toContain(secret);
  });

  it('can be shown to strangers without values', () => {
    const bare = withoutValues(acts);
    expect(JSON.stringify(bare)).not.toContain(secret);
    expect(JSON.stringify(bare)).not.toContain('cart:1');
    expect(bare[2]).toMatchObject({
      act: 'replacement',
      record: {
        changes: [{ field: 'image', before: 'present' }, { field: 'args', after: 'absent' }, { before: 'absent' }],
      },
    });
  });

  it('say whose they are', () => {
    expect(describeSession(acts)).toBe('service/cart in shop of dev, begun 2026-01-02T03:04:05.000Z');
    expect(describeSession([])).toBe('a session');
  });
});
