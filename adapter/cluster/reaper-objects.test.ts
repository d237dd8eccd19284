import { describe, expect, it } from 'vitest';
import { workloadKinds } from './kinds.ts';
import { podSchema } from './objects.ts';
import { reaperName, reaperObjects } from './reaper-objects.ts';
import { rightsOfReaper } from './reaper-rights.ts';
import { requiredRights } from './rights.ts';

const pod = podSchema.parse({
  metadata: { name: 'cart', uid: '0', resourceVersion: '0' },
  spec: { containers: [{ name: 'cart' }] },
});

describe('the name of a reaper', () => {
  it('says whose it is', () => {
    expect(reaperName({ kind: 'StatefulSet', name: 'orders' })).toBe('kubernetes-local-reaper-statefulset-orders');
  });

  it.each(['a'.repeat(200), `${'a'.repeat(17)}.${'b'.repeat(40)}`, `${'a'.repeat(18)}-${'b'.repeat(40)}`])(
    'is a label’s value for %s, and its own',
    (name) => {
      const short = reaperName({ kind: 'Deployment', name });
      expect(short.length).toBeLessThanOrEqual(63);
      expect(short).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
      expect(short).not.toBe(reaperName({ kind: 'Deployment', name: `${name}x` }));
    },
  );
});

it.each(workloadKinds)('the reaper of a %s may do nothing that its user may not', (kind) => {
  const workload = { kind, name: 'cart', namespace: 'shop', uid: 'u' };
  const given = requiredRights({ workload, container: 'cart', pod });
  for (const right of rightsOfReaper(workload)) {
    const covering = given.filter(
      ({ verb, group, resource, name }) =>
        verb === right.verb &&
        group === right.group &&
        resource === right.resource &&
        (name === undefined || name === right.name),
    );
    expect(covering, JSON.stringify(right)).not.toEqual([]);
  }
});

it('everything belongs to the Lease and to the session', () => {
  const workload = { kind: 'Deployment', name: 'cart', namespace: 'shop' } as const;
  const plan = { workload, session: 'a', leaseUid: 'u', image: 'agent:1', imagePullSecrets: [{ name: 'pull' }] };
  const objects = reaperObjects({ ...plan, delay: 60 });
  expect(objects.map(({ manifest }) => manifest.kind)).toEqual(['ServiceAccount', 'Role', 'RoleBinding', 'Deployment']);
  for (const { manifest } of objects) {
    expect(manifest.metadata).toMatchObject({
      name: 'kubernetes-local-reaper-deployment-cart',
      annotations: { 'kubernetes-local/session': 'a' },
      ownerReferences: [{ kind: 'Lease', name: 'kubernetes-local-deployment-cart', uid: 'u' }],
    });
  }
  expect(objects.at(-1)?.manifest).toMatchObject({
    spec: {
      template: {
        spec: {
          imagePullSecrets: [{ name: 'pull' }],
          containers: [
            {
              image: 'agent:1',
              args: ['reaper', '--namespace', 'shop', '--lease', 'kubernetes-local-deployment-cart', '--delay', '60'],
            },
          ],
        },
      },
    },
  });
});
