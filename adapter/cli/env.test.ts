import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseEnv } from 'node:util';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from '../cluster/fake-api-server.ts';
import { parseLaunchConfiguration } from '../launch/configuration.ts';
import { rpcOver } from '../rpc.ts';
import { sessionRequest } from '../session/client/session-request.ts';
import { type Connection, helloRequest, standingRequest } from '../session/protocol.ts';
import { sessionFiles } from '../session/state-folder.ts';
import { describeMounts, environmentSource, masked } from './env.ts';

// Each run is a new process, which takes its time on a busy computer.
vi.setConfig({ testTimeout: 60_000 });

const { signal } = new AbortController();
const main = fileURLToPath(new URL('main.ts', import.meta.url));

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'env-command-'));
  mkdirSync(join(folder, 'state'), { mode: 0o700 });
  vi.stubEnv('KUBERNETES_LOCAL_STATE', join(folder, 'state'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const meta = (name: string, more: object = {}) => ({
  name,
  namespace: 'shop',
  uid: name,
  resourceVersion: '1',
  ...more,
});
const labels = { app: 'cart' };
const spec = {
  enableServiceLinks: false,
  containers: [
    {
      name: 'cart',
      image: 'cart:1',
      ports: [{ containerPort: 8080 }],
      env: [
        { name: 'GREETING', value: 'two\nlines' },
        { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'keys', key: 'password' } } },
        { name: 'PATH', value: '/in/the/pod' },
      ],
      volumeMounts: [{ name: 'lists', mountPath: '/etc/lists' }],
    },
  ],
};
const owner = (kind: string, name: string) => ({ apiVersion: 'apps/v1', kind, name, uid: name, controller: true });
const items: Readonly<Record<string, readonly object[]>> = {
  '/api/v1/namespaces/shop/services': [
    { metadata: meta('cart'), spec: { clusterIP: '10.0.0.9', selector: labels, ports: [{ port: 8080 }] } },
  ],
  '/api/v1/namespaces/other/services': [
    {
      metadata: meta('prices', { namespace: 'other' }),
      spec: { clusterIP: '10.0.0.10', selector: { app: 'prices' }, ports: [{ port: 80 }] },
    },
  ],
  '/apis/apps/v1/namespaces/shop/deployments': [
    {
      metadata: meta('cart'),
      spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
      status: { readyReplicas: 1 },
    },
  ],
  '/apis/apps/v1/namespaces/shop/replicasets': [
    { metadata: meta('cart-1', { ownerReferences: [owner('Deployment', 'cart')] }), spec: { replicas: 1 } },
  ],
  '/api/v1/namespaces/shop/pods': [
    {
      metadata: meta('cart-1-a', { labels, ownerReferences: [owner('ReplicaSet', 'cart-1')] }),
      spec,
      status: {
        phase: 'Running',
        podIP: '10.1.0.5',
        containerStatuses: [{ name: 'cart', ready: true, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } }],
      },
    },
  ],
};

function answer({ path }: FakeRequest): FakeAnswer {
  if (path === '/version') return { gitVersion: 'v1.35.4' };
  if (path.endsWith('/selfsubjectreviews')) return { status: { userInfo: { username: 'anna' } } };
  if (path === '/api/v1/namespaces/shop') return { metadata: meta('shop') };
  if (path.endsWith('/secrets/keys')) {
    return { metadata: meta('keys'), data: { password: Buffer.from("hunter2's").toString('base64') } };
  }
  const list = items[path];
  if (list !== undefined) return { metadata: { resourceVersion: '1' }, items: list };
  const found = items[path.slice(0, path.lastIndexOf('/'))]?.find(
    (object) => 'metadata' in object && (object.metadata as { name: string }).name === path.split('/').at(-1),
  );
  return found ?? 404;
}

function kubeconfig(server: string): string {
  const path = join(folder, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'dev',
    clusters: [{ name: 'dev', cluster: { server } }],
    users: [{ name: 'anna', user: { token: 't' } }],
    contexts: [{ name: 'dev', context: { cluster: 'dev', user: 'anna', namespace: 'shop' } }],
  };
  writeFileSync(path, JSON.stringify(config));
  return path;
}

/** The whole program, in the folder of the test. */
async function run(server: FakeApiServer, ...words: readonly string[]) {
  const args = [main, ...words, '--kubeconfig', kubeconfig(server.url)];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const code = new Promise((resolve) => child.once('close', resolve));
  const [output, errors] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { output, errors, code: await code };
}

