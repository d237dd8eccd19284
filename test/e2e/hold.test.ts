/** `connect --wait-ready` and `disconnect`: a session that stands without a client, for tasks of IDEs and for builds. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { Snapshot } from '../stage/snapshot.ts';
import { openWorld, type World } from '../stage/world.ts';
import { type Ended, freePort, placeOptions, runCommand, startCommand } from './command-line.ts';

const namespace = 'e2e-hold';
const python = '/usr/bin/python3';
const undone = 'Everything is as it was before.';
let world: World;
let before: Snapshot;
let port: number;
let folder: string;

beforeAll(async () => {
  world = await openWorld(namespace);
  port = await freePort();
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-hold-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await world?.[Symbol.asyncDispose]();
});
beforeEach(async () => {
  before = await world.snapshot();
});
afterEach(async () => {
  await runCommand(world, ['disconnect', ...place()]);
  await world.asBefore(before);
});

function place(): readonly string[] {
  const { kubeconfig, namespace } = world.place;
  return ['--target', 'cart', '--kubeconfig', kubeconfig, '--namespace', namespace];
}
const options = () => ['--target', 'cart', '--port', `http:${port}`, ...placeOptions(world)];
const hold = (...more: readonly string[]): Promise<Ended> =>
  runCommand(world, ['connect', '--wait-ready', ...options(), ...more]);

async function sessions() {
  const { stdout } = await runCommand(world, ['status', '--json']);
  return JSON.parse(stdout) as { status?: { state: string; clients: number[]; kept: unknown[]; started: string } }[];
}

it('stands when the command has ended, serves whoever comes, and ends by "disconnect"', async () => {
  const file = join(folder, 'cart.env');
  const { code, stderr, stdout } = await hold('--env-output', file);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  const lines = stderr.trimEnd().split('\n');
  expect(lines[0]).toBe('Connecting to cart …');
  expect(lines.at(-1)).toMatch(
    /^Ready\. It stands for 8 hours, or until: kubernetes-local disconnect --session [0-9a-f]{16}$/,
  );
  expect(stderr).not.toContain(undone);
  expect(readFileSync(file, 'utf8')).toContain(`POD_NAMESPACE=${namespace}`);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const [held, ...others] = await sessions();
  expect(others).toEqual([]);
  const kept = [{ for: 'hold', until: expect.stringMatching(/^20.*Z$/) }];
  expect(held?.status).toMatchObject({ state: 'connected', clients: [], kept });

  // Who runs the program joins it, and leaves it standing.
  const run = await startCommand(world, ['run', ...options(), '--', python, '-c', 'print("ran")']).ended;
  expect(run).toMatchObject({ code: 0, stdout: 'ran\n' });
  expect(run.stderr).toContain('The session stands on');
  expect((await hold()).code).toBe(0);
  const restore = await runCommand(world, ['restore']);
  expect(restore.stderr).toContain('is held by its user and was left alone');
  expect((await sessions())[0]?.status).toMatchObject({ started: held?.status?.started, kept });

  // The command that the last line names.
  const named = lines.at(-1)?.split('kubernetes-local ')[1]?.split(' ') ?? [];
  const end = await runCommand(world, named);
  expect(end).toMatchObject({ code: 0, stderr: `${undone}\n` });
  expect(await sessions()).toEqual([]);
});

it('ends by itself when its time is over', async () => {
  expect((await hold('--for', '2s')).stderr).toContain('Ready. It stands for 2 seconds');
  await vi.waitFor(async () => expect(await sessions()).toEqual([]), { timeout: 60_000, interval: 500 });
});

it('"disconnect --after" ends it unless it is used again, and then with its last user', async () => {
  await hold();
  const { stderr } = await runCommand(world, ['disconnect', '--after', '20s', ...place()]);
  expect(stderr).toContain('It ends in 20 seconds, unless somebody uses it again.');
  const sign = join(folder, 'go on');
  const waiting = 'import os, sys, time\nwhile not os.path.exists(sys.argv[1]): time.sleep(0.1)';
  const program = startCommand(world, ['run', ...options(), '--', python, '-c', waiting, sign]);
  await vi.waitFor(async () => expect((await sessions())[0]?.status?.clients).toHaveLength(1), { timeout: 30_000 });
  const end = await runCommand(world, ['disconnect', ...place()]);
  expect(end.stderr).toMatch(/^It stands on until its other clients have left: \d+\.\n$/);
  writeFileSync(sign, '');
  expect((await program.ended).stderr).toContain(undone);
});

it('"disconnect" has nothing to end, and says so', async () => {
  expect(await runCommand(world, ['disconnect', ...place()])).toMatchObject({
    code: 0,
    stderr: 'There is no session to end.\n',
  });
});

it('nothing stands after a failure', async () => {
  const { code, stderr } = await runCommand(world, [
    ...['connect', '--wait-ready', '--target', 'service/carts', ...placeOptions(world)],
  ]);
  expect(code).toBe(4);
  expect(stderr).toContain('error (target-missing): ');
  expect(await sessions()).toEqual([]);
});
