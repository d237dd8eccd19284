/**
 * Every mistake of a user and every refusal of the surroundings is one clear error, in the debug adapter and on the
 * command line, with the ids of docs/problems.md; nothing is changed by it and nothing is left.
 *
 * Problems that are provoked elsewhere:
 * - `cancelled`, `daemon-failed`, `undo-incomplete`: commands.test.ts;
 * - every single missing right: rights.test.ts; refusals for each kind of workload: replacement.test.ts;
 * - `privileges-needed`, `helper-failed`, `hosts-unwritable` for a user without root: workstation.test.ts;
 * - `environment-unresolved` for each kind of source: adapter/environment/environment.test.ts;
 * - `tunnel-failed`: adapter/tunnel/tunnel.test.ts;
 * - `defect`: by its nature by none but adapter/problem.test.ts.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import { catalogue, type ProblemCode } from '../../adapter/problem.ts';
import { cartProgram } from '../apps/shop/shop.ts';
import { DapClient, DapError } from '../dap-client.ts';
import type { Snapshot } from '../stage/snapshot.ts';
import { openWorld, processesOf, type World } from '../stage/world.ts';
import { freePort, placeOptions, type RunningCommand, runCommand, startCommand } from './command-line.ts';

const namespace = 'e2e-bad-input';
let world: World;
let folder: string;
/** What stands in the namespace of each test. */
let before: Snapshot;
/** A port of this computer that nobody uses. */
let port: number;

interface Mistake {
  readonly code: ProblemCode;
  /** What the message has to contain: the user's word, the right one, whose fault it is. */
  readonly says: readonly (string | RegExp)[];
  /** Changes of a right launch configuration; `undefined` takes a key away. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  /** Changes of the environment of the product. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Arguments of the command line, if they are not the configuration's; false: it does not exist there. */
  readonly commandLine?: readonly string[] | false;
  /** What the command line says where it is not the same. */
  readonly commandLineSays?: { readonly code: ProblemCode; readonly says: readonly (string | RegExp)[] };
  /** Arguments of the debug adapter; false: it does not exist there. */
  readonly adapter?: readonly string[] | false;
  /** It is found out only by trying, and then undone. */
  readonly touches?: true;
}

/** Runs after a test; the last one first. */
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  world = await openWorld(namespace);
  folder = mkdtempSync(join(tmpdir(), 'bad-input-'));
  port = await freePort();
  await apply(objects());
  await Promise.all([
    kubectl('rollout', 'status', 'deployment/small', '--timeout=60s'),
    kubectl('rollout', 'status', 'deployment/accompanied', '--timeout=60s'),
    kubectl('rollout', 'status', 'deployment/forgetful', '--timeout=60s'),
    kubectl(
      'wait',
      'pod',
      '--selector=app=broken',
      '--for=jsonpath={.status.containerStatuses[0].state.waiting.reason}=ErrImageNeverPull',
      '--timeout=60s',
    ),
  ]);
  await kubectl('delete', 'configmap', 'fleeting');
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await world?.[Symbol.asyncDispose]();
});

function kubectl(...args: readonly string[]): Promise<string> {
  return world.shop.kubectl.run(['-n', namespace, ...args]);
}

async function apply(list: readonly object[]): Promise<void> {
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: list });
  await world.shop.kubectl.run(['apply', '-n', namespace, '-f', '-'], text);
}

const busybox = { image: 'kubernetes-local.test/busybox:1', imagePullPolicy: 'Never' };

function workload(kind: string, name: string, more: object, containers: readonly object[]): object {
  const selector = { matchLabels: { app: name } };
  const template = {
    metadata: { labels: { app: name } },
    spec: { terminationGracePeriodSeconds: 0, automountServiceAccountToken: false, containers },
  };
  return { apiVersion: 'apps/v1', kind, metadata: { name }, spec: { selector, template, ...more } };
}

function service(name: string, spec: object): object {
  return { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } };
}