describe('without a session', () => {
  test('the variables come from the cluster, which is told; nothing is changed', async () => {
    await using server = await FakeApiServer.start(answer);
    const { output, errors, code } = await run(server, 'env', '--target', 'cart', '--env', 'LEVEL=debug');
    expect(errors).toContain(
      'No session stands for this target: addresses and paths are those of the cluster itself.\n',
    );
    expect(code).toBe(0);
    expect(parseEnv(output)).toEqual({ GREETING: 'two\nlines', PASSWORD: "hunter2's", LEVEL: 'debug' });
    const changes = server.requests.filter(({ method, path }) => method !== 'GET' && !path.endsWith('reviews'));
    expect(changes).toEqual([]);
  });

  test('a file, which nobody else can read, even if it was there', async () => {
    await using server = await FakeApiServer.start(answer);
    const file = join(folder, 'out.json');
    writeFileSync(file, 'before', { mode: 0o644 });
    const { output, code } = await run(server, 'env', '-t', 'cart', '--format', 'json', '--output', 'out.json');
    expect([output, code]).toEqual(['', 0]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ GREETING: 'two\nlines', PASSWORD: "hunter2's" });
    const lost = await run(server, 'env', '-t', 'cart', '--output', join('gone', 'out'));
    expect(lost.code).toBe(2);
    expect(lost.errors).toContain('cannot be written');
  });

  test('the mounts, and a process configuration of this folder', async () => {
    await using server = await FakeApiServer.start(answer);
    writeFileSync(
      join(folder, 'KubernetesLocalProcessConfig.yaml'),
      'version: 0.1\nenv:\n- {name: PRICES, value: http://$(services:prices.other)/}\n- {name: LIST, value: $(volumeMounts:li*)/a}\n',
    );
    expect((await run(server, 'env', '-t', 'cart', '--mounts')).output).toBe('/etc/lists\t/etc/lists\n');
    const { output } = await run(server, 'env', '-t', 'cart', '--exclude', 'PASSWORD', '--format', 'shell');
    expect(output).toBe(
      "export GREETING='two\nlines'\nexport PRICES='http://10.0.0.10/'\nexport LIST='/etc/lists/a'\n",
    );
  });

  test('what a format cannot hold', async () => {
    await using server = await FakeApiServer.start(answer);
    const { output, errors, code } = await run(server, 'env', '-t', 'cart', '--format', 'shell', '-e', 'my.name=x');
    expect([output, code]).toEqual(['', 2]);
    expect(errors).toContain('my.name: its name is not one of letters');
  });
});

describe('config', () => {
  const file = () => join(folder, 'KubernetesLocalProcessConfig.yaml');

  test('every fault at once, also as JSON', async () => {
    await using server = await FakeApiServer.start(answer);
    writeFileSync(file(), 'version: 0.1\nenv:\n- {name: A, value: $X}\n- {name: B, valu: x}\n');
    const { output, code } = await run(server, 'config', '--explain');
    expect(code).toBe(2);
    expect(output.split('\n').map((line) => line.replace(/: .*/, ''))).toEqual([
      `${file()}:3:20`,
      `${file()}:4:13`,
      '',
    ]);
    const json = await run(server, 'config', '--explain', '--format', 'json');
    expect(JSON.parse(json.output)).toMatchObject({ file: file(), faults: [{ line: 3 }, { line: 4 }], entries: [] });
  });

  test('what each entry means, without a cluster', async () => {
    await using server = await FakeApiServer.start(answer);
    writeFileSync(
      file(),
      `version: 0.1
volumeMounts:
  - { name: lists, localPath: /tmp/lists }
env:
  - { name: A, value: "x$(services:prices.other:80)" }
  - { name: B, value: $(externalendpoints:db.example.net:1433) }
  - { name: C, value: $(volumeMounts:/etc/lists) }
  - { name: D, value: d }
  - { name: D, value: e }
enableFeatures: [Probes]
`,
    );
    const { output, errors, code } = await run(server, 'config', file(), '--explain');
    expect({ code, errors }).toEqual({ code: 0, errors: 'Add --target to see what the variables become.\n' });
    expect(output).toBe(`${file()} is valid.
line 3: volumeMounts lists
  Its files are to be found at /tmp/lists.
line 5: env A = "x$(services:prices.other:80)"
  $(services:prices.other:80) is the address of Service prices of namespace other, port 80.
line 6: env B = "$(externalendpoints:db.example.net:1433)"
  $(externalendpoints:db.example.net:1433) is db.example.net, reached through the cluster, port 1433.
line 7: env C = "$(volumeMounts:/etc/lists)"
  $(volumeMounts:/etc/lists) is where the files of mount path /etc/lists are.
line 8: env D = "d"
  A text as it is.
  It does not count: line 9 says it again.
line 9: env D = "e"
  A text as it is.
line 10: enableFeatures Probes
  A liveness probe over the network stays and reaches your program; the others are the agent's.
`);
    expect(server.requests).toEqual([]);
  });

  test('what the variables become, with origins, secrets masked, and what cannot be had', async () => {
    await using server = await FakeApiServer.start(answer);
    writeFileSync(join(folder, '.env'), 'C=t0ken\n');
    writeFileSync(
      file(),
      'version: 0.1\nenv:\n- {name: A, value: http://$(services:prices.other)/}\n- {name: B, value: $(services:gone)}\n- {name: C, value: c}\nenableFeatures: [ManagedIdentity]\n',
    );
    const { output, code } = await run(server, 'config', '--explain', '-t', 'cart', '--env-file', '.env');
    expect(code).toBe(4);
    expect(output).toContain('  The program gets "http://10.0.0.10/" (KubernetesLocalProcessConfig.yaml, line 3).\n');
    expect(output).toContain(
      '  error: KubernetesLocalProcessConfig.yaml:4:20: B cannot be worked out. The session reaches no Service gone.\n',
    );
    expect(output).toContain('  The program gets "********" (envFile .env).\n');
    expect(output).toContain('http://managedidentityforbridgetokubernetes/metadata/identity/oauth2/token');
    expect(output).not.toContain('t0ken');
  });

  test('no file', async () => {
    await using server = await FakeApiServer.start(answer);
    const { errors, code } = await run(server, 'config');
    expect(code).toBe(2);
    expect(errors).toContain(`There is no KubernetesLocalProcessConfig.yaml in ${folder}.`);
  });
});

