/**
 * Kubernetes' own client libraries for Python, Go and Node, in a session on the real cluster: with nothing but their
 * in-cluster configuration they see what a client in the pod sees. And the tokens that they are given.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import {
  type ClientAnswer,
  type ClientLanguage,
  clientLanguages,
  copiedApiClient,
  readAnswer,
} from '../api-clients/api-clients.ts';
import { askInPod, deployReader, readerUser, shortToken } from '../api-clients/deploy.ts';
import { ensurePackages } from '../cluster/packages.ts';
import { asNobody } from '../stage/other-user.ts';
import type { Snapshot } from '../stage/snapshot.ts';
import { openWorld, type World } from '../stage/world.ts';
import { freePort } from './command-line.ts';
import { startWorkbench, type Workbench } from './workbench.ts';

const namespace = 'e2e-api-clients';
const patience = { timeout: 60_000, interval: 200 };
const buildMilliseconds = 900_000;
let root: World;
let programs: string;
let inPod: ClientAnswer;
const commands = new Map<ClientLanguage, readonly string[]>();

beforeAll(async () => {
  await ensurePackages(['passt', 'util-linux', 'iproute2']);
  // Nobody may not enter the cache of root.
  programs = mkdtempSync(join(tmpdir(), 'kubernetes-local-api-clients-'));
  chmodSync(programs, 0o755);
  const onProgress = (text: string) => process.stderr.write(`${text}\n`);
  for (const language of clientLanguages) {
    commands.set(language, await copiedApiClient(language, programs, onProgress));
  }
  root = await openWorld(namespace, deployReader);
  inPod = await askInPod(root.shop.kubectl, namespace, join(programs, 'go', 'reader'));
}, buildMilliseconds);
afterAll(async () => {
  if (programs !== undefined) rmSync(programs, { recursive: true, force: true });
  await root?.[Symbol.asyncDispose]();
});

/** The clients list all pods: one of a reaper would be one more. */
const alone = ['--reaper', 'never'];

const named = z.object({ items: z.array(z.object({ metadata: z.object({ name: z.string() }) })) });

/** The names of all pods, as the API server tells an administrator. */
async function podNames(): Promise<readonly string[]> {
  const { items } = named.parse(await root.shop.kubectl.json(['get', 'pods', '-n', namespace]));
  return items.map(({ metadata }) => metadata.name).sort();
}

/** What a session replaced is gone a moment later: until then the clients would see one pod more, or one less. */
async function onlyTheNewPods(): Promise<void> {
  await vi.waitFor(async () => expect(await podNames()).toHaveLength(2), patience);
}

it('sees in the pod what the manifest says', () => {
  expect(inPod).toEqual({
    server: expect.stringMatching(/^https:\/\/\d+\.\d+\.\d+\.\d+:443$/),
    namespace,
    pods: [expect.stringMatching(/^reader-/), expect.stringMatching(/^tokens-/)],
    configMap: 'grüß dich, $(whoever)',
    whoami: readerUser(namespace),
  });
});

/** Where a client finds the API server in each mode. */
const servers = {
  namespace: () => inPod.server,
  // The certificate holds that name, and no address of this computer.
  hosts: () => 'https://kubernetes.default:443',
  env: () => expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+$/),
} as const;