/** What a namespace may hold that cannot be debugged. */
function objects(): readonly object[] {
  const one = [{ name: 'main', ...busybox, ports: [{ name: 'http', containerPort: 8081 }] }];
  const none = { replicas: 0 };
  return [
    workload('Deployment', 'small', { replicas: 1 }, one),
    service('small', { selector: { app: 'small' } }),
    workload('Deployment', 'twin', none, one),
    workload('StatefulSet', 'twin', { ...none, serviceName: 'twins' }, one),
    service('twins', { selector: { app: 'twin' } }),
    workload('Deployment', 'idle', none, one),
    workload('Deployment', 'paused', { ...none, paused: true }, one),
    workload('StatefulSet', 'stubborn', { ...none, serviceName: 'twins', updateStrategy: { type: 'OnDelete' } }, one),
    workload('Deployment', 'pair', none, [...one, { name: 'second', ...busybox }]),
    // The agent keeps the rules of a restricted namespace, the container beside it does not.
    workload('Deployment', 'accompanied', { replicas: 1 }, [...one, { name: 'second', ...busybox }]),
    workload('Deployment', 'broken', { replicas: 1 }, [{ name: 'main', ...busybox, image: 'nothing.test/none:1' }]),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'fleeting' }, data: { word: 'soon gone' } },
    workload('Deployment', 'forgetful', { replicas: 1 }, [
      {
        name: 'main',
        ...busybox,
        env: [{ name: 'FORGOTTEN', valueFrom: { configMapKeyRef: { name: 'fleeting', key: 'word' } } }],
      },
    ]),
    service('by-hand', {}),
    service('elsewhere', { type: 'ExternalName', externalName: 'shop.example.com' }),
    service('orphan', { selector: { app: 'nobody' } }),
    role('bad-input-reader', []),
    role('bad-input-bystander', [
      { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update', 'delete'] },
      { apiGroups: [''], resources: ['pods/portforward'], verbs: ['get', 'create'] },
      { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
    ]),
    ...['bad-input-reader', 'bad-input-bystander'].map((name) => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }],
    })),
  ];
}

/** May read all that a session reads, and what else is given. */
function role(name: string, more: readonly object[]): object {
  const rules = [
    { apiGroups: [''], resources: ['services', 'configmaps', 'secrets', 'pods'], verbs: ['get', 'list', 'watch'] },
    { apiGroups: ['apps'], resources: ['deployments', 'replicasets'], verbs: ['get', 'list'] },
    ...more,
  ];
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name }, rules };
}

/** The cluster's kubeconfig with changes; its path. */
function kubeconfig(name: string, change: (file: Kubeconfig) => void): string {
  const file = kubeconfigSchema.parse(parse(readFileSync(world.cluster.kubeconfig, 'utf8')));
  change(file);
  const path = join(folder, name);
  writeFileSync(path, stringify(file), { mode: 0o600 });
  return path;
}

const kubeconfigSchema = z.looseObject({
  clusters: z.array(z.looseObject({ cluster: z.record(z.string(), z.unknown()) })),
  users: z.array(z.looseObject({ user: z.record(z.string(), z.unknown()) })),
});
type Kubeconfig = z.infer<typeof kubeconfigSchema>;

