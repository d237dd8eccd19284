import { expect, test } from 'vitest';
import { agentSecurity } from './agent-security.ts';
import { templateSchema } from './objects.ts';

const least = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  readOnlyRootFilesystem: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

const of = (own?: object, pod?: object) => {
  const template = templateSchema.parse({
    spec: { containers: [{ name: 'cart', securityContext: own }], securityContext: pod },
  });
  const [container] = template.spec.containers;
  if (container === undefined) throw new Error('no container');
  return agentSecurity(template, container);
};

test.each<[string, object | undefined, object | undefined, object]>([
  ['nothing', undefined, undefined, {}],
  ['a user of its own', { runAsUser: 1000, runAsGroup: 0 }, undefined, { runAsUser: 1000, runAsGroup: 0 }],
  ['the user of the pod', undefined, { runAsUser: 1000 }, {}],
  ['a label', { seLinuxOptions: { level: 's0:c1' } }, undefined, { seLinuxOptions: { level: 's0:c1' } }],
  ['every privilege', { privileged: true, capabilities: { add: ['NET_ADMIN'] }, procMount: 'Unmasked' }, undefined, {}],
  ['nulls', { runAsUser: null, seccompProfile: null }, undefined, {}],
])('a container with %s gives the agent no more than that', (_name, own, pod, kept) => {
  expect(of(own, pod)).toEqual({ securityContext: { ...kept, ...least }, notes: [] });
});

test.each<[string, object | undefined, object | undefined, object]>([
  ['of its own', { runAsUser: 0 }, undefined, { runAsUser: 65_532, runAsGroup: 65_532 }],
  ['of the pod', undefined, { runAsUser: 0, runAsGroup: 0 }, { runAsUser: 65_532, runAsGroup: 65_532 }],
  ['with a group', { runAsUser: 0, runAsGroup: 2000 }, undefined, { runAsUser: 65_532, runAsGroup: 2000 }],
])('a container that is root %s gives the agent another user, and the user here is told', (_name, own, pod, user) => {
  const { securityContext, notes } = of(own, pod);
  expect(securityContext).toEqual({ ...user, ...least });
  expect(notes).toEqual([expect.stringContaining('runs as root, the agent in its place as user 65532')]);
});

test('a container that is not root in a pod that is keeps its user', () => {
  expect(of({ runAsUser: 1000 }, { runAsUser: 0 })).toMatchObject({ securityContext: { runAsUser: 1000 }, notes: [] });
});
