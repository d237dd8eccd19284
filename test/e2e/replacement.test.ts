/** Putting the agent in place and the original back, on a real API server, for each kind of workload and each refusal. */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agentKeys } from '../../adapter/cluster/agent-key.ts';
import { type Cluster, openCluster } from '../../adapter/cluster/cluster.ts';
import { keepNothing } from '../../adapter/cluster/kept-parts.ts';
import { acquireLease, leaseName } from '../../adapter/cluster/lease.ts';
import { portForwarder } from '../../adapter/cluster/port-forward/forwarder.ts';
import {
  applyReplacement,
  awaitReplacement,
  awaitRestored,
  freeAgentPorts,
  planReplacement,
  type ReplacementRecord,
  undoReplacement,
  watchAgentPods,
} from '../../adapter/cluster/replacement.ts';
import { checkRights, requiredRights } from '../../adapter/cluster/rights.ts';
import { findStaleSessions } from '../../adapter/cluster/stale.ts';
import { type ResolvedTarget, resolveTarget } from '../../adapter/cluster/target.ts';
import { silentLog } from '../../adapter/diagnostics/log.ts';
import { openTunnel } from '../../adapter/tunnel/tunnel.ts';
import { type AgentConfiguration, configurationVersion } from '../../agent/protocol.ts';
import { ensureCluster, type TestCluster } from '../cluster/cluster.ts';
import type { Kubectl } from '../stage/kubectl.ts';
import { kubectlOf, removeNamespace } from '../stage/shop.ts';
import { agentImage, sharedCluster } from '../stage/world.ts';

const log = silentLog;
const namespace = `replacement-${randomUUID().slice(0, 8)}`;
const image = { name: agentImage, pullPolicy: 'Never' };
const quiet = () => {};

let testCluster: TestCluster;
let kubectl: Kubectl;
let cluster: Cluster;
const whole = new AbortController();

beforeAll(async () => {
  testCluster = await ensureCluster({ name: sharedCluster });
  kubectl = kubectlOf(testCluster);
  // The strictest admission there is: the agent must live under it.
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
  cluster = await openCluster({ kubeconfig: testCluster.kubeconfig, namespace, log }, whole.signal);
});

afterAll(async () => {
  whole.abort();
  await removeNamespace(kubectl, namespace);
});

type Kind = 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Pod';

async function create(object: object): Promise<void> {
  await kubectl.run(['create', '-f', '-'], JSON.stringify(object));
}