/** A program with this text; its path. */
function script(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\n${text}\n`);
  chmodSync(path, 0o755);
  return path;
}

function debugpyOf(python: string): Record<string, unknown> {
  return { delegate: { type: 'debugpy', request: 'launch', program: cartProgram, python } };
}

/** Another program that listens; ended after the test. */
async function occupant(): Promise<{ readonly pid: number; readonly port: number }> {
  const text = 'const s = net.createServer().listen(0, "127.0.0.1", () => console.log(s.address().port))';
  const child = spawn(process.execPath, ['-e', text], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanups.push(() => child.kill('SIGKILL'));
  const [line] = await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, port: Number(line) };
}

/** Takes every connection and never answers. */
async function silentServer(): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  return z.object({ port: z.number() }).parse(server.address()).port;
}

/** The generation of each workload and the Leases: none of them moves unless somebody writes. */
async function writes(): Promise<string> {
  return kubectl(
    'get',
    'deployments,statefulsets,leases',
    '-o',
    'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.generation} {.metadata.annotations}{"\\n"}{end}',
  );
}

/** The right launch configuration with the mistake in it. */
function configurationOf({ configuration = {} }: Mistake): Record<string, unknown> {
  const right = {
    type: 'kubernetes-local',
    request: 'launch',
    name: 'mistaken',
    target: 'service/cart',
    ports: { 8080: port },
    ...world.place,
    ...debugpyOf('/usr/bin/python3'),
  };
  return JSON.parse(JSON.stringify({ ...right, ...configuration }));
}

/** `connect` with the options that say the same as a launch configuration. */
function commandLineOf(configuration: Readonly<Record<string, unknown>>): readonly string[] {
  const option = (name: string, key: string) => (key in configuration ? [name, String(configuration[key])] : []);
  const ports = z.record(z.string(), z.number()).parse(configuration.ports ?? {});
  return [
    'connect',
    ...option('--target', 'target'),
    ...option('--namespace', 'namespace'),
    ...option('--context', 'context'),
    ...option('--kubeconfig', 'kubeconfig'),
    ...option('--container', 'container'),
    ...option('--agent-image', 'agentImage'),
    ...Object.entries(ports).flatMap(([container, local]) => ['--port', `${container}:${local}`]),
  ];
}

function expectWords(text: string, words: Mistake['says']): void {
  for (const word of words) {
    if (typeof word === 'string') expect(text).toContain(word);
    else expect(text).toMatch(word);
  }
}

/** The launch fails with this problem and the debug adapter ends with its exit code. */
async function failsInTheAdapter(mistake: Mistake): Promise<void> {
  const { code, says, environment, adapter = [] } = mistake;
  const client = DapClient.spawn([...world.product, 'dap', ...(adapter || [])], {
    env: { ...world.environment, ...environment },
  });
  cleanups.push(() => client.kill('SIGKILL'));
  await client.request('initialize', {
    adapterID: 'kubernetes-local',
    clientID: 'e2e',
    supportsProgressReporting: true,
  });
  const error = await client.request('launch', configurationOf(mistake)).then(
    () => new Error('the launch succeeded'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(DapError);
  const [exitCode, id] = catalogue[code];
  const message = error instanceof DapError ? error.body?.error : undefined;
  expect(message).toMatchObject({ id, showUser: true });
  expectWords(message?.format ?? '', says);
  await client.request('disconnect');
  client.endInput();
  expect(await client.exited).toEqual({ code: exitCode, signal: null });
  expect(client.stderr).toBe('');
  const responses = client.transcript.filter(
    ({ direction, message: { type } }) => direction === 'received' && type === 'response',
  );
  expect(responses.map(({ message: { command, success } }) => `${command} ${success}`)).toEqual([
    'initialize true',
    'launch false',
    'disconnect true',
  ]);
}

/** The command says one error and ends with its exit code. */
async function failsOnTheCommandLine(mistake: Mistake): Promise<void> {
  const { code, says } = mistake.commandLineSays ?? mistake;
  const args = mistake.commandLine || commandLineOf(configurationOf(mistake));
  const ended = await runCommand(world, args, mistake.environment);
  const errors = ended.stderr.split('\n').filter((line) => /^error\b/.test(line));
  expect(errors, ended.stderr).toEqual([expect.stringMatching(new RegExp(`^error \\(${code}\\): .`))]);
  expectWords(ended.stderr, says);
  expect(ended.stderr).not.toMatch(/^ +at /m);
  expect(ended).toMatchObject({ code: catalogue[code][0], signal: null, stdout: '' });
}

/** Each way to make the mistake fails as it should, and everything is as before. */
async function expectRefusal(mistake: Mistake): Promise<void> {
  before = await world.snapshot();
  const written = await writes();
  try {
    if (mistake.adapter !== false) await failsInTheAdapter(mistake);
    if (mistake.commandLine !== false) await failsOnTheCommandLine(mistake);
    if (!mistake.touches) expect(await writes()).toBe(written);
    await world.asBefore(before);
  } finally {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  }
}

/** Each is made when its test runs, for it may need the world or make something. */
type Table = Readonly<Record<string, () => Mistake | Promise<Mistake>>>;

function test(table: Table): void {
  it.each(Object.entries(table))('%s', async (_name, mistake) => expectRefusal(await mistake()));
}

describe('a launch configuration', () => {
  test({
    'with an unknown key': () => ({
      code: 'unknown-key',
      says: ['"nampespace"', 'Did you mean "namespace"?'],
      configuration: { nampespace: 'x' },
      commandLine: ['connect', '--target', 'cart', '--nampespace', 'x'],
      commandLineSays: { code: 'bad-arguments', says: ["'--nampespace'", 'Did you mean --namespace?'] },
    }),
    'with a key of the real debugger in the wrong place': () => ({
      code: 'unknown-key',
      says: ['"program"', 'move it into "delegate"'],
      configuration: { program: 'cart.py' },
      commandLine: false,
    }),
    'with a value of the wrong type': () => ({
      code: 'wrong-type',
      says: ['"target"', 'must be a string', 'is a number'],
      configuration: { target: 5 },
      commandLine: false,
    }),
    'without a target': () => ({
      code: 'missing-key',
      says: ['target', 'service/cart'],
      configuration: { target: undefined },
      commandLineSays: { code: 'missing-key', says: ['--target', 'service/cart'] },
    }),
    'without a debugger': () => ({
      code: 'missing-key',
      says: ['"delegate"', 'debugpy'],
      configuration: { delegate: undefined },
      commandLine: false,
    }),
    'with a value that is not allowed': () => ({
      code: 'bad-value',
      says: ['"mode"', '"intercept"', '"replace"'],
      configuration: { mode: 'intercept' },
      commandLine: ['connect', '--target', 'cart', '--port', '8080:99999'],
      commandLineSays: { code: 'bad-arguments', says: ['8080:99999', '8080:5000'] },
    }),
    'with a kind of target that there is not': () => ({
      code: 'bad-value',
      says: ['"deplyment"', 'Did you mean "deployment/cart"?'],
      configuration: { target: 'deplyment/cart' },
    }),
    'with a kind of target that cannot be replaced': () => ({
      code: 'target-unsupported',
      says: ['"job/cart"', 'Deployment, StatefulSet'],
      configuration: { target: 'job/cart' },
    }),
  });
});

describe('a command line', () => {
  test({
    'with a command that there is not': () => ({
      code: 'bad-arguments',
      says: ["'conect'", 'Did you mean connect?'],
      commandLine: ['conect'],
      adapter: false,
    }),
    'without the program to run': () => ({
      code: 'bad-arguments',
      says: ["'command'"],
      commandLine: ['run', '--target', 'cart'],
      adapter: false,
    }),
    'with a program that there is not': () => ({
      code: 'command-missing',
      says: ['"nosuchprogram"', 'PATH'],
      commandLine: ['run', '--target', 'cart', ...placeOptions(world), '--', 'nosuchprogram', '--verbose'],
      adapter: false,
    }),
  });
});

describe('a cluster', () => {
  test({
    'without any kubeconfig': () => ({
      code: 'kubeconfig-missing',
      says: [join(folder, '.kube', 'config'), 'KUBECONFIG'],
      configuration: { kubeconfig: undefined },
      environment: { KUBECONFIG: undefined, HOME: folder },
    }),
    'with a kubeconfig that is not there': () => ({
      code: 'kubeconfig-missing',
      says: ['/nowhere/config'],
      configuration: { kubeconfig: '/nowhere/config' },
    }),
    'with a kubeconfig that cannot be read': () => {
      const path = join(folder, 'broken.yaml');
      writeFileSync(path, 'clusters: [');
      return { code: 'kubeconfig-invalid', says: [path], configuration: { kubeconfig: path } };
    },
    'with a context that there is not': () => ({
      code: 'context-unknown',
      says: [`"${world.cluster.name}x"`, `Did you mean "${world.cluster.name}"?`, world.place.kubeconfig],
      configuration: { context: `${world.cluster.name}x` },
    }),
    'with a namespace that there is not': () => ({
      code: 'namespace-unknown',
      says: ['"e2e-bad-inptu"', '"e2e-bad-input"'],
      configuration: { namespace: 'e2e-bad-inptu' },
    }),
    'that refuses connections': async () => {
      const server = `https://127.0.0.1:${await freePort()}`;
      const path = kubeconfig('closed.yaml', ({ clusters }) => {
        for (const { cluster } of clusters) cluster.server = server;
      });
      return { code: 'cluster-unreachable', says: [server, 'refused'], configuration: { kubeconfig: path } };
    },
    'that does not answer': async () => {
      const server = `https://127.0.0.1:${await silentServer()}`;
      const path = kubeconfig('silent.yaml', ({ clusters }) => {
        for (const { cluster } of clusters) cluster.server = server;
      });
      const configuration = { kubeconfig: path };
      return { code: 'cluster-unreachable', says: [server, 'in time', 'VPN'], configuration, commandLine: false };
    },
    'whose certificate nobody vouches for': () => ({
      code: 'cluster-unreachable',
      says: [world.cluster.server, 'TLS', 'certificate-authority'],
      configuration: {
        kubeconfig: kubeconfig('distrusted.yaml', ({ clusters }) => {
          for (const { cluster } of clusters) delete cluster['certificate-authority-data'];
        }),
      },
    }),
    'that does not know the user': () => ({
      code: 'credentials-refused',
      says: ['does not accept', 'Sign in again'],
      configuration: {
        kubeconfig: kubeconfig('stranger.yaml', ({ users }) => {
          for (const entry of users) entry.user = { token: 'no-such-token' };
        }),
      },
    }),
    'that lets the user read nothing': async () => ({
      code: 'right-missing',
      says: ['bad-input-nobody', 'list', 'services', namespace],
      configuration: { kubeconfig: await world.cluster.userKubeconfig('bad-input-nobody') },
    }),
    'that lets the user only read': async () => ({
      code: 'right-missing',
      says: [
        `namespace "${namespace}"`,
        'patch deployments.apps "cart"',
        'create pods/portforward',
        'get pods/log',
        'create leases.coordination.k8s.io',
        'Nothing was changed',
      ],
      configuration: { kubeconfig: await world.cluster.userKubeconfig('bad-input-reader') },
    }),
    'that withholds one right': async () => ({
      code: 'right-missing',
      says: [/You lack a right .*"bad-input-bystander" may not patch deployments.apps "cart"\./s],
      configuration: { kubeconfig: await world.cluster.userKubeconfig('bad-input-bystander') },
    }),
  });
});

