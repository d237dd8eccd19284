/** The environment worked out from the API against the one that kubelet gave a real container, name by name. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { openCluster } from '../../adapter/cluster/cluster.ts';
import { kubernetesService, readServices, visibleServices } from '../../adapter/cluster/services.ts';
import { environmentReader } from '../../adapter/cluster/sources.ts';
import { resolveTarget } from '../../adapter/cluster/target.ts';
import { silentLog } from '../../adapter/diagnostics/log.ts';
import { type ResolvedEnvironment, resolveEnvironment } from '../../adapter/environment/environment.ts';
import { ensureCluster, type TestCluster } from '../cluster/cluster.ts';
import type { Kubectl } from '../stage/kubectl.ts';
import { kubectlOf, removeNamespace } from '../stage/shop.ts';
import { sharedCluster } from '../stage/world.ts';

const namespace = 'environment';
const image = 'kubernetes-local.test/busybox:1';
/** What image and runtime set, which is not in the API. */
const ofTheImage = ['PATH', 'HOME', 'HOSTNAME'];
const multiLine = 'first=1\nsecond = "zwei"\n\n  grün \t🚲 $(NOT_EXPANDED) $$\n';

const field = (fieldPath: string) => ({ valueFrom: { fieldRef: { fieldPath } } });
const resource = (name: string, divisor?: string, containerName?: string) => ({
  valueFrom: {
    resourceFieldRef: { resource: name, ...(divisor && { divisor }), ...(containerName && { containerName }) },
  },
});
const configMapKey = (name: string, key: string, optional = false) => ({
  valueFrom: { configMapKeyRef: { name, key, optional } },
});
const secretKey = (name: string, key: string, optional = false) => ({
  valueFrom: { secretKeyRef: { name, key, optional } },
});
const service = (name: string, spec: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec });

const surroundings = [
  {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings' },
    data: {
      GREETING: 'hello',
      EMPTY: '',
      EQUALS: '=a=b=',
      MULTI_LINE: multiLine,
      OVERRIDDEN: 'by a ConfigMap',
      'app.properties': 'a=1\nb=2\n',
      '1st': 'a digit first',
      PRICES_SERVICE_PORT: 'from a ConfigMap',
    },
    binaryData: { BINARY: Buffer.of(0xff, 0).toString('base64') },
  },
  {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'keys' },
    stringData: {
      PASSWORD: 'pa$$(GREETING)word',
      'tls.key': '-----BEGIN\nabc=\n-----END\n',
      OVERRIDDEN: 'by a Secret',
    },
  },
  service('prices', { ports: [{ port: 80 }] }),
  service('multi-port', {
    ports: [
      { name: 'http-web', port: 80, targetPort: 8080 },
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53 },
    ],
  }),
  service('node-port', { type: 'NodePort', ports: [{ port: 443 }] }),
  service('headless', { clusterIP: 'None', ports: [{ port: 80 }] }),
  service('external', { type: 'ExternalName', externalName: 'example.com' }),
  service('last', { ports: [{ port: 1 }] }),
];