function podSpec(name: string): object {
  return {
    terminationGracePeriodSeconds: 2,
    securityContext: { runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [
      {
        name,
        image: 'kubernetes-local.test/busybox:1',
        imagePullPolicy: 'Never',
        command: ['/bin/sh', '-c'],
        args: ['trap exit TERM; while :; do nc -l -p 8080; done & wait'],
        ports: [{ name: 'http', containerPort: 8080 }],
        env: [
          { name: 'FIRST', value: '1' },
          { name: 'LAST', value: '2' },
        ],
        readinessProbe: { exec: { command: ['/bin/true'] }, periodSeconds: 1, initialDelaySeconds: 1 },
        livenessProbe: { exec: { command: ['/bin/true'] } },
        lifecycle: { preStop: { exec: { command: ['/bin/true'] } } },
        resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '64Mi' } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      },
      {
        name: 'sidecar',
        image: 'kubernetes-local.test/busybox:1',
        imagePullPolicy: 'Never',
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  };
}

function manifest(kind: Kind, name: string, replicas = 1): object {
  const metadata = { name, namespace, labels: { app: name }, annotations: { team: 'shop' } };
  if (kind === 'Pod') return { apiVersion: 'v1', kind, metadata, spec: podSpec(name) };
  const template = { metadata: { labels: { app: name }, annotations: { note: 'kept' } }, spec: podSpec(name) };
  const spec = { selector: { matchLabels: { app: name } }, template };
  const more = { Deployment: { replicas }, StatefulSet: { replicas, serviceName: name }, DaemonSet: {} }[kind];
  return { apiVersion: 'apps/v1', kind, metadata, spec: { ...spec, ...more } };
}

/** A low port, so that the agent needs the sysctl, and a named targetPort. */
function service(name: string): object {
  const ports = [
    { name: 'web', port: 80, targetPort: 'http' },
    { name: 'low', port: 81, targetPort: 443 },
  ];
  return { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { selector: { app: name }, ports } };
}

async function deploy(kind: Kind, name: string, replicas = 1): Promise<void> {
  await create(service(name));
  await create(manifest(kind, name, replicas));
  if (kind === 'Pod')
    await kubectl.run(['wait', `pod/${name}`, '-n', namespace, '--for=condition=Ready', '--timeout=60s']);
  else await kubectl.run(['rollout', 'status', `${kind}/${name}`, '-n', namespace, '--timeout=60s']);
}

interface Described {
  readonly metadata: { readonly annotations?: Record<string, string> };
  readonly spec: { readonly template?: { readonly spec: Record<string, unknown> } };
}

/** Annotations in which Kubernetes itself numbers the versions of a template. */
const counters = new Set(['deployment.kubernetes.io/revision', 'deprecated.daemonset.template.generation']);

/** What the user described: everything but what the API server counts up. */
async function described(kind: Kind, name: string): Promise<unknown> {
  const object = (await kubectl.json(['get', kind, name, '-n', namespace])) as Described;
  const annotations = Object.entries(object.metadata.annotations ?? {}).filter(([key]) => !counters.has(key));
  return { annotations: Object.fromEntries(annotations), spec: object.spec };
}

class Session implements AsyncDisposable {
  readonly id = randomUUID();
  readonly target: ResolvedTarget;
  readonly tunnelPort: number;
  readonly keys = generateKeyPairSync('ed25519');
  readonly #ended = new AbortController();
  readonly #tunnels: Promise<unknown>[] = [];
  record: ReplacementRecord;

  private constructor(target: ResolvedTarget, record: ReplacementRecord) {
    this.target = target;
    this.record = record;
    this.tunnelPort = freeAgentPorts(target).tunnelPort;
  }

  static async plan(target: ResolvedTarget, name = image): Promise<Session> {
    // The record is made with the session's own id and key.
    const session = new Session(target, undefined as unknown as ReplacementRecord);
    const agent: AgentConfiguration = {
      version: configurationVersion,
      session: session.id,
      publicKey: session.keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      ...freeAgentPorts(target),
      ports: [...target.containerPorts],
    };
    session.record = await planReplacement(cluster, target, agent, name, keepNothing, whole.signal);
    return session;
  }

  /** Keeps a tunnel to every agent pod, as the session daemon does. */
  keepTunnels(): void {
    const { signal } = this.#ended;
    const kept = new Set<string>();
    const keep = async (pod: string) => {
      while (!signal.aborted) {
        try {
          await using tunnel = await openTunnel({
            forwarder: portForwarder(cluster),
            pod,
            tunnelPort: this.tunnelPort,
            privateKey: this.keys.privateKey,
            session: this.id,
            agentKeys: agentKeys(cluster, this.record.container),
            onInbound: ({ stream }) => stream.destroy(),
            signal,
            log,
          });
          // The signal ends only the opening of a tunnel.
          await Promise.race([tunnel.closed, once(signal, 'abort')]);
        } catch {
          if (!(await isThere(pod))) return;
        }
      }
    };
    const watch = async () => {
      for await (const pods of watchAgentPods(cluster, this.record, signal)) {
        for (const pod of pods) {
          if (kept.has(pod)) continue;
          kept.add(pod);
          this.#tunnels.push(keep(pod).finally(() => kept.delete(pod)));
        }
      }
    };
    this.#tunnels.push(watch().catch(quiet));
  }

  async begin(): Promise<void> {
    await applyReplacement(cluster, this.record, whole.signal);
    this.keepTunnels();
    await awaitReplacement(cluster, this.record, quiet, whole.signal);
  }

  async undo(): Promise<readonly string[]> {
    await this[Symbol.asyncDispose]();
    const { conflicts } = await undoReplacement(cluster, this.record, whole.signal);
    await awaitRestored(cluster, this.record, quiet, whole.signal);
    return conflicts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort();
    await Promise.allSettled(this.#tunnels);
  }
}

async function isThere(pod: string): Promise<boolean> {
  return (await kubectl.run(['get', 'pod', pod, '-n', namespace, '--ignore-not-found', '-o', 'name'])) !== '';
}

async function resolve(target: string, container?: string): Promise<ResolvedTarget> {
  return await resolveTarget(cluster, target, container, whole.signal);
}

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
    readonly spec: { readonly containers: readonly { readonly name: string; readonly image: string }[] };
  }[];
}

/** The images of the container in the pods that are there to stay. */
async function imagesOf(name: string): Promise<readonly string[]> {
  const { items } = (await kubectl.json(['get', 'pods', '-n', namespace, '-l', `app=${name}`])) as PodList;
  const living = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  return living.flatMap(({ spec }) => spec.containers.filter((each) => each.name === name).map((each) => each.image));
}

describe.each([
  ['Deployment', 2],
  ['StatefulSet', 2],
  ['DaemonSet', 1],
  ['Pod', 1],
] as const)('%s', (kind, replicas) => {
  const name = `kind-${kind.toLowerCase()}`;

  test('every replica gets the agent, and afterwards all is as it was', async () => {
    await deploy(kind, name, replicas);
    const before = await described(kind, name);
    const target = await resolve(name);
    expect(target).toMatchObject({ workload: { kind, name }, container: name, containerPorts: [443, 8080], replicas });
    expect(target.pods).toHaveLength(replicas);
    await checkRights(cluster, target, 'fail', whole.signal);

    const session = await Session.plan(target);
    const holder = { session: session.id, user: 'anna', host: 'desk' };
    const lease = await acquireLease(cluster, target, holder, whole.signal);
    await session.begin();
    expect(await imagesOf(name)).toEqual(Array(replicas).fill(agentImage));
    await lease.renew(whole.signal);
    await expect(resolve(name)).rejects.toMatchObject({
      code: 'target-held',
      what: expect.stringContaining('anna on desk'),
    });
    const found = await findStaleSessions(cluster, whole.signal);
    expect(found.find(({ leaseName: each }) => each === lease.name)).toMatchObject({
      alive: true,
      holder: 'anna on desk',
    });
    // What is in the cluster is enough for a colleague without the journal.
    expect(found.find(({ leaseName: each }) => each === lease.name)?.record).toEqual(session.record);

    expect(await session.undo()).toEqual([]);
    await lease.release(whole.signal);
    expect(await described(kind, name)).toEqual(before);
    expect(await imagesOf(name)).toEqual(Array(replicas).fill('kubernetes-local.test/busybox:1'));
    expect(await kubectl.run(['get', 'leases', '-n', namespace, '-o', 'name'])).toBe('');
    expect(await findStaleSessions(cluster, whole.signal)).toEqual([]);
    // Again, by somebody who does not know that it is done.
    expect(await undoReplacement(cluster, session.record, whole.signal)).toEqual({ conflicts: [] });
    expect(await described(kind, name)).toEqual(before);
  });
});

test('the undo of a Deployment uses the ReplicaSet that was there before', async () => {
  const name = 'same-replicaset';
  await deploy('Deployment', name);
  // Each once: a pod that is still ending beside its successor counts no more than that.
  const owners = async () => {
    const path = 'jsonpath={.items[*].metadata.ownerReferences[*].name}';
    const text = await kubectl.run(['get', 'pods', '-n', namespace, '-l', `app=${name}`, '-o', path]);
    return [...new Set(text.split(' '))].sort();
  };
  const before = await owners();
  expect(before).toHaveLength(1);
  await using session = await Session.plan(await resolve(name));
  await session.begin();
  expect(await owners()).not.toEqual(before);
  await session.undo();
  expect(await owners()).toEqual(before);
});

test('what somebody else changed meanwhile is kept and named', async () => {
  const name = 'conflict';
  await deploy('Deployment', name);
  await using session = await Session.plan(await resolve(name));
  await session.begin();
  const theirs = 'kubernetes-local.test/busybox:1';
  const change = {
    spec: { template: { spec: { containers: [{ name, image: theirs, env: [{ name: 'FIRST', value: 'theirs' }] }] } } },
  };
  await kubectl.run(['patch', 'deployment', name, '-n', namespace, '-p', JSON.stringify(change)]);
  // The image is what it was before: nothing to undo. The variable is none of ours: kept.
  expect(await session.undo()).toEqual([]);
  const after = (await kubectl.json(['get', 'deployment', name, '-n', namespace])) as Described;
  expect(after.spec.template?.spec.containers).toMatchObject([
    {
      image: theirs,
      command: ['/bin/sh', '-c'],
      env: [
        { name: 'FIRST', value: 'theirs' },
        { name: 'LAST', value: '2' },
      ],
    },
    { name: 'sidecar' },
  ]);
});

test('a field of ours that somebody else has set anew is left to them', async () => {
  const name = 'conflict-field';
  await deploy('Deployment', name);
  await using session = await Session.plan(await resolve(name));
  await applyReplacement(cluster, session.record, whole.signal);
  const change = { spec: { template: { spec: { containers: [{ name, image: 'theirs:2' }] } } } };
  await kubectl.run(['patch', 'deployment', name, '-n', namespace, '-p', JSON.stringify(change)]);
  await expect(awaitReplacement(cluster, session.record, quiet, whole.signal)).rejects.toMatchObject({
    code: 'rollout-failed',
    why: expect.stringContaining('image of container conflict-field'),
  });
  const { conflicts } = await undoReplacement(cluster, session.record, whole.signal);
  expect(conflicts).toEqual(['image of container conflict-field is now "theirs:2"']);
  const after = (await kubectl.json(['get', 'deployment', name, '-n', namespace])) as Described;
  expect(after.spec.template?.spec.containers).toMatchObject([{ image: 'theirs:2', command: ['/bin/sh', '-c'] }, {}]);
  expect(Object.keys(after.metadata.annotations ?? {}).filter((key) => key.startsWith('kubernetes-local/'))).toEqual(
    [],
  );
});

test('an image that cannot be had is named at once, and an ordered StatefulSet comes back from it', async () => {
  const name = 'no-image';
  await deploy('StatefulSet', name);
  const before = await described('StatefulSet', name);
  await using session = await Session.plan(await resolve(name), {
    name: 'kubernetes-local.test/absent:1',
    pullPolicy: 'Never',
  });
  await applyReplacement(cluster, session.record, whole.signal);
  await expect(awaitReplacement(cluster, session.record, quiet, whole.signal)).rejects.toMatchObject({
    code: 'image-pull-failed',
    why: expect.stringContaining('ErrImageNeverPull'),
    remedy: expect.stringContaining('kubernetes-local.test/absent:1'),
  });
  expect(await session.undo()).toEqual([]);
  expect(await described('StatefulSet', name)).toEqual(before);
});

test('an agent that crashes is quoted', async () => {
  const name = 'crash';
  await deploy('Deployment', name);
  await using session = await Session.plan(await resolve(name));
  const changes = session.record.changes.map((change) =>
    change.at === 'variable' ? { ...change, after: { name: change.name, value: '{"version":0}' } } : change,
  );
  session.record = { ...session.record, changes };
  await applyReplacement(cluster, session.record, whole.signal);
  await expect(awaitReplacement(cluster, session.record, quiet, whole.signal)).rejects.toMatchObject({
    code: 'rollout-failed',
    why: expect.stringMatching(/CrashLoopBackOff[\s\S]*KUBERNETES_LOCAL_AGENT/),
  });
  await session.undo();
});

test.each(['Deployment', 'StatefulSet'] as const)(
  'a full quota is told for a %s, and nothing is left',
  async (kind) => {
    const name = `quota-${kind.toLowerCase()}`;
    await deploy(kind, name);
    const before = await described(kind, name);
    await using session = await Session.plan(await resolve(name));
    await create({
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: { name, namespace },
      spec: { hard: { pods: '0' } },
    });
    try {
      await applyReplacement(cluster, session.record, whole.signal);
      await expect(awaitReplacement(cluster, session.record, quiet, whole.signal)).rejects.toMatchObject({
        code: expect.stringMatching(/quota-exceeded|rollout-failed/),
        why: expect.stringMatching(/quota/),
      });
    } finally {
      await kubectl.run(['delete', 'resourcequota', name, '-n', namespace]);
    }
    expect(await session.undo()).toEqual([]);
    expect(await described(kind, name)).toEqual(before);
  },
);

/** A policy of the cluster against the agent's image, without any webhook. */
async function forbidAgent(resource: { group: string; name: string }, expression: string): Promise<AsyncDisposable> {
  const name = `${namespace}-${resource.name}`;
  const resourceRules = [
    { apiGroups: [resource.group], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: [resource.name] },
  ];
  await create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicy',
    metadata: { name },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: { resourceRules },
      validations: [{ expression, message: 'images must come from the company registry' }],
    },
  });
  await create({
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingAdmissionPolicyBinding',
    metadata: { name },
    spec: {
      policyName: name,
      validationActions: ['Deny'],
      matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
    },
  });
  return {
    async [Symbol.asyncDispose]() {
      await kubectl.run(['delete', 'validatingadmissionpolicybinding,validatingadmissionpolicy', name]);
    },
  };
}