describe('a target', () => {
  test({
    'that there is not': () => ({
      code: 'target-missing',
      says: ['service/crat', namespace, 'Did you mean "cart"?'],
      configuration: { target: 'service/crat' },
    }),
    'that there is not, without a kind': () => ({
      code: 'target-missing',
      says: ['"crat"', namespace, '"cart"'],
      configuration: { target: 'crat' },
      commandLine: false,
    }),
    'that is another kind of workload': () => ({
      code: 'target-missing',
      says: ['statefulset/idle', namespace, 'The StatefulSets are: stubborn, twin.'],
      configuration: { target: 'statefulset/idle' },
      commandLine: false,
    }),
    'that could be one of two workloads': () => ({
      code: 'target-ambiguous',
      says: ['deployment/twin', 'statefulset/twin'],
      configuration: { target: 'twin' },
    }),
    'that is a Service of two workloads': () => ({
      code: 'target-ambiguous',
      says: ['"twins"', 'deployment/twin', 'statefulset/twin'],
      configuration: { target: 'service/twins' },
      commandLine: false,
    }),
    'that is scaled to 0': () => ({
      code: 'target-without-pods',
      says: ['deployment/idle', 'scaled to 0', 'kubectl scale'],
      configuration: { target: 'deployment/idle' },
    }),
    'that is a Service without pods': () => ({
      code: 'target-without-pods',
      says: ['"orphan"', 'app=nobody'],
      configuration: { target: 'orphan' },
      commandLine: false,
    }),
    'whose pods do not start': () => ({
      code: 'target-without-pods',
      says: ['deployment/broken', 'ErrImageNeverPull'],
      configuration: { target: 'deployment/broken' },
      commandLine: false,
    }),
    'that is a Service without a selector': () => ({
      code: 'service-without-selector',
      says: ['"by-hand"', 'no selector'],
      configuration: { target: 'by-hand' },
    }),
    'that is an ExternalName': () => ({
      code: 'service-without-selector',
      says: ['"elsewhere"', 'shop.example.com'],
      configuration: { target: 'elsewhere' },
      commandLine: false,
    }),
    'without the container': () => ({
      code: 'container-unknown',
      says: ['"crat"', 'cart, sidecar', 'Did you mean "cart"?'],
      configuration: { container: 'crat' },
    }),
    'with several containers': () => ({
      code: 'container-ambiguous',
      says: ['main, second', '"container"'],
      configuration: { target: 'deployment/pair' },
    }),
    'without the named port': () => ({
      code: 'port-unknown',
      says: ['"htpt"', 'http'],
      configuration: { ports: { htpt: port } },
    }),
    'whose environment is gone': () => ({
      code: 'environment-unresolved',
      says: ['FORGOTTEN', 'ConfigMap', 'fleeting', 'word'],
      configuration: { target: 'deployment/forgetful' },
      commandLine: false,
    }),
    'that is paused': () => ({
      code: 'target-unsupported',
      says: ['deployment/paused', 'It is paused', 'kubectl rollout resume'],
      configuration: { target: 'deployment/paused' },
    }),
    'that is updated by hand': () => ({
      code: 'target-unsupported',
      says: ['statefulset/stubborn', 'OnDelete'],
      configuration: { target: 'statefulset/stubborn' },
      commandLine: false,
    }),
  });
});

