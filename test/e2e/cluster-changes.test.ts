/**
 * What colleagues, controllers and GitOps tools do to a workload during a session: the user is told, the right thing is done,
 * their change survives the undo, and nothing of ours does.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, test, vi } from 'vitest';
import type { Kubectl } from '../stage/kubectl.ts';
import { namespacesOf } from '../stage/workloads.ts';
import { openWorld, processesOf, type World } from '../stage/world.ts';
import { freePort, placeOptions, type RunningCommand, runCommand, startCommand } from './command-line.ts';

const namespace = 'e2e-changes';
const undone = 'Everything is as it was before.';
const busybox = 'kubernetes-local.test/busybox:1';
const answer = String.raw`printf 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n'`;
let world: World;
let kubectl: Kubectl;
const started: RunningCommand[] = [];

beforeAll(async () => {
  world = await open(namespace);
});
afterAll(() => world?.[Symbol.asyncDispose]());
afterEach(async () => {
  for (const command of started.splice(0)) {
    command.kill('SIGTERM');
    await command.ended;
  }
  await vi.waitFor(() => expect(processesOf(world.state)).toEqual([]), { timeout: 60_000, interval: 200 });
});

function open(name: string): Promise<World> {
  return openWorld(name, async (cluster) => {
    kubectl = cluster;
    await apply(...namespacesOf([name]));
    return { kubectl, namespace: name, request: () => Promise.reject(new Error('there is no shop')) };
  });
}

type Kind = 'Deployment' | 'StatefulSet' | 'DaemonSet' | 'Pod';
interface Template {
  readonly metadata: { annotations?: Record<string, unknown> };
  readonly spec: { readonly containers: { image: string; env: object[] }[] };
}
interface Described {
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: { replicas?: number; template: Template };
}

async function apply(...items: readonly object[]): Promise<void> {
  await kubectl.run(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

/** One that answers its probes; `sleeper`: one that only has an image, so that another image runs in its place. */
function manifestOf(kind: Kind, name: string, sleeper = false): object {
  const probe = { httpGet: { path: '/', port: 8080 } };
  const program = {
    command: ['/bin/sh', '-c', `while :; do ${answer} | nc -l -p 8080; done`],
    readinessProbe: { ...probe, periodSeconds: 1 },
    livenessProbe: { ...probe, periodSeconds: 30 },
  };
  const container = {
    name,
    image: busybox,
    imagePullPolicy: 'IfNotPresent',
    ports: [{ containerPort: 8080 }],
    env: [{ name: 'STAGE', value: 'test' }],
    ...(sleeper ? {} : program),
  };
  const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
  const labels = { app: name };
  if (kind === 'Pod') return { apiVersion: 'v1', kind, metadata: { name, namespace, labels }, spec };
  const more = { Deployment: { replicas: 1 }, StatefulSet: { replicas: 1, serviceName: name }, DaemonSet: {} }[kind];
  const template = { metadata: { labels }, spec };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace },
    spec: { ...more, selector: { matchLabels: labels }, template },
  };
}

/** Deploys a workload and waits until it runs; its description. `args`: how it is applied. */
async function deploy(kind: Kind, name: string, args: readonly string[] = [], sleeper = false): Promise<Described> {
  await kubectl.run(['apply', ...args, '-f', '-'], JSON.stringify(manifestOf(kind, name, sleeper)));
  await running(kind, name);
  return described(kind, name);
}

async function running(kind: Kind, name: string): Promise<void> {
  const place = ['-n', namespace, '--timeout=90s'];
  if (kind === 'Pod') await kubectl.run(['wait', `pod/${name}`, '--for=condition=Ready', ...place]);
  else await kubectl.run(['rollout', 'status', `${kind}/${name}`, ...place]);
}

/** What people described: not what Kubernetes and kubectl count up. */
async function described(kind: Kind, name: string): Promise<Described> {
  const object = (await kubectl.json(['get', kind, name, '-n', namespace])) as {
    metadata: { annotations?: Record<string, string> };
    spec: Described['spec'];
  };
  const counters = /^deployment\.kubernetes\.io\/revision$|^deprecated\.daemonset|last-applied-configuration$/;
  const annotations = Object.entries(object.metadata.annotations ?? {}).filter(([key]) => !counters.test(key));
  return { annotations: Object.fromEntries(annotations), spec: object.spec };
}

/** The description with a change. */
function changed(before: Described, change: (spec: Described['spec']) => void): Described {
  const copy = structuredClone(before);
  change(copy.spec);
  return copy;
}

async function sessionOn(kind: Kind, name: string, on = world): Promise<RunningCommand> {
  const args = ['connect', '--target', `${kind}/${name}`, '--network', 'env', '--port', `8080:${await freePort()}`];
  const command = startCommand(on, [...args, ...placeOptions(on)]);
  started.push(command);
  await command.saw('Ready.');
  return command;
}