const container = {
  name: 'main',
  image,
  resources: { requests: { cpu: '15m', memory: '10M' }, limits: { memory: '64Mi', 'ephemeral-storage': '1Gi' } },
  envFrom: [
    { configMapRef: { name: 'settings' } },
    { prefix: 'P_', configMapRef: { name: 'settings' } },
    { prefix: '2', secretRef: { name: 'keys' } },
    { secretRef: { name: 'keys' } },
    { secretRef: { name: 'absent', optional: true } },
    { configMapRef: { name: 'absent', optional: true } },
  ],
  env: [
    { name: 'PLAIN', value: 'plain' },
    { name: 'NOTHING' },
    { name: 'WRITTEN_MULTI_LINE', value: multiLine },
    { name: 'GREETING_COPY', value: '$(GREETING) $$(GREETING) $(P_GREETING) $(1st)' },
    { name: 'PASSWORD_COPY', value: '<$(PASSWORD)>' },
    { name: 'TOO_EARLY', value: '$(LATER)' },
    { name: 'LATER', value: 'later' },
    { name: 'TWICE', value: 'a' },
    { name: 'TWICE', value: '$(TWICE)b' },
    {
      name: 'URL',
      value: 'http://$(PRICES_SERVICE_HOST):$(PRICES_SERVICE_PORT)/$(MULTI_PORT_PORT_53_UDP)$(NODE_PORT_PORT)',
    },
    { name: 'API', value: '$(KUBERNETES_SERVICE_HOST):$(KUBERNETES_SERVICE_PORT_HTTPS)' },
    { name: 'MULTI_PORT_SERVICE_PORT', value: 'overridden' },
    { name: 'ODD', value: '$ $$ $$$ $(EMPTY)$(NO SUCH)$({PLAIN}$PLAIN$(' },
    { name: 'FROM_CONFIG', ...configMapKey('settings', 'app.properties') },
    { name: 'FROM_CONFIG_EMPTY', ...configMapKey('settings', 'EMPTY') },
    { name: 'FROM_NO_CONFIG', ...configMapKey('absent', 'x', true) },
    { name: 'FROM_NO_CONFIG_KEY', ...configMapKey('settings', 'absent', true) },
    { name: 'FROM_BINARY_CONFIG_KEY', ...configMapKey('settings', 'BINARY', true) },
    { name: 'FROM_SECRET', ...secretKey('keys', 'tls.key') },
    { name: 'FROM_NO_SECRET', ...secretKey('absent', 'x', true) },
    { name: 'FROM_NO_SECRET_KEY', ...secretKey('keys', 'absent', true) },
    { name: 'POD_NAME', ...field('metadata.name') },
    { name: 'POD_NAMESPACE', ...field('metadata.namespace') },
    { name: 'POD_UID', ...field('metadata.uid') },
    { name: 'POD_LABEL', ...field("metadata.labels['app.kubernetes.io/name']") },
    { name: 'POD_NO_LABEL', ...field("metadata.labels['absent']") },
    { name: 'POD_ANNOTATION', ...field("metadata.annotations['example.com/note']") },
    { name: 'NODE_NAME', ...field('spec.nodeName') },
    { name: 'ACCOUNT', ...field('spec.serviceAccountName') },
    { name: 'HOST_IP', ...field('status.hostIP') },
    { name: 'HOST_IPS', ...field('status.hostIPs') },
    { name: 'POD_IP', ...field('status.podIP') },
    { name: 'POD_IPS', ...field('status.podIPs') },
    { name: 'CPU_REQUEST', ...resource('requests.cpu') },
    { name: 'CPU_REQUEST_MILLI', ...resource('requests.cpu', '1m') },
    { name: 'CPU_LIMIT_OF_THE_NODE', ...resource('limits.cpu') },
    { name: 'CPU_LIMIT_OF_THE_NODE_MILLI', ...resource('limits.cpu', '1m') },
    { name: 'MEMORY_REQUEST', ...resource('requests.memory') },
    { name: 'MEMORY_REQUEST_MI', ...resource('requests.memory', '1Mi') },
    { name: 'MEMORY_LIMIT', ...resource('limits.memory', '1k') },
    { name: 'STORAGE_REQUEST', ...resource('requests.ephemeral-storage') },
    { name: 'STORAGE_LIMIT', ...resource('limits.ephemeral-storage', '1Mi') },
    { name: 'SIDECAR_MEMORY_LIMIT_OF_THE_NODE', ...resource('limits.memory', '1', 'sidecar') },
    { name: 'SIDECAR_CPU_LIMIT', ...resource('limits.cpu', '1m', 'sidecar') },
    { name: 'SIDECAR_CPU_REQUEST', ...resource('requests.cpu', '1m', 'sidecar') },
    { name: 'GATE_MEMORY_LIMIT', ...resource('limits.memory', '1', 'gate') },
    { name: 'TEXT_OF_FIELDS', value: '$(POD_NAME)/$(POD_IP)/$(MEMORY_LIMIT)' },
    { name: 'with.dots-and-dashes', value: 'dots' },
  ],
};

const pod = (name: string, links: boolean | undefined) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    labels: { 'app.kubernetes.io/name': name },
    annotations: { 'example.com/note': 'two\nlines "quoted"' },
  },
  spec: {
    terminationGracePeriodSeconds: 0,
    ...(links !== undefined && { enableServiceLinks: links }),
    initContainers: [
      {
        name: 'gate',
        image,
        // Restarted until this node's kubelet knows the Service that was made last, and so all of them.
        command: ['sh', '-c', links === false ? 'true' : 'test -n "$LAST_SERVICE_HOST"'],
      },
    ],
    containers: [container, { name: 'sidecar', image, resources: { limits: { cpu: '150m' } } }],
  },
});

const pods = { linked: pod('linked', undefined), unlinked: pod('unlinked', false) };

let cluster: TestCluster;
let kubectl: Kubectl;

