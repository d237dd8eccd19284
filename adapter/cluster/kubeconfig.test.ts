import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { silentLog } from '../diagnostics/log.ts';
import { openCluster } from './cluster.ts';
import { type FakeAnswer, FakeApiServer, type FakeRequest } from './fake-api-server.ts';
import { chooseContext } from './kubeconfig.ts';
import { unusedSchema } from './objects.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const never = new AbortController().signal;
const log = silentLog;

interface Parts {
  readonly server?: string;
  readonly user?: object;
  readonly name?: string;
  readonly namespace?: string;
  readonly current?: string | undefined;
}

function write({ server = 'https://k8s.example', user = {}, name = 'dev', namespace, current }: Parts): string {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.yaml`);
  const context = { cluster: name, user: name, ...(namespace ? { namespace } : {}) };
  const text = stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user }],
    contexts: [{ name, context }],
    ...(current === undefined ? {} : { 'current-context': current }),
  });
  writeFileSync(path, text);
  return path;
}

test('a missing kubeconfig says where it was looked for', () => {
  const kubeconfig = join(folder, 'absent');
  expect(() => chooseContext({ kubeconfig, log })).toThrow(
    expect.objectContaining({ code: 'kubeconfig-missing', why: expect.stringContaining(kubeconfig) }),
  );
});

test('an unknown context lists those that exist and the nearest', () => {
  const kubeconfig = write({ name: 'staging', current: 'staging' });
  expect(() => chooseContext({ kubeconfig, context: 'stagin', log })).toThrow(
    expect.objectContaining({
      code: 'context-unknown',
      why: expect.stringContaining('these: staging'),
      remedy: 'Did you mean "staging"?',
    }),
  );
});

test('no current context asks for one and lists them', () => {
  expect(() => chooseContext({ kubeconfig: write({ name: 'dev' }), log })).toThrow(
    expect.objectContaining({ code: 'context-unknown', remedy: expect.stringContaining('dev') }),
  );
});

test.each(['{', 'clusters: [{name: a}]', 'users: 5'])('"%s" is an invalid kubeconfig', (text) => {
  const kubeconfig = join(folder, 'broken');
  writeFileSync(kubeconfig, text);
  expect(() => chooseContext({ kubeconfig, log })).toThrow(expect.objectContaining({ code: 'kubeconfig-invalid' }));
});

test('files are merged: the first to name something wins, files that do not exist are passed over', () => {
  const first = write({ name: 'dev', server: 'https://first.example', current: 'dev' });
  const second = write({ name: 'dev', server: 'https://second.example', current: 'other' });
  const third = write({ name: 'test', server: 'https://third.example', namespace: 'shop' });
  const environment = { KUBECONFIG: [join(folder, 'absent'), first, second, third].join(delimiter) };
  expect(chooseContext({ environment, log })).toMatchObject({
    context: 'dev',
    server: 'https://first.example',
    namespace: 'default',
  });
  expect(chooseContext({ environment, context: 'test', log })).toMatchObject({
    server: 'https://third.example',
    namespace: 'shop',
  });
});

const healthy = ({ path }: FakeRequest): FakeAnswer => {
  if (path === '/version') return { gitVersion: 'v1.35.4' };
  if (path.endsWith('/selfsubjectreviews')) return { status: { userInfo: { username: 'anna@example' } } };
  return { metadata: { name: 'shop', uid: '1', resourceVersion: '1' } };
};

async function open(server: FakeApiServer, user: object, namespace = 'shop') {
  return await openCluster({ kubeconfig: write({ server: server.url, user, current: 'dev' }), namespace, log }, never);
}

test('a cluster that answers tells its version and the user', async () => {
  await using server = await FakeApiServer.start(healthy);
  expect(await open(server, { token: 'secret-token' })).toMatchObject({
    context: 'dev',
    server: server.url,
    namespace: 'shop',
    version: 'v1.35.4',
    user: 'anna@example',
  });
  expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(Array(3).fill('Bearer secret-token'));
});

test('a token file is trimmed and relative to the kubeconfig', async () => {
  await using server = await FakeApiServer.start(healthy);
  writeFileSync(join(folder, 'token'), 'from-file\n');
  await open(server, { tokenFile: 'token' });
  expect(server.requests[0]?.headers.authorization).toBe('Bearer from-file');
});

test('a user name and password are sent', async () => {
  await using server = await FakeApiServer.start(healthy);
  await open(server, { username: 'anna', password: 'word' });
  expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from('anna:word').toString('base64')}`);
});