/** Ends the session as its user does. */
async function end(command: RunningCommand): Promise<void> {
  command.kill('SIGTERM');
  expect((await command.ended).stderr).toContain(undone);
}

/** What the session says when it is ended by what somebody else did. */
async function lost(command: RunningCommand): Promise<string> {
  const { code, stderr } = await command.ended;
  expect(stderr).toContain('error (workload-changed): ');
  expect(stderr).toContain('What the session had changed is undone.');
  expect(code).toBe(4);
  return stderr;
}

/** Everything in the namespace that names the agent or a session, the histories of the workloads included. */
async function leftovers(): Promise<string> {
  const kinds = 'deployments,statefulsets,daemonsets,replicasets,controllerrevisions,pods,leases,serviceaccounts';
  const { items } = (await kubectl.json(['get', kinds, '-n', namespace])) as {
    items: readonly { kind: string; metadata: { name: string } }[];
  };
  return items
    .filter((item) => /"kubernetes-local\/|KUBERNETES_LOCAL_AGENT|test\/agent:/.test(JSON.stringify(item)))
    .map(({ kind, metadata }) => `${kind}/${metadata.name}`)
    .join(' ');
}

/** Pods that are on their way out may take their time. */
async function nothingLeft(): Promise<void> {
  await vi.waitFor(async () => expect(await leftovers()).toBe(''), { timeout: 30_000, interval: 200 });
}

async function podOf(name: string): Promise<string> {
  const query = [
    '-l',
    `app=${name}`,
    '--field-selector=status.phase=Running',
    '-o',
    'jsonpath={.items[0].metadata.name}',
  ];
  return await kubectl.run(['get', 'pods', '-n', namespace, ...query]);
}

describe('the session goes on, and what others did survives it', () => {
  it('when a Deployment gets variables, is restarted and scaled; "rollout undo" does not bring the agent back', async () => {
    const before = await deploy('Deployment', 'edited');
    const session = await sessionOn('Deployment', 'edited');
    await kubectl.run(['set', 'env', 'deployment/edited', 'COLOR=green', '-n', namespace]);
    await session.saw('variables of container edited were changed by kubectl-set: COLOR.');
    await kubectl.run(['rollout', 'restart', 'deployment/edited', '-n', namespace]);
    await session.saw('deployment/edited is being restarted by kubectl-rollout.');
    await kubectl.run(['scale', 'deployment/edited', '--replicas=2', '-n', namespace]);
    await session.saw('was scaled from 1 to 2 pods by kubectl.');
    await kubectl.run(['scale', 'deployment/edited', '--replicas=0', '-n', namespace]);
    await session.saw('was scaled from 2 to 0 pods');
    await kubectl.run(['scale', 'deployment/edited', '--replicas=2', '-n', namespace]);
    await session.saw('was scaled from 0 to 2 pods');
    await running('Deployment', 'edited');
    await end(session);
    const theirs = changed(before, (spec) => {
      spec.replicas = 2;
      spec.template.metadata.annotations = { 'kubectl.kubernetes.io/restartedAt': expect.any(String) };
      spec.template.spec.containers[0]?.env.push({ name: 'COLOR', value: 'green' });
    });
    expect(await described('Deployment', 'edited')).toEqual(theirs);
    expect(await leftovers()).toBe('');
    // The revision before is the one without the colleague's changes.
    await kubectl.run(['rollout', 'undo', 'deployment/edited', '-n', namespace]);
    expect((await described('Deployment', 'edited')).spec.template).toEqual(before.spec.template);
  });

  it('when an autoscaler scales it, its pod is evicted, and its node is drained for a while', async () => {
    const before = await deploy('Deployment', 'moved');
    const session = await sessionOn('Deployment', 'moved');
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'moved' };
    const metadata = { name: 'moved', namespace };
    const spec = { scaleTargetRef, minReplicas: 2, maxReplicas: 3 };
    await apply({ apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata, spec });
    await session.saw('was scaled from 1 to 2 pods by an autoscaler of the cluster.');
    await running('Deployment', 'moved');
    const node = await kubectl.run(['get', 'nodes', '-o', 'jsonpath={.items[0].metadata.name}']);
    const pod = await podOf('moved');
    await kubectl.run(['cordon', node]);
    try {
      const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace } };
      const path = `/api/v1/namespaces/${namespace}/pods/${pod}/eviction`;
      await kubectl.run(['create', '--raw', path, '-f', '-'], JSON.stringify(eviction));
      await session.saw(`Pod ${pod} is being ended by the cluster (EvictionByEvictionAPI`);
      await vi.waitFor(async () => {
        const pending = ['get', 'pods', '-l', 'app=moved', '--field-selector=status.phase=Pending', '-o', 'name'];
        expect(await kubectl.run([...pending, '-n', namespace])).toContain('pod/moved-');
      });
    } finally {
      await kubectl.run(['uncordon', node]);
    }
    await running('Deployment', 'moved');
    await end(session);
    await kubectl.run(['delete', 'horizontalpodautoscaler', 'moved', '-n', namespace]);
    expect(await described('Deployment', 'moved')).toEqual(changed(before, (its) => (its.replicas = 2)));
    expect(await leftovers()).toBe('');
  });

  it.each(['StatefulSet', 'DaemonSet'] as const)('when a %s gets variables and is restarted', async (kind) => {
    const name = kind.toLowerCase();
    const before = await deploy(kind, name);
    const session = await sessionOn(kind, name);
    await kubectl.run(['set', 'env', `${name}/${name}`, 'COLOR=green', '-n', namespace]);
    await session.saw(`variables of container ${name} were changed by kubectl-set: COLOR.`);
    await kubectl.run(['rollout', 'restart', `${name}/${name}`, '-n', namespace]);
    await session.saw(`${name}/${name} is being restarted by kubectl-rollout.`);
    await running(kind, name);
    await end(session);
    const theirs = changed(before, ({ template }) => {
      template.metadata.annotations = { 'kubectl.kubernetes.io/restartedAt': expect.any(String) };
      template.spec.containers[0]?.env.push({ name: 'COLOR', value: 'green' });
    });
    expect(await described(kind, name)).toEqual(theirs);
    expect(await leftovers()).toBe('');
  });
});

