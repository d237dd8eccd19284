import { expect, test } from 'vitest';
import { currentValue, differences, planChanges, planUndo, templatePatch, withChanges } from './changes.ts';
import { type PodTemplate, templateSchema } from './objects.ts';
import type { Change } from './record.ts';

const agent = {
  version: 2 as const,
  session: 'session-1',
  publicKey: 'key',
  tunnelPort: 19_471,
  healthPort: 19_472,
  ports: [80, 9090],
};
const image = { name: 'registry.example/agent:1' };

function template(): PodTemplate {
  return templateSchema.parse({
    metadata: { labels: { app: 'cart' }, annotations: { team: 'shop' } },
    spec: {
      containers: [
        { name: 'proxy', image: 'proxy:1', env: [{ name: 'A', value: '1' }] },
        {
          name: 'cart',
          image: 'cart:7',
          imagePullPolicy: 'Always',
          command: ['python'],
          args: ['cart.py'],
          ports: [{ containerPort: 80, protocol: 'TCP' }],
          env: [
            { name: 'B', value: '2' },
            { name: 'C', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          ],
          resources: { limits: { memory: '64Mi', cpu: '2' }, requests: { cpu: '1' } },
          readinessProbe: { exec: { command: ['true'] }, initialDelaySeconds: 5 },
          livenessProbe: { tcpSocket: { port: 80 } },
          lifecycle: { preStop: { exec: { command: ['sleep', '9'] } } },
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
          futureField: { kept: true },
        },
      ],
      volumes: [{ name: 'data', emptyDir: {} }],
      securityContext: { runAsNonRoot: true, sysctls: [{ name: 'net.core.somaxconn', value: '1024' }] },
    },
  });
}

function plan(original = template()) {
  const container = original.spec.containers.find(({ name }) => name === 'cart');
  if (!container) throw new Error('the test template lost its container');
  return planChanges(original, container, agent, image);
}

function find(changes: readonly Change[], match: Partial<Change>): Change {
  const found = changes.find((change) =>
    Object.entries(match).every(([key, value]) => change[key as keyof Change] === value),
  );
  if (!found) throw new Error(`no change ${JSON.stringify(match)}`);
  return found;
}

test('the agent takes the container over and leaves the rest alone', () => {
  const { changes } = plan();
  const changed = withChanges(template(), 'cart', changes, 'after');
  const [proxy, cart] = changed.spec.containers;
  expect(proxy).toEqual(template().spec.containers[0]);
  expect(cart).toMatchObject({
    image: 'registry.example/agent:1',
    imagePullPolicy: 'IfNotPresent',
    ports: [{ containerPort: 80 }],
    volumeMounts: [{ name: 'data' }],
    futureField: { kept: true },
    readinessProbe: { httpGet: { path: '/ready', port: 19_472 }, periodSeconds: 1 },
    livenessProbe: { httpGet: { path: '/live', port: 19_472 } },
    resources: { limits: { memory: '192Mi', cpu: '2' }, requests: { cpu: '1', memory: '64Mi' } },
  });
  for (const gone of ['command', 'args', 'lifecycle', 'startupProbe']) expect(cart).not.toHaveProperty(gone);
  expect(cart?.env).toEqual([
    { name: 'B', value: '2' },
    { name: 'C', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'KUBERNETES_LOCAL_AGENT', value: JSON.stringify(agent) },
  ]);
  expect(changed.metadata?.annotations).toEqual({ team: 'shop', 'kubernetes-local/session': 'session-1' });
  expect(changed.spec.securityContext).toEqual({
    runAsNonRoot: true,
    sysctls: [
      { name: 'net.core.somaxconn', value: '1024' },
      { name: 'net.ipv4.ip_unprivileged_port_start', value: '0' },
    ],
  });
});

test('too small limits are raised and the user is told', () => {
  expect(plan().notes).toEqual([expect.stringMatching(/memory limit of container cart is 192Mi instead of 64Mi/)]);
});

test('a container without limits and probes gets only what the agent needs', () => {
  const bare = templateSchema.parse({ spec: { containers: [{ name: 'cart', image: 'cart:7' }] } });
  const fields = plan(bare).changes.flatMap((change) => (change.at === 'container' ? change.field : change.name));
  expect(fields.sort()).toEqual([
    'KUBERNETES_LOCAL_AGENT',
    'image',
    'imagePullPolicy',
    'kubernetes-local/session',
    'net.ipv4.ip_unprivileged_port_start',
    'readinessProbe',
    'securityContext',
  ]);
});

test('in the network of the node no sysctl is asked for, and the user is told what may not work', () => {
  const host = template();
  const { changes, notes } = plan({ ...host, spec: { ...host.spec, hostNetwork: true } });
  expect(changes.some(({ at }) => at === 'sysctl')).toBe(false);
  expect(notes).toContainEqual(expect.stringContaining('may not be allowed to listen at port 80.'));
});

test('taking the changes back gives the same template', () => {
  const { changes } = plan();
  const there = withChanges(template(), 'cart', changes, 'after');
  expect(withChanges(there, 'cart', changes, 'before')).toEqual(template());
});

test('taking the changes back leaves no empty list behind', () => {
  const bare = templateSchema.parse({ spec: { containers: [{ name: 'cart', image: 'cart:7' }] } });
  const { changes } = plan(bare);
  const back = withChanges(withChanges(bare, 'cart', changes, 'after'), 'cart', changes, 'before');
  expect(back.spec.containers).toEqual(bare.spec.containers);
  expect(back.spec.securityContext).toEqual({});
});

test('the patch names the container, replaces objects whole and deletes by null', () => {
  const { changes } = plan();
  expect(templatePatch(template(), 'cart', changes, 'after')).toMatchObject({
    metadata: { annotations: { 'kubernetes-local/session': 'session-1' } },
    spec: {
      containers: [
        {
          name: 'cart',
          command: null,
          lifecycle: null,
          readinessProbe: { $patch: 'replace', httpGet: { path: '/ready' } },
          env: [{ name: 'KUBERNETES_LOCAL_AGENT' }],
        },
      ],
      securityContext: { sysctls: [{ name: 'net.core.somaxconn' }, { name: 'net.ipv4.ip_unprivileged_port_start' }] },
    },
  });
  const there = withChanges(template(), 'cart', changes, 'after');
  expect(templatePatch(there, 'cart', changes, 'before')).toMatchObject({
    metadata: { annotations: { 'kubernetes-local/session': null } },
    spec: {
      containers: [
        {
          name: 'cart',
          command: ['python'],
          readinessProbe: { $patch: 'replace', exec: { command: ['true'] } },
          // Nothing is there to be replaced.
          lifecycle: { preStop: { exec: { command: ['sleep', '9'] } } },
          env: [{ name: 'KUBERNETES_LOCAL_AGENT', $patch: 'delete' }],
        },
      ],
      securityContext: { sysctls: [{ name: 'net.core.somaxconn', value: '1024' }] },
    },
  });
});

test('an undo of nothing patches nothing', () => {
  expect(templatePatch(template(), 'cart', [], 'before')).toEqual({});
});

test('an undo takes back what is still ours, in any order of containers', () => {
  const { changes } = plan();
  const there = withChanges(template(), 'cart', changes, 'after');
  const reordered = { ...there, spec: { ...there.spec, containers: [...there.spec.containers].reverse() } };
  expect(planUndo(reordered, 'cart', changes)).toEqual({ revert: changes, conflicts: [] });
});

test('an undo keeps and names what somebody else changed', () => {
  const { changes } = plan();
  const there = withChanges(template(), 'cart', changes, 'after');
  const theirs = find(changes, { at: 'container', field: 'image' });
  const changed = withChanges(there, 'cart', [{ ...theirs, after: 'cart:8' }], 'after');
  const { revert, conflicts } = planUndo(changed, 'cart', changes);
  expect(conflicts).toEqual(['image of container cart is now "cart:8"']);
  expect(revert).toHaveLength(changes.length - 1);
  const undone = withChanges(changed, 'cart', revert, 'before');
  expect(differences(template(), undone)).toEqual(['spec.containers[cart].image']);
});

test('what somebody else has undone already is no conflict', () => {
  const { changes } = plan();
  expect(planUndo(template(), 'cart', changes)).toEqual({ revert: [], conflicts: [] });
});

test('a container that somebody removed is a conflict, not a crash', () => {
  const { changes } = plan();
  const there = template();
  const without = { ...there, spec: { ...there.spec, containers: there.spec.containers.slice(0, 1) } };
  expect(currentValue(without, 'cart', find(changes, { at: 'container', field: 'image' }))).toBeNull();
  expect(planUndo(without, 'cart', changes)).toEqual({ revert: [], conflicts: ['container cart is gone'] });
});

test('differences are named by path', () => {
  expect(differences({ a: [{ name: 'x', v: 1 }], b: 1 }, { a: [{ name: 'x', v: 2 }, { name: 'y' }], c: 1 })).toEqual([
    'a[x].v',
    'a[y]',
    'b',
    'c',
  ]);
  expect(differences({ a: [1, 2] }, { a: [1] })).toEqual(['a']);
  expect(differences({ a: 1 }, { a: 1 })).toEqual([]);
});

test('an object is marked as a replacement only where there is one to replace', () => {
  const bare = templateSchema.parse({ spec: { containers: [{ name: 'cart', image: 'cart:7' }] } });
  const patch = templatePatch(bare, 'cart', plan(bare).changes, 'after');
  expect(JSON.stringify(patch)).toContain('"readinessProbe"');
  expect(JSON.stringify(patch)).not.toContain('$patch');
});

test('a probe into which somebody merged the original keeps nothing of ours', () => {
  const before = { httpGet: { path: '/health', port: 'http', scheme: 'HTTP' }, periodSeconds: 1, failureThreshold: 3 };
  const after = { httpGet: { path: '/ready', port: 19_472, scheme: 'HTTP' }, periodSeconds: 1, failureThreshold: 2 };
  const changes: readonly Change[] = [{ at: 'container', field: 'readinessProbe', before, after }];
  const merged = { ...after, httpGet: before.httpGet };
  const now = templateSchema.parse({ spec: { containers: [{ name: 'cart', readinessProbe: merged }] } });
  const { revert, conflicts } = planUndo(now, 'cart', changes);
  expect(conflicts).toEqual([]);
  expect(withChanges(now, 'cart', revert, 'before').spec.containers[0]?.readinessProbe).toEqual(before);
});

test('what somebody else changed of a probe stays, and the rest of it comes back', () => {
  const before = { exec: { command: ['true'] }, periodSeconds: 10, failureThreshold: 3 };
  const after = { httpGet: { path: '/ready', port: 19_472 }, periodSeconds: 1, failureThreshold: 2 };
  const changes: readonly Change[] = [{ at: 'container', field: 'readinessProbe', before, after }];
  const undone = (probe: object) => {
    const now = templateSchema.parse({ spec: { containers: [{ name: 'cart', readinessProbe: probe }] } });
    const { revert, conflicts } = planUndo(now, 'cart', changes);
    return { probe: withChanges(now, 'cart', revert, 'before').spec.containers[0]?.readinessProbe, conflicts };
  };
  const theirTimes = { ...after, periodSeconds: 7 };
  expect(undone(theirTimes)).toEqual({
    probe: { ...before, periodSeconds: 7 },
    conflicts: [
      `readinessProbe of container cart is now ${JSON.stringify({ exec: before.exec, periodSeconds: 7, failureThreshold: 3 })}`,
    ],
  });
  // Two ways to probe are never mixed.
  const theirPath = { ...after, httpGet: { path: '/theirs', port: 80 } };
  expect(undone(theirPath).probe).toEqual({ httpGet: theirPath.httpGet, periodSeconds: 10, failureThreshold: 3 });
});