describe('this computer', () => {
  test({
    'with the port in use': async () => {
      const other = await occupant();
      const place = [...placeOptions(world), '--port', `8080:${other.port}`];
      return {
        code: 'port-in-use',
        says: [`127.0.0.1`, `${other.port}`, `node (pid ${other.pid}, user ${userInfo().username})`, '"ports"'],
        configuration: { ports: { http: other.port } },
        commandLine: ['run', '--target', 'cart', ...place, '--', 'true'],
      };
    },
    'with a hosts file that is not there': () => {
      const path = join(folder, 'nowhere', 'hosts');
      return {
        code: 'hosts-unwritable',
        says: [path],
        // Otherwise another mode is taken, which needs no hosts file.
        configuration: { network: 'hosts' },
        environment: { KUBERNETES_LOCAL_HOSTS_FILE: path },
        commandLine: ['run', '--target', 'cart', '--network', 'hosts', ...placeOptions(world), '--', 'true'],
      };
    },
    'with a state folder that is a file': () => {
      const path = join(folder, 'state');
      writeFileSync(path, '');
      return {
        code: 'state-unwritable',
        says: [path, 'it is not a folder', 'KUBERNETES_LOCAL_STATE'],
        environment: { KUBERNETES_LOCAL_STATE: path },
      };
    },
    'with a state folder that others may write to': () => {
      const path = join(folder, 'open-state');
      mkdirSync(path);
      chmodSync(path, 0o777);
      return {
        code: 'state-unwritable',
        says: [path, 'others may write', '0700'],
        environment: { KUBERNETES_LOCAL_STATE: path },
        commandLine: false,
      };
    },
  });
});