test('an undo that cannot finish says why, and "restore" finishes it when the cause is gone', async () => {
  const names = ['paused', 'refused', 'broken'];
  const before = await Promise.all(names.map((name) => deploy('Deployment', name)));
  const [paused, refused, broken] = await Promise.all(names.map((name) => sessionOn('Deployment', name)));
  if (!paused || !refused || !broken) throw new Error('a session is missing');
  const place = ['-n', namespace];

  // A colleague's image that nobody has.
  await kubectl.run(['set', 'image', 'deployment/broken', 'broken=kubernetes-local.test/absent:1', ...place]);
  await vi.waitFor(
    async () => expect(await kubectl.run(['get', 'pods', ...place, '-l', 'app=broken'])).toMatch(/ErrImage|ImagePull/),
    { timeout: 30_000 },
  );
  await kubectl.run(['rollout', 'pause', 'deployment/paused', ...place]);
  await paused.saw('deployment/paused was paused by kubectl-rollout.');
  await kubectl.run(['create', 'quota', 'used-up', '--hard=pods=0', ...place]);
  paused.kill('SIGTERM');
  refused.kill('SIGTERM');
  const [byPause, byQuota, byImage] = await Promise.all([paused.ended, refused.ended, broken.ended]);
  const resume = `kubectl rollout resume deployment/paused -n ${namespace}`;
  expect(byPause.stderr).toContain(`somebody paused it: it makes no pods until "${resume}"`);
  expect(byPause.code).toBe(7);
  expect(byQuota.stderr).toMatch(/the cluster makes no pods of it\. .*exceeded quota: used-up/);
  expect(byQuota.code).toBe(7);
  expect(byImage.stderr).toContain(
    'warning: deployment/broken was changed by kubectl-set so that the agent cannot run',
  );
  expect(byImage.stderr).toMatch(/deployment\/broken meanwhile; kept: .*\.image\. It does not run\. .*absent:1/);
  expect(byImage.code).toBe(7);

  await kubectl.run(['delete', 'quota', 'used-up', ...place]);
  await kubectl.run(resume.split(' ').slice(1));
  await kubectl.run(['set', 'image', 'deployment/broken', `broken=${busybox}`, ...place]);
  // The controller that was refused tries again later each time; until it does, "restore" says so again.
  await vi.waitFor(
    async () => {
      const restore = await runCommand(world, ['restore']);
      expect(restore.code, restore.stderr).toBe(0);
    },
    { timeout: 180_000, interval: 1_000 },
  );
  expect(await Promise.all(names.map((name) => described('Deployment', name)))).toEqual(before);
  await nothingLeft();
}, 300_000);

