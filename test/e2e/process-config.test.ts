/**
 * KubernetesLocalProcessConfig.yaml as users of Bridge to Kubernetes have it: the ancestor's own example in each network mode, its
 * errors, and what `config` says of it.
 */
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { apiMounts, apply } from '../apps/files/files.ts';
import { ensurePackages } from '../cluster/packages.ts';
import { grant } from '../stage/developer.ts';
import { asNobody } from '../stage/other-user.ts';
import type { Snapshot } from '../stage/snapshot.ts';
import { awaitDeployment, deploymentOf, namespacesOf } from '../stage/workloads.ts';
import { openWorld, type World } from '../stage/world.ts';
import { type Ended, freePort, placeOptions, runCommand, startCommand } from './command-line.ts';

const namespace = 'e2e-config';
const other = 'e2e-config-other';
const target = 'deployment/stats';
const fileName = 'KubernetesLocalProcessConfig.yaml';
const python = '/usr/bin/python3';

/** The example of the ancestor's documentation, all kinds of entries in one. */
const example = (tokenFolder: string) => `version: 0.1
volumeMounts:
  - name: default-token-*
    localPath: ${tokenFolder}
env:
  - { name: TOKEN_DIR, value: $(volumeMounts:default-token-*) }
  - { name: ALLOW,     value: $(volumeMounts:allow-list)/allow-list }
  - { name: APP1,      value: $(services:myapp1)/api/v1/ }
  - { name: APP2,      value: "$(services:myapp2.${other}:80,443)" }
  - { name: DB_HOST,   value: "$(externalendpoints:db.example.net:1433)" }
  - { name: DEBUG,     value: "true" }
enableFeatures: [ManagedIdentity, Probes, LifecycleHooks]
`;

/** What is wrong in it stands at 4:12 and 6:14. */
const faulty = `version: 0.1
env:
  - name: APP1
    value: $(service:myapp1)/x
  - name: COST
    value: 5 $ each
`;

/** The Service is wrong at 4:12; the rest is as it should be. */
const nowhere = `version: 0.1
env:
  - name: NOWHERE
    value: $(services:nowhere)
  - name: DEBUG
    value: "true"
`;

/** Follows what it got, tells it, and waits to be ended. */
const program = `
import json, os, signal, sys, urllib.request
def tried(action):
    try:
        return action()
    except Exception as error:
        return str(error)
def get(url):
    return tried(lambda: urllib.request.urlopen(url, timeout=10).read().decode().strip())
def read(path):
    return tried(lambda: open(path).read())
names = ["TOKEN_DIR", "ALLOW", "APP1", "APP2", "DB_HOST", "DEBUG", "MSI_ENDPOINT", "MSI_SECRET"]
env = {name: os.environ.get(name, "") for name in names}
got = {
    "env": env,
    "app1": get("http://" + env["APP1"]),
    "app2": get("http://" + env["APP2"] + "/"),
    "allow": read(env["ALLOW"]),
    "account": read(env["TOKEN_DIR"] + "/namespace"),
}
print("got " + json.dumps(got), file=sys.stderr, flush=True)
signal.pause()
`;
const gotSchema = z.object({
  env: z.record(z.string(), z.string()),
  app1: z.string(),
  app2: z.string(),
  allow: z.string(),
  account: z.string(),
});

/** A Deployment whose pod answers its own words, and its Service. */
function served(name: string, path: string, ports: readonly number[], pod: object = {}, container: object = {}) {
  const serve = `mkdir -p /tmp/www${path}; echo ${name} > /tmp/www${path}index.html; exec busybox httpd -f -p 8080 -h /tmp/www`;
  return [
    deploymentOf({ name, command: ['/bin/sh', '-c', serve], port: 8080, pod, container }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: { app: name }, ports: ports.map((port) => ({ name: `p${port}`, port, targetPort: 8080 })) },
    },
  ];
}

let root: World;
let folder: string;
let before: Snapshot;