/** Policies come into force a moment after they are made. */
async function untilRefused(attempt: () => Promise<void>, back: () => Promise<unknown>): Promise<unknown> {
  for (;;) {
    try {
      await attempt();
    } catch (error) {
      return error;
    }
    await back();
  }
}

test('admission that refuses the changed Deployment is quoted, and nothing is changed', async () => {
  const name = 'admission';
  await deploy('Deployment', name);
  const before = await described('Deployment', name);
  const target = await resolve(name);
  await using _policy = await forbidAgent(
    { group: 'apps', name: 'deployments' },
    `object.spec.template.spec.containers.all(c, !c.image.contains("agent"))`,
  );
  const session = await Session.plan(target);
  const refusal = await untilRefused(
    () => applyReplacement(cluster, session.record, whole.signal),
    () => undoReplacement(cluster, session.record, whole.signal),
  );
  expect(refusal).toMatchObject({
    code: 'patch-refused',
    what: expect.stringContaining('deployment/admission'),
    why: expect.stringContaining('images must come from the company registry'),
  });
  expect(await described('Deployment', name)).toEqual(before);
});

test('admission that refuses the agent as a bare pod leaves the original pod untouched', async () => {
  const name = 'admission-pod';
  await deploy('Pod', name);
  const target = await resolve(name);
  await using _policy = await forbidAgent(
    { group: '', name: 'pods' },
    `object.spec.containers.all(c, !c.image.contains("agent"))`,
  );
  const trial = manifest('Pod', 'agent-trial');
  const forbidden = JSON.stringify(trial).replaceAll('busybox:1', 'agent:1');
  await expect
    .poll(() => kubectl.run(['create', '--dry-run=server', '-f', '-'], forbidden).catch(String), { timeout: 30_000 })
    .toMatch(/company registry/);
  const session = await Session.plan(target);
  await expect(applyReplacement(cluster, session.record, whole.signal)).rejects.toMatchObject({
    code: 'patch-refused',
    why: expect.stringContaining('images must come from the company registry'),
  });
  const { metadata } = (await kubectl.json(['get', 'pod', name, '-n', namespace])) as { metadata: { uid: string } };
  expect(metadata.uid).toBe(target.workload.uid);
});