describe('the session ends, and what others did survives it', () => {
  it('when a colleague sets another image for the replaced container', async () => {
    const before = await deploy('Deployment', 'image', [], true);
    const session = await sessionOn('Deployment', 'image');
    await kubectl.run(['set', 'env', 'deployment/image', 'COLOR=green', '-n', namespace]);
    await session.saw('changed by kubectl-set: COLOR.');
    const theirs = 'kubernetes-local.test/shop-redis:1';
    await kubectl.run(['set', 'image', 'deployment/image', `image=${theirs}`, '-n', namespace]);
    const said = await lost(session);
    expect(said).toContain(
      'deployment/image was changed by kubectl-set so that the agent cannot run in it any longer.',
    );
    expect(said).toContain('Changed: image of container image.');
    await running('Deployment', 'image');
    const expected = changed(before, ({ template: { spec } }) => {
      const [container] = spec.containers;
      if (container) container.image = theirs;
      container?.env.push({ name: 'COLOR', value: 'green' });
    });
    expect(await described('Deployment', 'image')).toEqual(expected);
    await nothingLeft();
  });

  it('when a GitOps tool puts it back: the user is told how to pause it', async () => {
    const args = ['--server-side', '--field-manager=argocd-controller', '--force-conflicts'];
    const before = await deploy('Deployment', 'gitops', args);
    const session = await sessionOn('Deployment', 'gitops');
    await kubectl.run(['apply', ...args, '-f', '-'], JSON.stringify(manifestOf('Deployment', 'gitops')));
    const said = await lost(session);
    expect(said).toContain('by Argo CD (argocd-controller)');
    expect(said).toContain('argocd app set APPLICATION --sync-policy none');
    expect(await described('Deployment', 'gitops')).toEqual(before);
    await nothingLeft();
  });

  it('when a colleague applies the original manifest again', async () => {
    const before = await deploy('StatefulSet', 'applied');
    const session = await sessionOn('StatefulSet', 'applied');
    await apply(manifestOf('StatefulSet', 'applied'));
    expect(await lost(session)).toContain('by kubectl-client-side-apply so that the agent cannot run');
    expect(await described('StatefulSet', 'applied')).toEqual(before);
    await nothingLeft();
  });

  it('when a colleague rolls the Deployment back', async () => {
    const before = await deploy('Deployment', 'rolled');
    const session = await sessionOn('Deployment', 'rolled');
    await kubectl.run(['rollout', 'undo', 'deployment/rolled', '-n', namespace]);
    expect(await lost(session)).toMatch(/deployment\/rolled was put back to what it was before the session by kubectl/);
    expect(await described('Deployment', 'rolled')).toEqual(before);
    await nothingLeft();
  });

  it('when the workload is deleted, or deleted and made again; it is not brought back', async () => {
    for (const name of ['deleted', 'orphaned', 'remade']) await deploy('Deployment', name);
    await deploy('Pod', 'bare');
    const names = ['deleted', 'orphaned', 'remade'];
    const [deleted, orphaned, remade, bare] = await Promise.all([
      ...names.map((name) => sessionOn('Deployment', name)),
      sessionOn('Pod', 'bare'),
    ]);
    if (!deleted || !orphaned || !remade || !bare) throw new Error('a session is missing');
    await Promise.all([
      kubectl.run(['delete', 'deployment/deleted', '-n', namespace]),
      kubectl.run(['delete', 'deployment/orphaned', '-n', namespace, '--cascade=orphan']),
      kubectl.run(['replace', '--force', '-f', '-'], JSON.stringify(manifestOf('Deployment', 'remade'))),
      kubectl.run(['delete', 'pod/bare', '-n', namespace]),
    ]);
    expect(await lost(deleted)).toContain('deployment/deleted was deleted.');
    expect(await lost(orphaned)).toContain('deployment/orphaned was deleted.');
    expect(await lost(remade)).toMatch(/deployment\/remade was deleted/);
    expect(await lost(bare)).toContain('pod/bare was deleted.');
    await running('Deployment', 'remade');
    await nothingLeft();
    const list = await kubectl.run(['get', 'deployments,pods', '-n', namespace, '-o', 'name']);
    expect(list).not.toMatch(/deployment\.apps\/(deleted|orphaned)|pod\/bare/);
  });

  it('when the whole namespace is deleted', async () => {
    const name = 'e2e-changes-gone';
    await using other = await open(name);
    await kubectl.run(
      ['apply', '-n', name, '-f', '-'],
      JSON.stringify({ ...manifestOf('Deployment', 'ending'), metadata: { name: 'ending' } }),
    );
    await kubectl.run(['rollout', 'status', 'deployment/ending', '-n', name, '--timeout=90s']);
    const session = await sessionOn('Deployment', 'ending', other);
    await kubectl.run(['delete', 'namespace', name, '--wait=false']);
    expect(await lost(session)).toContain(`Its namespace ${name} is being deleted.`);
    await vi.waitFor(() => expect(processesOf(other.state)).toEqual([]), { timeout: 30_000 });
    const restore = await runCommand(other, ['restore']);
    expect(restore).toMatchObject({ code: 0, stderr: 'Nothing was left behind.\n' });
  });
});