beforeAll(async () => {
  await ensurePackages(['passt', 'util-linux', 'iproute2']);
  root = await openWorld(namespace, async (kubectl) => {
    await apply(kubectl, namespacesOf([namespace, other]));
    await grant(kubectl, other, ['names']);
    const stats = served(
      'stats',
      '/',
      [80],
      { volumes: [{ name: 'allow-list', configMap: { name: 'allow-list' } }] },
      {
        volumeMounts: [{ name: 'allow-list', mountPath: '/etc/allow' }],
        // The program of this test does not answer it.
        livenessProbe: { tcpSocket: { port: 8080 }, initialDelaySeconds: 600 },
        lifecycle: { preStop: { httpGet: { path: '/end', port: 8080 } } },
      },
    );
    const allowed = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'allow-list' },
      data: { 'allow-list': 'everybody\n' },
    };
    await apply(kubectl, [allowed, ...stats, ...served('myapp1', '/api/v1/', [80])], namespace);
    await apply(kubectl, served('myapp2', '/', [80, 443]), other);
    await Promise.all([
      awaitDeployment(kubectl, 'stats', namespace),
      awaitDeployment(kubectl, 'myapp1', namespace),
      awaitDeployment(kubectl, 'myapp2', other),
    ]);
    return { kubectl, namespace, request: async () => '' };
  });
});
afterAll(async () => {
  await root?.shop.kubectl.run(['delete', 'namespace', other, '--wait=false', '--ignore-not-found']);
  await root?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-config-'));
  before = await root.snapshot();
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await root.asBefore(before);
});

/** Writes the file beside the program, which is the user's own. */
function write(text: string, uid = 0): void {
  writeFileSync(join(folder, fileName), text);
  for (const path of [folder, join(folder, fileName)]) chownSync(path, uid, uid);
}

/** The world as it is seen from the folder of the file. */
function inFolder(world: World): World {
  return { ...world, product: ['env', '-C', folder, ...world.product] };
}

async function options(world: World, network: string): Promise<readonly string[]> {
  const port = network === 'namespace' ? 8080 : await freePort();
  return ['--target', target, '--network', network, '--port', `8080:${port}`, ...placeOptions(world)];
}

/** Runs Python code in a session of mode env, in the folder of the file. */
async function run(code: string, ...more: readonly string[]): Promise<Ended> {
  return runCommand(inFolder(root), ['run', ...(await options(root, 'env')), ...more, '--', python, '-c', code]);
}

describe.each(['hosts', 'namespace', 'env'] as const)('the ancestor’s example in mode %s', (mode) => {
  it('gives the program what its documentation says', async () => {
    await using world = mode === 'namespace' ? asNobody(root) : { ...root, [Symbol.asyncDispose]: async () => {} };
    // Only a private network has a place of its own for the path that the documentation shows.
    const tokenFolder = mode === 'namespace' ? apiMounts.account : join(folder, 'token');
    write(example(tokenFolder), world.uid);
    const place = await options(world, mode);
    const command = startCommand(inFolder(world), ['run', ...place, '--', python, '-c', program]);
    await using _ended = {
      [Symbol.asyncDispose]: async () => {
        command.kill('SIGTERM');
        await command.ended;
      },
    };
    await command.saw(/^got \{.*\}$/m);
    const got = gotSchema.parse(JSON.parse(/^got (.*)$/m.exec(command.stderr())?.[1] ?? ''));
    const { env } = got;
    expect(got).toMatchObject({ app1: 'myapp1', app2: 'myapp2', allow: 'everybody\n', account: namespace });
    expect(env).toMatchObject({ TOKEN_DIR: tokenFolder, DEBUG: 'true', MSI_SECRET: 'placeholder' });
    const address = mode === 'env' ? String.raw`127\.0\.0\.1:\d+` : String.raw`\d+\.\d+\.\d+\.\d+`;
    expect(env.APP1).toMatch(new RegExp(`^${address}/api/v1/$`));
    expect(env.APP2).toMatch(new RegExp(`^${address}$`));
    if (mode === 'hosts') expect(env.APP1).toMatch(/^127\./);
    expect(env.ALLOW).toMatch(mode === 'namespace' ? /^\/etc\/allow\/allow-list$/ : /^\/.+\/allow-list$/);
    const identity = 'managedidentityforbridgetokubernetes';
    if (mode === 'env') expect(env.DB_HOST).toMatch(/^127\.0\.0\.1(:\d+)?$/);
    else expect(env.DB_HOST).toBe('db.example.net');
    const endpoint = new RegExp(`^http://${mode === 'env' ? address : identity}/metadata/identity/oauth2/token$`);
    expect(env.MSI_ENDPOINT).toMatch(endpoint);

    // Probes and LifecycleHooks stay on the agent, as far as it can have them.
    const path = 'jsonpath={.spec.template.spec.containers[0]}';
    const container = await root.shop.kubectl.run(['get', target, '-n', namespace, '-o', path]);
    expect(JSON.parse(container)).toMatchObject({
      image: root.place.agentImage,
      livenessProbe: { tcpSocket: { port: 8080 } },
      lifecycle: { preStop: { httpGet: { path: '/end', port: 8080 } } },
    });
    expect(command.stderr()).toContain('Its liveness probe is kept');

    const explained = await runCommand(inFolder(world), ['config', '--explain', ...place]);
    expect(explained.code).toBe(0);
    expect(explained.stdout).toContain(env.APP1);

    command.kill('SIGTERM');
    expect((await command.ended).code).toBe(128 + 15);
    await root.asBefore(before, world.state);
  });
});