describe.each([
  { mode: 'namespace', user: 'nobody' },
  { mode: 'namespace', user: 'root' },
  { mode: 'hosts', user: 'root' },
  { mode: 'env', user: 'nobody' },
] as const)('mode $mode as $user', ({ mode, user }) => {
  let world: World;
  let before: Snapshot;
  let bench: Workbench;

  beforeAll(async () => {
    world = user === 'nobody' ? asNobody(root) : root;
    before = await root.snapshot();
    const port = mode === 'namespace' ? 8080 : await freePort();
    bench = await startWorkbench(world, [
      ...alone,
      '--target',
      'deployment/reader',
      '--network',
      mode,
      '--port',
      `8080:${port}`,
    ]);
    await onlyTheNewPods();
  });
  afterAll(async () => {
    const code = await bench?.end();
    await root.asBefore(before, world.state);
    if (world !== root) await world[Symbol.asyncDispose]();
    expect(code).not.toBe(null);
  });

  async function ask(language: ClientLanguage, options: readonly string[] = []): Promise<ClientAnswer> {
    const [env = '', ...words] = commands.get(language) ?? [];
    // At its own path the token is found without any help of ours.
    const unset = mode === 'namespace' ? ['--unset=KUBERNETES_LOCAL_MOUNTS'] : [];
    const { code, stdout, stderr } = await bench.run([env, ...unset, ...words, ...options]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return readAnswer(stdout);
  }

  it.each(clientLanguages)('the client in %s sees what a pod sees', async (language) => {
    expect(await ask(language)).toEqual({ ...inPod, server: servers[mode](), pods: await podNames() });
  });

  // The certificate of this cluster holds 127.0.0.1 too; those of many others do not, and this is the way there.
  it.each(clientLanguages)('the client in %s can check the certificate for a name of the cluster', async (language) => {
    const answer = await ask(language, ['--server-name', 'kubernetes.default.svc']);
    expect(answer).toMatchObject({ whoami: inPod.whoami, server: servers[mode]() });
  });
});

const claimsSchema = z.object({
  aud: z.array(z.string()),
  sub: z.string(),
  iat: z.number(),
  exp: z.number(),
  'kubernetes.io': z.object({
    namespace: z.string(),
    pod: z.object({ name: z.string(), uid: z.string() }),
    serviceaccount: z.object({ name: z.string() }),
  }),
});

function claimsOf(token: string) {
  const [, payload = ''] = token.split('.');
  return claimsSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
}

const reviewSchema = z.object({
  status: z.object({
    authenticated: z.boolean().default(false),
    audiences: z.array(z.string()).default([]),
    user: z.object({ username: z.string().default('') }).default({ username: '' }),
  }),
});

/** What the API server says of a token that is shown to it for this audience. */
async function review(token: string, audience: string) {
  const asked = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences: [audience] },
  };
  const answer = await root.shop.kubectl.run(['create', '-f', '-', '-o', 'json'], JSON.stringify(asked));
  return reviewSchema.parse(JSON.parse(answer)).status;
}

const podSchema = z.object({
  metadata: z.object({ uid: z.string(), labels: z.record(z.string(), z.string()) }),
});

describe('a projected token of its own', () => {
  let world: World;
  let before: Snapshot;
  let bench: Workbench | undefined;
  let token: string;

  beforeAll(async () => {
    world = asNobody(root);
    before = await root.snapshot();
    bench = await startWorkbench(world, [...alone, '--target', 'deployment/tokens', '--network', 'namespace']);
    await onlyTheNewPods();
    const read = await bench.run(['/usr/bin/env', `--chdir=${shortToken.folder}`, 'cat', shortToken.file]);
    expect({ code: read.code, stderr: read.stderr }).toEqual({ code: 0, stderr: '' });
    token = read.stdout;
  });
  afterAll(async () => {
    await bench?.end();
    await root.asBefore(before, world.state);
    await world[Symbol.asyncDispose]();
  });

  it('is for the audience and the time that the pod asks for', () => {
    const { aud, sub, iat, exp } = claimsOf(token);
    expect({ aud, sub, seconds: exp - iat }).toEqual({
      aud: [shortToken.audience],
      sub: readerUser(namespace),
      seconds: shortToken.seconds,
    });
  });

  it('is bound to the pod of the session', async () => {
    const claims = claimsOf(token)['kubernetes.io'];
    expect(claims).toMatchObject({ namespace, serviceaccount: { name: 'reader' } });
    const pod = podSchema.parse(await root.shop.kubectl.json(['get', 'pod', claims.pod.name, '-n', namespace]));
    expect(pod.metadata).toMatchObject({ uid: claims.pod.uid, labels: { app: 'tokens' } });
  });

  it('is accepted for that audience alone', async () => {
    expect(await review(token, shortToken.audience)).toEqual({
      authenticated: true,
      audiences: [shortToken.audience],
      user: { username: readerUser(namespace) },
    });
    expect(await review(token, 'https://cart.example')).toMatchObject({ authenticated: false });
  });

  it('is worth nothing when the session has ended', async () => {
    await bench?.end();
    bench = undefined;
    await expect.poll(async () => (await review(token, shortToken.audience)).authenticated, patience).toBe(false);
  });
});
