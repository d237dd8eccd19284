/**
 * The network goes and comes back, in all the ways in which it does. The same debug session goes on: it stops at breakpoints,
 * names answer, and its user is told once when it begins and once when it is over.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { z } from 'zod';
import type { DapClient } from '../dap-client.ts';
import type { Snapshot } from '../stage/snapshot.ts';
import { isDaemon, openWorld, processesOf, type World } from '../stage/world.ts';
import { launchCart, localsAtStop } from './cart-session.ts';
import { runCommand } from './command-line.ts';

const namespace = 'e2e-reconnect';
let world: World;
let before: Snapshot;
let client: DapClient;
/** Removes what a test itself added to the cluster, when its session has ended. */
const cleanups: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  world = await openWorld(namespace);
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(async () => {
  before = await world.snapshot();
});
afterEach(async () => {
  await world.cluster.restore();
  await client.request('disconnect', { terminateDebuggee: true });
  client.endInput();
  expect((await client.exited).code).toBe(0);
  await vi.waitFor(() => expect(processesOf(world.state)).toEqual([]), patience);
  for (const cleanup of cleanups.splice(0)) await cleanup();
  await world.asBefore(before);
});

/** A request from inside the cluster stops at the breakpoint; the names of the program lead into the cluster. */
async function stopsAndAnswers(): Promise<void> {
  const page = world.shop.request('http://web/json');
  page.catch(() => {});
  const { threadId, locals } = await localsAtStop(client);
  // They came from redis and prices, by name.
  expect(locals.get('items')).toContain("'Espresso': 2");
  expect(locals.get('prices')).toMatch(/'Espresso': \d+/);
  await client.request('continue', { threadId });
  expect(JSON.parse(await page)).toMatchObject({ cartServedBy: expect.stringMatching(/^this computer/) });
}

/** What the user was told of the network, in order. */
function told(): readonly string[] {
  return client
    .events<{ output: string }>('output')
    .flatMap(({ output }) => /^.*(cannot be reached since|reachable again).*$/m.exec(output)?.[1] ?? []);
}

const outageOnce = ['cannot be reached since', 'reachable again'];

const statusSchema = z.array(
  z.object({
    status: z.object({
      connection: z.object({
        pods: z.array(z.object({ name: z.string(), answering: z.boolean() })),
        outage: z.object({ since: z.string(), why: z.string() }).optional(),
      }),
    }),
  }),
);

/** What `status` says of the session's road to the cluster. */
async function status(): Promise<z.infer<typeof statusSchema>[number]['status']['connection']> {
  const { stdout } = await runCommand(world, ['status', '--json']);
  const [session] = statusSchema.parse(JSON.parse(stdout));
  if (session === undefined) throw new Error(`no session: ${stdout}`);
  return session.status.connection;
}

const patience = { timeout: 60_000, interval: 200 };

/** Both pods have a tunnel that works. */
async function whole(): Promise<void> {
  await vi.waitFor(async () => {
    const { pods, outage } = await status();
    expect(pods.map(({ answering }) => answering)).toEqual([true, true]);
    expect(outage).toBeUndefined();
  }, patience);
}

async function apiServerPid(): Promise<number> {
  const cluster = await world.cluster.status();
  const components = 'detail' in cluster ? cluster.detail.node.components : [];
  const pid = components.find(({ name }) => name === 'kube-apiserver')?.outsidePid;
  if (pid === undefined || pid === 0) throw new Error(`no API server in ${JSON.stringify(cluster)}`);
  return pid;
}

function daemonPid(): number {
  const daemon = processesOf(world.state).find(({ command }) => isDaemon(command));
  if (daemon === undefined) throw new Error('there is no daemon');
  return daemon.pid;
}