describe('a debugger', () => {
  test({
    'that nobody knows': () => ({
      code: 'delegate-unknown',
      says: ['"debugpi"', 'Did you mean "debugpy"?'],
      configuration: { delegate: { type: 'debugpi', program: cartProgram } },
      commandLine: false,
    }),
    'that is not installed': () => {
      const python = script('bare-python', 'exec /usr/bin/python3 -S "$@"');
      return {
        code: 'delegate-missing',
        says: ['debugpy', "No module named 'debugpy'", `${python} -m pip install debugpy`],
        configuration: debugpyOf(python),
        commandLine: false,
      };
    },
    'that is not installed, though the IDE has asked for it by name': () => {
      const python = script('path/python3', 'exec /usr/bin/python3 -S "$@"');
      return {
        code: 'delegate-missing',
        says: [`${python} -m pip install debugpy`, 'python3 on PATH'],
        configuration: { delegate: { type: 'debugpy', program: cartProgram } },
        environment: { PATH: `${join(python, '..')}:${process.env.PATH}`, VIRTUAL_ENV: undefined },
        adapter: ['--delegate', 'debugpy'],
        commandLine: false,
      };
    },
    'whose interpreter is not there': () => ({
      code: 'delegate-missing',
      says: ['There is no program /nowhere/python', 'pip install debugpy'],
      configuration: debugpyOf('/nowhere/python'),
      commandLine: false,
    }),
    'that dies at its start': () => ({
      code: 'delegate-died',
      says: ['debugpy', 'exit code 3', 'out of luck'],
      configuration: debugpyOf(script('dying-python', 'test "$1" = -c && exit 0; echo "out of luck" >&2; exit 3')),
      commandLine: false,
    }),
  });
});