/** A daemon as far as this command speaks to one. */
class FakeDaemon implements AsyncDisposable {
  readonly #server: Server;

  constructor(key: string, standing: Connection | null) {
    const files = sessionFiles(key);
    writeFileSync(files.token, 'token', { mode: 0o600 });
    this.#server = createServer((socket) => {
      const rpc = rpcOver(socket);
      rpc.onRequest(helloRequest, () => null);
      rpc.onRequest(standingRequest, () => standing);
      rpc.listen();
    }).listen(files.socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe('with a session', () => {
  const connection: Connection = {
    kind: 'connected',
    session: 'abc',
    workload: 'deployment/cart',
    container: 'cart',
    pods: ['cart-1-a'],
    network: { mode: 'env', reason: '' },
    environment: [{ name: 'GREETING', value: 'hello', origin: 'container cart', secret: false }],
    mounts: [],
    externalEndpoints: [],
    services: [],
    ports: [],
    log: '/tmp/session.log',
  };
  const asked = () =>
    sessionRequest(
      parseLaunchConfiguration(
        { target: 'cart', kubeconfig: kubeconfig('http://127.0.0.1:9'), processConfig: false },
        'test',
      ),
      false,
    );
  const neverTold = (told: string): never => {
    throw new Error(told);
  };

  test('it is that session’s environment', async () => {
    const request = asked();
    await using _daemon = new FakeDaemon(request.key, connection);
    expect(await environmentSource(request, neverTold, signal)).toEqual(connection);
  });

  test('one that does not stand yet, or no longer, has none', async () => {
    await using server = await FakeApiServer.start(answer);
    const request = sessionRequest(
      parseLaunchConfiguration({ target: 'cart', kubeconfig: kubeconfig(server.url), processConfig: false }, 'test'),
      false,
    );
    await using _daemon = new FakeDaemon(request.key, null);
    const told: string[] = [];
    const source = await environmentSource(request, (line) => told.push(line), signal);
    expect(source.session).toBeUndefined();
    expect(told).toHaveLength(1);
  });
});

test('masked values say nothing of their length', () => {
  const variables = [
    { name: 'A', value: 'a', secret: true },
    { name: 'B', value: 'b', secret: false },
  ];
  expect(masked(variables).map(({ value }) => value)).toEqual(['********', 'b']);
});

test('mounts that are left out say why', () => {
  const mounts: Connection['mounts'] = [
    { mountPath: '/a', volume: 'a', kind: 'secret', localPath: '/run/k/a', readOnly: true },
    { mountPath: '/b', volume: 'b', kind: 'hostPath', readOnly: true, note: 'It is too large.' },
  ];
  expect(describeMounts({ mounts }, 'dotenv')).toBe('/a\t/run/k/a\n/b\tleft out\tIt is too large.\n');
  expect(JSON.parse(describeMounts({ mounts }, 'json'))).toEqual(mounts);
});
