/** Two users on one workload: told, waiting, taking over, sharing; and one user with two workloads. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { hostname, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import type { Snapshot } from '../stage/snapshot.ts';
import { openWorld, processesOf, type World } from '../stage/world.ts';
import { launchCart } from './cart-session.ts';
import { freePort, placeOptions, type RunningCommand, runCommand, startCommand } from './command-line.ts';

const namespace = 'e2e-sharing';
const python = '/usr/bin/python3';
const undone = 'Everything is as it was before.';
/** Both users are this one; they have a computer each, as far as kubernetes-local can tell. */
const me = `${userInfo().username} on ${hostname()}`;
const running = new Set<RunningCommand>();
let anna: World;
let boris: World;
let before: Snapshot;
let server: Server;
let port: number;

beforeAll(async () => {
  anna = await openWorld(namespace);
  const state = mkdtempSync(join(tmpdir(), 'kubernetes-local-other-'));
  boris = { ...anna, state, environment: { ...anna.environment, KUBERNETES_LOCAL_STATE: state } };
  port = await freePort();
  server = createServer((_, response) => response.end('anna\n')).listen(port, '127.0.0.1');
});
afterAll(async () => {
  server?.close();
  if (boris !== undefined) rmSync(boris.state, { recursive: true, force: true });
  await anna?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  before = await anna.snapshot();
});
afterEach(async () => {
  for (const command of running) command.kill('SIGTERM');
  await Promise.all([...running].map(({ ended }) => ended));
  running.clear();
  await Promise.all([anna, boris].map((user) => runCommand(user, ['disconnect', ...place('cart')])));
  await Promise.all([anna, boris].map((user) => user.asBefore(before, user.state)));
});

function place(target: string): readonly string[] {
  return ['--target', target, '--kubeconfig', anna.place.kubeconfig, '--namespace', namespace];
}

function start(user: World, command: string, more: readonly string[], program: readonly string[] = []): RunningCommand {
  const options = ['--target', 'cart', '--network', 'env', ...placeOptions(user), ...more];
  const started = startCommand(user, [command, ...options, ...(program.length > 0 ? ['--', ...program] : [])]);
  running.add(started);
  void started.ended.finally(() => running.delete(started));
  return started;
}

async function connected(user: World, ...more: readonly string[]): Promise<RunningCommand> {
  const command = start(user, 'connect', ['--port', `http:${port}`, ...more]);
  await command.saw('Ready.');
  return command;
}

const statusSchema = z.array(
  z.object({
    status: z.object({
      pid: z.number(),
      session: z.string(),
      connection: z.object({ guests: z.array(z.string()).optional(), guestOf: z.string().optional() }).optional(),
    }),
  }),
);
async function statusOf(user: World) {
  const { stdout } = await runCommand(user, ['status', '--json']);
  return statusSchema.parse(JSON.parse(stdout)).map(({ status }) => status);
}

/** The session whose mark the workload carries. */
async function mark(): Promise<string> {
  const path = '{.metadata.annotations.kubernetes-local/session}';
  return anna.shop.kubectl.run(['get', 'deployment/cart', '-n', namespace, '-o', `jsonpath=${path}`]);
}

it('who comes second is told who has it since when, may wait, and gets it when it is free', async () => {
  const first = await connected(anna);
  const [told, inVain] = await Promise.all([
    start(boris, 'connect', []).ended,
    startCommand({ ...boris, environment: { ...boris.environment, KUBERNETES_LOCAL_STATE: `${boris.state}/more` } }, [
      ...['connect', '--wait=1s', '--target', 'deployment/cart', ...placeOptions(boris)],
    ]).ended,
  ]);
  expect(told.code).toBe(4);
  expect(told.stderr).toContain(`error (target-held): deployment/cart is replaced by ${me}.`);
  expect(told.stderr).toMatch(/The session began at 20\d\d-\S+ and is alive\.\s.*--wait.*--share.*--force/);
  expect(inVain.code).toBe(4);
  expect(inVain.stderr).toContain('deployment/cart was not free within 1 s.');

  const second = start(boris, 'run', ['--wait=5m'], [python, '-c', 'print("mine")']);
  await second.saw(new RegExp(`Waiting for deployment/cart: ${me} has it since \\d\\d:\\d\\d`));
  first.kill('SIGINT');
  expect((await first.ended).stderr).toContain(undone);
  expect(await second.ended).toMatchObject({ code: 0, stdout: 'mine\n' });
});

it('who waits may stop waiting, and leaves nothing', async () => {
  await connected(anna);
  const mine = await mark();
  const second = start(boris, 'connect', ['--wait']);
  await second.saw('Waiting for deployment/cart');
  second.kill('SIGINT');
  expect((await second.ended).code).toBe(130);
  await vi.waitFor(() => expect(processesOf(boris.state)).toEqual([]), { timeout: 20_000 });
  expect(await mark()).toBe(mine);
});