describe('what the cluster refuses is undone:', () => {
  const small = () => ({ target: 'service/small', ports: { http: port } });

  test({
    'an image of the agent that cannot be pulled': () => ({
      code: 'image-pull-failed',
      // Nobody listens on that port of the node, so the answer comes at once.
      says: ['deployment/small', '127.0.0.1:9/no-such-agent:1', 'connection refused', 'Everything is being undone'],
      configuration: { ...small(), agentImage: '127.0.0.1:9/no-such-agent:1' },
      touches: true,
    }),
    'more pods than the quota has': async () => {
      await apply([
        { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'tight' }, spec: { hard: { pods: '1' } } },
      ]);
      cleanups.push(() => kubectl('delete', 'resourcequota', 'tight'));
      await kubectl('wait', 'resourcequota/tight', '--for=jsonpath={.status.hard.pods}=1', '--timeout=30s');
      return {
        code: 'quota-exceeded',
        says: ['deployment/small', 'exceeded quota: tight'],
        configuration: small(),
        commandLine: false,
        touches: true,
      };
    },
    'pods that break the namespace’s rules': async () => {
      const label = 'pod-security.kubernetes.io/enforce';
      await kubectl('label', 'namespace', namespace, `${label}=restricted`);
      cleanups.push(() => kubectl('label', 'namespace', namespace, `${label}-`));
      return {
        code: 'rollout-failed',
        says: ['deployment/accompanied', 'violates PodSecurity'],
        configuration: { ...small(), target: 'deployment/accompanied', container: 'main' },
        commandLine: false,
        touches: true,
      };
    },
    'a change that an admission rule forbids': async () => {
      await forbidAgents();
      return {
        code: 'patch-refused',
        says: ['deployment/small', 'no agents here', 'Nothing was changed'],
        configuration: small(),
        touches: true,
      };
    },
  });

  /** A ValidatingAdmissionPolicy against the agent's image, in force. */
  async function forbidAgents(): Promise<void> {
    const name = `${namespace}-no-agents`;
    const group = 'admissionregistration.k8s.io';
    const patch = JSON.stringify({ spec: { template: { spec: { containers: [{ name: 'main', image: 'agent' }] } } } });
    const tryIt = () => kubectl('patch', 'deployment/small', '--dry-run=server', '-p', patch).catch(String);
    cleanups.push(async () => {
      await kubectl('delete', `validatingadmissionpolicies,validatingadmissionpolicybindings`, name);
      // It stays in force for a moment after its deletion.
      await vi.waitUntil(async () => !(await tryIt()).includes('no agents here'), { timeout: 30_000, interval: 100 });
    });
    await apply([
      {
        apiVersion: `${group}/v1`,
        kind: 'ValidatingAdmissionPolicy',
        metadata: { name },
        spec: {
          matchConstraints: {
            resourceRules: [
              { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments'] },
            ],
          },
          validations: [
            {
              expression: 'object.spec.template.spec.containers.all(c, !c.image.contains("agent"))',
              message: 'no agents here',
            },
          ],
        },
      },
      {
        apiVersion: `${group}/v1`,
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata: { name },
        spec: {
          policyName: name,
          validationActions: ['Deny'],
          matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } } },
        },
      },
    ]);
    await expect.poll(tryIt, { timeout: 30_000 }).toContain('no agents here');
  }
});

describe('a target that is debugged already', () => {
  let session: RunningCommand;
  let untouched: Snapshot;
  const target = () => ['--target', 'small', ...placeOptions(world)];

  beforeAll(async () => {
    untouched = await world.snapshot();
    session = startCommand(world, ['connect', ...target(), '--port', `http:${port}`]);
    await session.saw('Ready.');
  });
  afterAll(async () => {
    session.kill('SIGINT');
    expect(await session.ended).toMatchObject({ code: 0 });
    await world.asBefore(untouched);
  });

  async function expectUnharmed(): Promise<void> {
    const { stdout } = await runCommand(world, ['status', '--json']);
    expect(JSON.parse(stdout)).toMatchObject([{ status: { state: 'connected', clients: [session.pid] } }]);
  }

  it('is refused to another computer, with the holder and the time', async () => {
    const state = mkdtempSync(join(tmpdir(), 'kubernetes-local-other-'));
    try {
      const mistake: Mistake = {
        code: 'target-held',
        says: ['deployment/small', `${userInfo().username} on ${hostname()}`, /began at 20\d\d-\d\d-\d\dT/],
        configuration: { target: 'small', ports: { http: await freePort() } },
        environment: { KUBERNETES_LOCAL_STATE: state },
      };
      await failsInTheAdapter(mistake);
      await failsOnTheCommandLine(mistake);
      await expect.poll(() => processesOf(state), { timeout: 10_000 }).toEqual([]);
      await expectUnharmed();
    } finally {
      rmSync(state, { recursive: true });
    }
  });

  it('is refused to a client with other options', async () => {
    const mistake: Mistake = {
      code: 'session-mismatch',
      says: ['small', 'other options', `"http":${port}`],
      configuration: { target: 'small', ports: { http: await freePort() } },
    };
    await failsInTheAdapter(mistake);
    await failsOnTheCommandLine(mistake);
    await expectUnharmed();
  });
});