async function asUser(user: string, rules: readonly object[]): Promise<Cluster> {
  const kubeconfig = await testCluster.userKubeconfig(user);
  const metadata = { name: user, namespace };
  await create({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata, rules });
  await create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: user },
    subjects: [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }],
  });
  return await openCluster({ kubeconfig, namespace, log }, whole.signal);
}

test('every missing right is named before anything is changed', async () => {
  const name = 'rights';
  await deploy('Deployment', name);
  const reader = await asUser('reader', [
    { apiGroups: [''], resources: ['services', 'pods'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['apps'], resources: ['deployments', 'replicasets'], verbs: ['get'] },
  ]);
  expect(reader.user).toBe('reader');
  const target = await resolveTarget(reader, name, undefined, whole.signal);
  await expect(checkRights(reader, target, 'fail', whole.signal)).rejects.toMatchObject({
    code: 'right-missing',
    what: `You lack 8 rights in namespace "${namespace}".`,
    why: expect.stringMatching(/^User "reader" may not get pods\/portforward; .*patch deployments\.apps "rights"\.$/),
  });
});

test.each(['Deployment', 'StatefulSet', 'Pod'] as const)('the documented rights are enough for a %s', async (kind) => {
  const name = `least-${kind.toLowerCase()}`;
  await deploy(kind, name);
  const rights = requiredRights(await resolve(name));
  const rules = rights.map(({ verb, group, resource, name: only }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs: [verb],
    ...(only ? { resourceNames: [only] } : {}),
  }));
  const before = await described(kind, name);
  const own = cluster;
  cluster = await asUser(`user-of-${name}`, rules);
  try {
    const target = await resolve(name);
    await checkRights(cluster, target, 'fail', whole.signal);
    await using session = await Session.plan(target);
    const lease = await acquireLease(cluster, target, { session: session.id, user: 'u', host: 'h' }, whole.signal);
    await session.begin();
    await session.undo();
    await lease.release(whole.signal);
  } finally {
    cluster = own;
  }
  expect(await described(kind, name)).toEqual(before);
});