test('impersonation keeps groups', async () => {
  await using server = await FakeApiServer.start(healthy);
  await open(server, { token: 'secret-token', as: 'boris', 'as-groups': ['testers'] });
  expect(server.requests[0]?.headers).toMatchObject({ 'impersonate-user': 'boris', 'impersonate-group': 'testers' });
});

function plugin(script: string): object {
  writeFileSync(join(folder, 'plugin.mjs'), script);
  const exec = {
    apiVersion: 'client.authentication.k8s.io/v1',
    command: process.execPath,
    args: [join(folder, 'plugin.mjs')],
  };
  return {
    exec: { ...exec, env: [{ name: 'WHO', value: 'anna' }], provideClusterInfo: true, interactiveMode: 'IfAvailable' },
  };
}

test('a credential plugin gets its variables and the cluster, and runs once', async () => {
  await using server = await FakeApiServer.start(healthy);
  const script = `
    import { appendFileSync } from 'node:fs';
    appendFileSync(${JSON.stringify(join(folder, 'runs'))}, 'x');
    const { spec, apiVersion } = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
    const token = [process.env.WHO, spec.cluster.server, spec.interactive].join();
    console.log(JSON.stringify({ apiVersion, kind: 'ExecCredential', status: { token } }));`;
  await open(server, plugin(script));
  expect(new Set(server.requests.map(({ headers }) => headers.authorization))).toEqual(
    new Set([`Bearer anna,${server.url},false`]),
  );
  expect(readFileSync(join(folder, 'runs'), 'utf8')).toBe('x');
});

test('a credential plugin that fails is quoted', async () => {
  await using server = await FakeApiServer.start(healthy);
  await expect(open(server, plugin('console.error("please sign in"); process.exit(3)'))).rejects.toMatchObject({
    code: 'credentials-refused',
    why: 'please sign in',
  });
  expect(server.requests).toEqual([]);
});

test('after a 401 the credential plugin is asked once more', async () => {
  await using server = await FakeApiServer.start((request) =>
    String(request.headers.authorization).endsWith('-1') ? 401 : healthy(request),
  );
  const counter = JSON.stringify(join(folder, 'runs'));
  const script = `
    import { appendFileSync, readFileSync } from 'node:fs';
    appendFileSync(${counter}, 'x');
    const token = 'token-' + readFileSync(${counter}, 'utf8').length;
    console.log(JSON.stringify({ kind: 'ExecCredential', status: { token } }));`;
  expect((await open(server, plugin(script))).user).toBe('anna@example');
});

test('a plugin that failed is not asked again for each request that waits', async () => {
  const runs = join(folder, 'runs');
  const script = `
    import { appendFileSync } from 'node:fs';
    appendFileSync(${JSON.stringify(runs)}, 'x');
    process.exit(3);`;
  const { credentials } = chooseContext({ kubeconfig: write({ current: 'dev', user: plugin(script) }), log });
  for (let count = 0; count < 3; count += 1) {
    await expect(credentials.apply({})).rejects.toMatchObject({ code: 'credentials-refused' });
  }
  expect(readFileSync(runs, 'utf8')).toBe('x');
});

test('a credential that ends is asked for again before it does', async () => {
  const counter = JSON.stringify(join(folder, 'runs'));
  const script = `
    import { appendFileSync, readFileSync } from 'node:fs';
    appendFileSync(${counter}, 'x');
    const count = readFileSync(${counter}, 'utf8').length;
    const expirationTimestamp = new Date(Date.now() + (count === 1 ? 5_000 : 3_600_000)).toISOString();
    console.log(JSON.stringify({ kind: 'ExecCredential', status: { token: 'token-' + count, expirationTimestamp } }));`;
  const { credentials } = chooseContext({ kubeconfig: write({ current: 'dev', user: plugin(script) }), log });
  const tokens: unknown[] = [];
  for (let count = 0; count < 3; count += 1) {
    const options: RequestOptions = {};
    await credentials.apply(options);
    tokens.push(options.headers);
  }
  expect(tokens).toMatchObject([1, 2, 2].map((count) => ({ Authorization: `Bearer token-${count}` })));
});