it('taking over ends the first session cleanly, and its debugger says who did it', async () => {
  const first = await launchCart(anna, false, { network: 'env', onPortConflict: 'other-port' });
  const over = first.waitForEvent('terminated');
  const second = start(boris, 'connect', ['--force', '--port', `http:${port}`]);
  await over;
  expect(JSON.stringify(first.transcript)).toContain(`${me} takes deployment/cart over.`);
  await first.request('disconnect');
  first.endInput();
  await first.exited;
  await second.saw('Ready.');
  expect(second.stderr()).toContain(`You took deployment/cart over from ${me}.\n`);
  expect(second.stderr()).toContain(`${me} steps aside`);
  expect(await mark()).toBe((await statusOf(boris))[0]?.session);
  await vi.waitFor(() => expect(processesOf(anna.state)).toEqual([]), { timeout: 20_000 });
  second.kill('SIGINT');
  expect((await second.ended).stderr).toContain(undone);
});

it('a first session that does not answer is undone for it, and when it goes on leaves the workload alone', async () => {
  await connected(anna, '--wait-ready');
  const daemon = (await statusOf(anna))[0]?.pid ?? 0;
  process.kill(daemon, 'SIGSTOP');
  try {
    const second = start(boris, 'connect', ['--force', '--port', `http:${port}`]);
    await second.saw(`${me} does not answer; taking deployment/cart over`);
    await second.saw('Ready.');
    const mine = (await statusOf(boris))[0]?.session;
    expect(await mark()).toBe(mine);
    process.kill(daemon, 'SIGCONT');
    await vi.waitFor(() => expect(processesOf(anna.state)).toEqual([]), { timeout: 60_000, interval: 200 });
    // Nothing of the second was touched: it carries the mark and the requests.
    expect(await mark()).toBe(mine);
    expect(await anna.shop.request('http://cart/')).toBe('anna\n');
    second.kill('SIGINT');
    expect((await second.ended).stderr).toContain(undone);
  } finally {
    if (processesOf(anna.state).some(({ pid }) => pid === daemon)) process.kill(daemon, 'SIGCONT');
  }
});

const look = `
import os, sys, urllib.request
host, port = os.environ['PRICES_SERVICE_HOST'], os.environ['PRICES_SERVICE_PORT']
url = 'http://%s:%s' % (host, port) if sys.argv[1] == 'env' else 'http://prices'
print(urllib.request.urlopen(url + '/?item=Espresso', timeout=20).read().decode())
print(os.environ['PAYMENT_TOKEN'], os.environ['POD_NAMESPACE'])
print(open(os.environ['KUBERNETES_LOCAL_MOUNTS'] + '/etc/cart/terms.txt').read())
if len(sys.argv) > 2: sys.stdin.close(); import time; print('stays', file=sys.stderr, flush=True); time.sleep(600)
`;

it('a guest has names, environment and files of the session, but no requests, until it ends', async () => {
  const first = await connected(anna);
  for (const network of ['env', 'hosts', 'namespace']) {
    const guest = start(boris, 'run', ['--share', '--network', network], [python, '-c', look, network]);
    const { code, stdout, stderr } = await guest.ended;
    expect({ network, code }, stderr).toEqual({ network, code: 0 });
    expect(stdout).toContain('Espresso');
    expect(stdout).toContain(`tok_demo_4f9c2b7e61 ${namespace}`);
    expect(stderr).toContain(
      `You share the session of ${me}: your program reaches what the workload reaches, but gets no`,
    );
  }
  expect(first.stderr()).toContain(`${me} shares your session`);
  await vi.waitFor(() => expect(first.stderr()).toContain(`${me} no longer shares your session.`));

  const guest = start(boris, 'run', ['--share'], [python, '-c', look, 'env', 'stay']);
  await guest.saw('stays');
  expect((await statusOf(anna))[0]?.connection).toMatchObject({ guests: [me] });
  expect((await statusOf(boris))[0]?.connection).toMatchObject({ guestOf: me });
  const answers = await Promise.all(Array.from({ length: 8 }, () => anna.shop.request('http://cart/')));
  expect(answers).toEqual(Array(8).fill('anna\n'));
  first.kill('SIGINT');
  expect((await first.ended).stderr).toContain(undone);
  const ended = await guest.ended;
  expect(ended.code).toBe(4);
  expect(ended.stderr).toContain(
    `error (session-taken): The session of ${me} on deployment/cart, which you shared, is over.`,
  );
});

it('one user has two workloads at once', async () => {
  await connected(anna);
  const other = startCommand(anna, [
    ...['run', '--target', 'web', '--network', 'env', '--on-port-conflict', 'other-port', ...placeOptions(anna)],
    ...['--', python, '-c', 'print("web")'],
  ]);
  expect(await other.ended).toMatchObject({ code: 0, stdout: 'web\n' });
  expect(await anna.shop.request('http://cart/')).toBe('anna\n');
  expect(await statusOf(anna)).toHaveLength(1);
});