describe('without a session', () => {
  it('"config --explain" prints what the file means', async () => {
    write(example('./token'));
    const { code, stdout } = await runCommand(inFolder(root), ['config', '--explain']);
    expect(code).toBe(0);
    for (const word of ['myapp1', `myapp2.${other}`, 'db.example.net', '1433', 'allow-list', 'default-token-*']) {
      expect(stdout).toContain(word);
    }
    for (const word of ['DEBUG', 'ManagedIdentity', 'Probes', 'LifecycleHooks']) expect(stdout).toContain(word);
    const json = await runCommand(root, ['config', join(folder, fileName), '--explain', '--format', 'json']);
    expect(json.code).toBe(0);
    expect(JSON.stringify(JSON.parse(json.stdout))).toContain('db.example.net');
  });

  it('"config" tells all errors at once, each with its place', async () => {
    write(faulty);
    const { code, stdout, stderr } = await runCommand(inFolder(root), ['config', '--explain']);
    expect(code).toBe(2);
    for (const place of ['4:12', '6:14']) expect(`${stdout}${stderr}`).toContain(`${fileName}:${place}`);
    expect(`${stdout}${stderr}`).toContain('"services"');
  });

  it.each([
    ['a token that does not exist', faulty, /KubernetesLocalProcessConfig\.yaml:4:12: .*\$\(service:myapp1\)/],
    ['text that is no YAML', 'version: 0.1\nenv: [\n', /KubernetesLocalProcessConfig\.yaml:\d+:\d+: .*YAML/],
    ['an unknown key', 'version: 0.1\nenvs: []\n', /KubernetesLocalProcessConfig\.yaml:2:1: .*"envs"/],
  ])('"run" refuses %s before anything is changed', async (_, text, told) => {
    write(text);
    const { code, stdout, stderr } = await run('print("started")');
    expect(stderr).toMatch(/^error \(bad-value\): /m);
    expect(stderr).toMatch(told);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });
});

describe('a Service that is not there', () => {
  const tell = 'import json, os; print(json.dumps([os.environ.get(name) for name in ("NOWHERE", "DEBUG")]))';

  it('is an error with its place, and all is undone', async () => {
    write(nowhere);
    const { code, stdout, stderr } = await run(tell);
    expect(stderr).toMatch(/^error \(/m);
    expect(stderr).toContain(`${fileName}:4:12`);
    expect(stderr).toContain('nowhere');
    expect(code).not.toBe(0);
    expect(stdout).toBe('');
  });

  it('is left out where the user says so, and the rest goes on', async () => {
    write(nowhere);
    const { code, stdout, stderr } = await run(tell, '--on-unresolved', 'leave-out');
    expect(JSON.parse(stdout)).toEqual([null, 'true']);
    expect(stderr).toContain(`${fileName}:4:12`);
    expect(code).toBe(0);
  });

  it('is nothing to those who do not want the file', async () => {
    write(nowhere);
    const { code, stdout, stderr } = await run(tell, '--no-process-config');
    expect(JSON.parse(stdout)).toEqual([null, null]);
    expect(stderr).not.toContain(fileName);
    expect(code).toBe(0);
  });

  it('is found in a file by another name too', async () => {
    const file = join(folder, 'other.yaml');
    writeFileSync(file, nowhere);
    const { code, stderr } = await run(tell, '--process-config', file);
    expect(stderr).toContain('other.yaml:4:12');
    expect(code).not.toBe(0);
  });
});