test('a token file that was exchanged is read again after a 401', async () => {
  let good = 'first';
  await using server = await FakeApiServer.start((request) =>
    request.headers.authorization === `Bearer ${good}` ? healthy(request) : 401,
  );
  writeFileSync(join(folder, 'token'), 'first\n');
  const { api } = await open(server, { tokenFile: 'token' });
  writeFileSync(join(folder, 'token'), 'second\n');
  good = 'second';
  const request = { method: 'GET', path: '/version', signal: never } as const;
  expect(await api.request(request, unusedSchema)).toBeDefined();
});

test('certificates in files are read for each connection; one that is missing is told', async () => {
  const [cert, key] = [join(folder, 'client.crt'), join(folder, 'client.key')];
  writeFileSync(cert, 'old certificate');
  writeFileSync(key, 'old key');
  const user = { 'client-certificate': cert, 'client-key': key };
  const { credentials } = chooseContext({ kubeconfig: write({ current: 'dev', user }), log });
  const apply = async () => {
    const options: RequestOptions = {};
    await credentials.apply(options);
    return [options.cert, options.key].map(String);
  };
  expect(await apply()).toEqual(['old certificate', 'old key']);
  writeFileSync(cert, 'new certificate');
  writeFileSync(key, 'new key');
  expect(await apply()).toEqual(['new certificate', 'new key']);
  rmSync(key);
  await expect(apply()).rejects.toMatchObject({ code: 'credentials-refused', why: expect.stringContaining(key) });
});

test('refused credentials are told from a cluster that is away', async () => {
  await using server = await FakeApiServer.start(() => 401);
  await expect(open(server, { token: 'wrong' })).rejects.toMatchObject({ code: 'credentials-refused' });
});

test('nothing listens there: the server and the reason are named', async () => {
  const server = await FakeApiServer.start(healthy);
  const { url } = server;
  await server[Symbol.asyncDispose]();
  const kubeconfig = write({ server: url, current: 'dev' });
  await expect(openCluster({ kubeconfig, log }, never)).rejects.toMatchObject({
    code: 'cluster-unreachable',
    what: expect.stringContaining(url),
    why: expect.stringContaining('ECONNREFUSED'),
  });
});

test('a server that does not answer ends in a timeout', async () => {
  await using server = await FakeApiServer.start(() => () => {});
  const kubeconfig = write({ server: server.url, current: 'dev' });
  await expect(openCluster({ kubeconfig, log, timeout: 50 }, never)).rejects.toMatchObject({
    code: 'cluster-unreachable',
    why: expect.stringContaining('timeout'),
  });
});

test('TLS to a server that speaks none is called a TLS failure', async () => {
  await using server = await FakeApiServer.start(healthy);
  const kubeconfig = write({ server: server.url.replace('http:', 'https:'), current: 'dev' });
  await expect(openCluster({ kubeconfig, log }, never)).rejects.toMatchObject({
    code: 'cluster-unreachable',
    why: expect.stringContaining('TLS'),
  });
});

test('a missing namespace comes with the nearest names', async () => {
  await using server = await FakeApiServer.start((request) => {
    if (request.path === '/api/v1/namespaces/shpo') return 404;
    if (request.path !== '/api/v1/namespaces') return healthy(request);
    return { items: ['default', 'shop'].map((name) => ({ metadata: { name, uid: name, resourceVersion: '1' } })) };
  });
  await expect(open(server, {}, 'shpo')).rejects.toMatchObject({
    code: 'namespace-unknown',
    remedy: 'Did you mean "shop"?',
  });
});

test('a namespace that may not be read is taken on trust', async () => {
  await using server = await FakeApiServer.start((request) =>
    request.path.startsWith('/api/v1/namespaces') ? 403 : healthy(request),
  );
  expect((await open(server, {})).namespace).toBe('shop');
});

test('the proxy of the environment is used and an exception respected', async () => {
  await using server = await FakeApiServer.start(healthy);
  const kubeconfig = write({ server: 'https://k8s.example', current: 'dev' });
  const environment = { HTTPS_PROXY: server.url };
  const through = { agent: undefined };
  await chooseContext({ kubeconfig, environment, log }).credentials.apply(through);
  expect(through.agent).toBeDefined();
  const direct = { agent: undefined };
  await chooseContext({ kubeconfig, environment: { ...environment, NO_PROXY: 'k8s.example' }, log }).credentials.apply(
    direct,
  );
  expect(direct.agent).toBeUndefined();
});