beforeAll(async () => {
  cluster = await ensureCluster({ name: sharedCluster });
  kubectl = kubectlOf(cluster);
  await removeNamespace(kubectl, namespace);
  await kubectl.run(['create', 'namespace', namespace]);
  await kubectl.run(['create', '-n', namespace, '-f', '-'], JSON.stringify(listOf(surroundings)));
  await kubectl.run(['wait', '-n', namespace, '--for=create', 'serviceaccount/default', '--timeout=60s']);
  await kubectl.run(['create', '-n', namespace, '-f', '-'], JSON.stringify(listOf(Object.values(pods))));
  const names = Object.keys(pods).map((name) => `pod/${name}`);
  await kubectl.run(['wait', '-n', namespace, '--for=condition=Ready', '--timeout=120s', ...names]);
});

afterAll(async () => {
  await removeNamespace(kubectl, namespace);
});

function listOf(items: readonly object[]): object {
  return { apiVersion: 'v1', kind: 'List', items };
}

/** The environment of process 1 of the container, as the kernel holds it, without what the image sets. */
async function realEnvironment(name: string): Promise<Record<string, string>> {
  const text = await kubectl.run(['exec', '-n', namespace, name, '-c', 'main', '--', 'cat', '/proc/1/environ']);
  const entries = text
    .split('\0')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const end = entry.indexOf('=');
      return [entry.slice(0, end), entry.slice(end + 1)] as const;
    })
    .filter(([variable]) => !ofTheImage.includes(variable));
  return Object.fromEntries(entries);
}

async function resolvedEnvironment(name: string, readsNodes = true): Promise<ResolvedEnvironment> {
  const signal = AbortSignal.timeout(60_000);
  const connected = await openCluster({ kubeconfig: cluster.kubeconfig, namespace, log: silentLog }, signal);
  const [target, services, master] = await Promise.all([
    resolveTarget(connected, `pod/${name}`, 'main', signal),
    readServices(connected, signal).then(visibleServices),
    kubernetesService(connected, signal),
  ]);
  const reader = environmentReader(connected);
  const nodeSchema = z.object({ status: z.object({ allocatable: z.record(z.string(), z.string()) }) });
  return await resolveEnvironment(
    {
      pod: target.pod,
      container: 'main',
      namespace,
      services: master ? [...services, master] : services,
      reader: {
        ...reader,
        nodeAllocatable: async (node) =>
          readsNodes ? nodeSchema.parse(await kubectl.json(['get', 'node', node])).status.allocatable : undefined,
      },
    },
    signal,
  );
}

describe.each(Object.keys(pods))('the pod %s', (name) => {
  test('has the variables that were worked out, no more, no less, no other values', async () => {
    const real = await realEnvironment(name);
    const { variables, notes } = await resolvedEnvironment(name);
    expect(Object.fromEntries(variables.map((variable) => [variable.name, variable.value]))).toEqual(real);
    expect(notes).toEqual([]);
    // Without these the comparison would say nothing.
    expect(real).toMatchObject({ MULTI_LINE: multiLine, EMPTY: '', TWICE: 'ab', '2tls.key': expect.any(String) });
    expect(real.KUBERNETES_SERVICE_HOST).toMatch(/^\d/);
    expect('PRICES_SERVICE_HOST' in real).toBe(name === 'linked');
    expect(Object.keys(real).length).toBeGreaterThan(70);
  });

  test('tells secrets from the rest', async () => {
    const { variables } = await resolvedEnvironment(name);
    const secret = variables.filter((variable) => variable.secret).map((variable) => variable.name);
    expect(secret.toSorted()).toEqual(
      [
        '2OVERRIDDEN',
        '2PASSWORD',
        '2tls.key',
        'FROM_SECRET',
        'OVERRIDDEN',
        'PASSWORD',
        'PASSWORD_COPY',
        'tls.key',
      ].sort(),
    );
  });
});

test('who may not read nodes misses only what is the node’s', async () => {
  const real = await realEnvironment('linked');
  const { variables, notes } = await resolvedEnvironment('linked', false);
  const missed = Object.keys(real).filter((name) => !variables.some((variable) => variable.name === name));
  expect(missed.toSorted()).toEqual([
    'CPU_LIMIT_OF_THE_NODE',
    'CPU_LIMIT_OF_THE_NODE_MILLI',
    'SIDECAR_MEMORY_LIMIT_OF_THE_NODE',
  ]);
  expect(notes).toHaveLength(missed.length);
});