describe('the debug session goes on', () => {
  it('when the road is cut by resets, for a moment and for longer; the user is told once of the longer one', async () => {
    client = await launchCart(world);
    await stopsAndAnswers();
    await world.cluster.cut(1_000, { reset: true });
    await whole();
    await stopsAndAnswers();

    const toldBefore = told().length;
    await world.cluster.cut(0, { reset: true });
    await vi.waitFor(() => expect(told().slice(toldBefore)).toHaveLength(1), patience);
    const cut = await status();
    expect(cut.pods).toEqual([]);
    expect(cut.outage?.why).toContain('cannot be reached');
    await delay(5_000);
    await world.cluster.restore();
    await vi.waitFor(() => expect(told().slice(toldBefore)).toEqual(outageOnce), patience);
    await whole();
    await stopsAndAnswers();
    expect(told().slice(toldBefore)).toEqual(outageOnce);
  });

  it('when the road is frozen for so long that both ends give up', async () => {
    client = await launchCart(world);
    await world.cluster.cut(25_000);
    await vi.waitFor(async () => {
      const { pods, outage } = await status();
      expect(outage).toBeDefined();
      expect(pods.filter(({ answering }) => answering)).toEqual([]);
    }, patience);
    await vi.waitFor(() => expect(told()).toEqual(outageOnce), patience);
    await whole();
    await stopsAndAnswers();
    expect(told()).toEqual(outageOnce);
  });

  it('when the API server is killed and starts again', async () => {
    client = await launchCart(world);
    process.kill(await apiServerPid(), 'SIGKILL');
    await world.cluster.restart('kube-apiserver');
    await whole();
    await stopsAndAnswers();
  });

  it('when the computer sleeps: the daemon stands still for 25 s', async () => {
    client = await launchCart(world);
    const pid = daemonPid();
    process.kill(pid, 'SIGSTOP');
    await delay(25_000);
    process.kill(pid, 'SIGCONT');
    await whole();
    await stopsAndAnswers();
  });

  it('when its pods are deleted', async () => {
    client = await launchCart(world);
    const old = (await status()).pods.map(({ name }) => name);
    await world.shop.kubectl.run(['delete', 'pod', '-n', namespace, '--wait=false', ...old]);
    await vi.waitFor(async () => {
      const { pods } = await status();
      expect(pods).toHaveLength(2);
      expect(pods.filter(({ name }) => old.includes(name))).toEqual([]);
    }, patience);
    await stopsAndAnswers();
  });

  it('when its token ends and another one is in the file', async () => {
    const { kubectl } = world.shop;
    const tokens = await tokenUser();
    client = await launchCart(world, true, { kubeconfig: tokens.kubeconfig });
    // A token is bound to its Secret: without it, it is worth nothing.
    await kubectl.run(['delete', 'secret', '-n', namespace, 'token-1']);
    await vi.waitFor(async () => expect(await accepts(tokens.first)).toBe(false), patience);
    // New connections need the new token.
    await world.cluster.cut(500, { reset: true });
    await delay(2_000);
    writeFileSync(tokens.file, await boundToken('token-2'));
    await whole();
    await stopsAndAnswers();
  });
});

/** A service account with the developer's Roles, whose kubeconfig names a token file. */
async function tokenUser(): Promise<{ kubeconfig: string; file: string; first: string }> {
  const { kubectl } = world.shop;
  await kubectl.run(['create', 'serviceaccount', 'walker', '-n', namespace]);
  cleanups.push(() => kubectl.run(['delete', 'serviceaccount', 'walker', '-n', namespace]));
  const list = z.object({
    items: z.array(z.looseObject({ roleRef: z.unknown(), metadata: z.looseObject({ name: z.string() }) })),
  });
  const subjects = [{ kind: 'ServiceAccount', name: 'walker', namespace }];
  for (const place of [namespace, 'default']) {
    const { items } = list.parse(await kubectl.json(['get', 'rolebindings', '-n', place]));
    for (const { roleRef, metadata } of items) {
      const binding = {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name: `${metadata.name}-walker`, namespace: place },
        roleRef,
        subjects,
      };
      await kubectl.run(['apply', '-f', '-'], JSON.stringify(binding));
      const name = binding.metadata.name;
      cleanups.push(() => kubectl.run(['delete', 'rolebinding', name, '-n', place]));
    }
  }
  const first = await boundToken('token-1');
  const file = join(world.state, 'token');
  writeFileSync(file, first);
  const config = parse(readFileSync(world.place.kubeconfig, 'utf8'));
  for (const { user } of config.users) {
    for (const key of Object.keys(user)) delete user[key];
    user.tokenFile = file;
  }
  const kubeconfig = join(world.state, 'kubeconfig');
  writeFileSync(kubeconfig, stringify(config));
  return { kubeconfig, file, first };
}

/** A token that lives as long as a Secret of this name. */
async function boundToken(secret: string): Promise<string> {
  const { kubectl } = world.shop;
  await kubectl.run(['create', 'secret', 'generic', secret, '-n', namespace]);
  cleanups.push(() => kubectl.run(['delete', 'secret', secret, '-n', namespace, '--ignore-not-found']));
  const bound = ['--bound-object-kind', 'Secret', '--bound-object-name', secret];
  return (await kubectl.run(['create', 'token', 'walker', '-n', namespace, ...bound])).trim();
}

/** Whether the API server still takes a token. */
async function accepts(token: string): Promise<boolean> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
  const answer = await world.shop.kubectl.run(['create', '-f', '-', '-o', 'json'], JSON.stringify(review));
  return z.object({ status: z.object({ authenticated: z.boolean().default(false) }) }).parse(JSON.parse(answer)).status
    .authenticated;
}