test('a bare pod that is lost between delete and create is found in its Lease and comes back', async () => {
  const name = 'lost-pod';
  await deploy('Pod', name);
  const before = await described('Pod', name);
  const target = await resolve(name);
  const session = await Session.plan(target);
  await acquireLease(cluster, target, { session: session.id, user: 'anna', host: 'desk' }, whole.signal);
  await applyReplacement(cluster, session.record, whole.signal);
  await kubectl.run(['delete', 'pod', name, '-n', namespace]);
  const found = (await findStaleSessions(cluster, whole.signal)).find((each) => each.leaseName === leaseName(target));
  if (!found) throw new Error('the record is not in the Lease');
  expect(found.record).toEqual(session.record);
  await undoReplacement(cluster, found.record, whole.signal);
  await awaitRestored(cluster, found.record, quiet, whole.signal);
  expect(isDeepStrictEqual(await described('Pod', name), before)).toBe(true);
  await kubectl.run(['delete', 'lease', found.leaseName, '-n', namespace]);
});

test('only one of two who want the same target at the same time gets it', async () => {
  const workload = { kind: 'Deployment' as const, name: 'wanted', namespace, uid: '' };
  const users = ['anna', 'boris', 'clara', 'dmitri'];
  const attempts = await Promise.allSettled(
    users.map((user) => acquireLease(cluster, { workload }, { session: user, user, host: 'desk' }, whole.signal)),
  );
  const winners = attempts.filter((attempt) => attempt.status === 'fulfilled');
  expect(winners).toHaveLength(1);
  for (const attempt of attempts) {
    if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ code: 'target-held' });
  }
  await winners[0]?.value.release(whole.signal);
});
