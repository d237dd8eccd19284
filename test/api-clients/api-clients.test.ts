/** The API clients outside a cluster: what they say is missing, and what they do before an API server of the test's own. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensurePackages } from '../cluster/packages.ts';
import { apiClient, type ClientLanguage, clientLanguages, copiedApiClient, readAnswer } from './api-clients.ts';

const account = '/var/run/secrets/kubernetes.io/serviceaccount';
const namespace = 'shop';
const user = `system:serviceaccount:${namespace}:reader`;
const buildMilliseconds = 900_000;

let folder: string;
let server: Server;
let port: number;
/** What the server was asked for since the test began. */
const asked: { readonly path: string; readonly authorization: string | undefined }[] = [];

const resources: Readonly<Record<string, object>> = {
  [`GET /api/v1/namespaces/${namespace}/pods`]: {
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: {},
    items: ['reader-2', 'reader-1'].map((name) => ({ metadata: { name, namespace }, spec: { containers: [] } })),
  },
  [`GET /api/v1/namespaces/${namespace}/configmaps/settings`]: {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'settings', namespace },
    data: { GREETING: 'grüß dich' },
  },
  'POST /apis/authentication.k8s.io/v1/selfsubjectreviews': {
    kind: 'SelfSubjectReview',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: {},
    status: { userInfo: { username: user } },
  },
};
const forbidden = {
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  reason: 'Forbidden',
  message: 'pods is forbidden: this token may read nothing',
  code: 403,
};

beforeAll(async () => {
  await ensurePackages(['openssl']);
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-api-clients-'));
  mkdirSync(join(folder, account), { recursive: true });
  const [key, certificate] = [join(folder, 'key.pem'), join(folder, account, 'ca.crt')];
  // Like that of many API servers, it holds no address of this computer.
  const names = 'subjectAltName=DNS:kubernetes.default,DNS:localhost';
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc', '-days', '2'];
  const where = ['-subj', '/CN=kube-apiserver', '-addext', names, '-keyout', key, '-out', certificate];
  await promisify(execFile)('openssl', ['req', '-x509', ...kind, ...where]);
  writeFileSync(join(folder, account, 'namespace'), namespace);
  server = createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, (request, response) => {
    const { method, url = '', headers } = request;
    const { pathname } = new URL(url, 'https://kubernetes.default');
    asked.push({ path: pathname, authorization: headers.authorization });
    const mayRead = headers.authorization?.split(' ')[1] === 'good-token';
    const found = mayRead ? resources[`${method} ${pathname}`] : forbidden;
    const code = mayRead ? (method === 'POST' ? 201 : 200) : 403;
    request.resume();
    response.writeHead(found ? code : 404, { 'content-type': 'application/json' }).end(JSON.stringify(found ?? {}));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  port = address.port;
  for (const language of clientLanguages) await apiClient(language);
}, buildMilliseconds);
afterAll(() => {
  server?.close();
  server?.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  asked.length = 0;
  writeFileSync(join(folder, account, 'token'), 'good-token');
});

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function start(command: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    execFile(program, args, { env: { PATH: process.env.PATH, ...env } }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

async function ask(
  language: ClientLanguage,
  env: Readonly<Record<string, string>>,
  options: readonly string[] = [],
): Promise<Ended> {
  return start([...(await apiClient(language)), ...options], env);
}

/** The variables of a session, with the server at this name. */
const session = (host: string) => ({
  KUBERNETES_SERVICE_HOST: host,
  KUBERNETES_SERVICE_PORT: String(port),
  KUBERNETES_LOCAL_MOUNTS: folder,
});

const oneLine = /^[^\n]+\n$/;

describe.each(clientLanguages)('the API client in %s', (language) => {
  it('says which variable is missing', async () => {
    const stderr = 'not in a cluster: KUBERNETES_SERVICE_HOST is not set\n';
    expect(await ask(language, {})).toEqual({ code: 2, stdout: '', stderr });
    const { KUBERNETES_SERVICE_PORT: _port, ...rest } = session('127.0.0.1');
    expect(await ask(language, rest)).toMatchObject({ code: 2, stderr: expect.stringMatching(/_PORT is not set\n$/) });
  });

  it('says where it looked for the token', async () => {
    const { KUBERNETES_LOCAL_MOUNTS: _mounts, ...rest } = session('127.0.0.1');
    const none = `not in a cluster: there is no token in ${account}`;
    expect(await ask(language, rest)).toEqual({ code: 2, stdout: '', stderr: `${none}\n` });
    const elsewhere = { ...rest, KUBERNETES_LOCAL_MOUNTS: '/no/such/folder' };
    const stderr = `${none} or /no/such/folder${account}\n`;
    expect(await ask(language, elsewhere)).toEqual({ code: 2, stdout: '', stderr });
  });

  it('refuses a wrong command line', async () => {
    expect(await ask(language, {}, ['--no-such-option'])).toMatchObject({ code: 2, stdout: '' });
  });

  it('takes the token and the authority from KUBERNETES_LOCAL_MOUNTS', async () => {
    const { code, stdout, stderr } = await ask(language, session('localhost'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readAnswer(stdout)).toEqual({
      server: `https://localhost:${port}`,
      namespace,
      pods: ['reader-1', 'reader-2'],
      configMap: 'grüß dich',
      whoami: user,
    });
    expect(asked.map(({ path }) => path)).toHaveLength(3);
    for (const { authorization } of asked) expect(authorization).toMatch(/^bearer good-token$/i);
  });

  it('finds them at their own path with nothing but the in-cluster configuration of the library', async () => {
    const { KUBERNETES_LOCAL_MOUNTS: _mounts, ...variables } = session('localhost');
    // /var/run is /run, and in a mount namespace of its own that is free to be another one.
    const script = `mount -t tmpfs none /run && mkdir -p ${account} && cp "$0"/* ${account} && exec "$@"`;
    const inside = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c', script, join(folder, account)];
    const { code, stdout, stderr } = await start([...inside, ...(await apiClient(language))], variables);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readAnswer(stdout)).toMatchObject({ server: `https://localhost:${port}`, namespace, whoami: user });
  });

  it('refuses a certificate that does not hold the address, and sends no token there', async () => {
    const { code, stdout, stderr } = await ask(language, session('127.0.0.1'));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(oneLine);
    expect(stderr).toMatch(/certificate|altnames/i);
    expect(stderr).toContain('127.0.0.1');
    expect(asked).toEqual([]);
  });

  it('accepts it with the name that it does hold', async () => {
    const { code, stdout, stderr } = await ask(language, session('127.0.0.1'), ['--server-name', 'kubernetes.default']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(readAnswer(stdout)).toMatchObject({ server: `https://127.0.0.1:${port}`, whoami: user });
  });

  it('checks the certificate for that name', async () => {
    const { code, stderr } = await ask(language, session('localhost'), ['--server-name', 'kubernetes.other']);
    expect(code).toBe(1);
    expect(stderr).toContain('kubernetes.other');
    expect(asked).toEqual([]);
  });

  it('says why the API server refuses', async () => {
    writeFileSync(join(folder, account, 'token'), 'other-token');
    const { code, stdout, stderr } = await ask(language, session('localhost'));
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(oneLine);
    expect(stderr).toContain(forbidden.message);
  });

  it('works where it is copied to', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'kubernetes-local-api-client-'));
    try {
      expect((await start(await copiedApiClient(language, copy), session('localhost'))).code).toBe(0);
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
});

it('what is built is not built again', async () => {
  const told: string[] = [];
  for (const language of clientLanguages) await apiClient(language, (text) => told.push(text));
  expect(told).toEqual([]);
});
