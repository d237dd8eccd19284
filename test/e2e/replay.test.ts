/** What a killed daemon left is undone by the next command, by itself; and every journal, and every part of one, can be undone again. */
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { differences, type Snapshot } from '../stage/snapshot.ts';
import { isDaemon, processesOf, type World } from '../stage/world.ts';
import { placeOptions, type RunningCommand, runCommand, startCommand } from './command-line.ts';
import { openSmallWorld } from './small-world.ts';

const namespace = 'e2e-replay';
let world: World;
let before: Snapshot;
beforeAll(async () => {
  // The second takes its time to run again: its undo is under way when the first one's is done.
  const slow = { readinessProbe: { tcpSocket: { port: 8080 }, initialDelaySeconds: 10, periodSeconds: 1 } };
  world = await openSmallWorld(namespace, ['one', 'two'], { two: slow });
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(async () => {
  before = await world.snapshot();
});
afterEach(async () => {
  await world.asBefore(before);
  for (const key of readdirSync(sessions())) rmSync(join(sessions(), key), { recursive: true });
});

function sessions(): string {
  const folder = join(world.state, 'sessions');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** A session that stands, for a program at a port that the system chooses. */
async function connected(target: string): Promise<RunningCommand> {
  const command = startCommand(world, ['connect', '--target', target, '--network', 'hosts', ...placeOptions(world)]);
  await command.saw('Ready.');
  return command;
}

function daemons(): readonly number[] {
  return processesOf(world.state)
    .filter(({ command }) => isDaemon(command))
    .map(({ pid }) => pid);
}

/** Kills the daemons of these sessions; resolves when their clients know. */
async function crash(...commands: readonly RunningCommand[]): Promise<void> {
  for (const pid of daemons()) process.kill(pid, 'SIGKILL');
  for (const command of commands) expect((await command.ended).code).toBe(5);
}

/** The one journal that is left. */
function journal(): string {
  const [found, ...others] = readdirSync(sessions())
    .map((key) => join(sessions(), key, 'journal.jsonl'))
    .filter((path) => existsSync(path));
  expect(others).toEqual([]);
  return found ?? '';
}

it('the next command of any kind undoes it beside itself, and says so in one line', async () => {
  await crash(await connected('one'), await connected('two'));
  const { code, stdout, stderr } = await runCommand(world, ['status', '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toHaveLength(2);
  expect(stderr).toMatch(/^What an interrupted session left is being undone in the background: [^\n]*\n$/);
  for (const target of ['one', 'two']) expect(stderr).toContain(`${target} in ${namespace} of ${world.cluster.name}`);
  await world.asBefore(before);
  const left = await runCommand(world, ['status']);
  expect(left).toMatchObject({ stdout: 'No session.\n', stderr: '' });
  const log = readFileSync(join(world.state, 'logs', 'replay.log'), 'utf8');
  expect(log.match(/everything is undone/g)).toHaveLength(2);
});

it('a new session for the same target waits for the undo of the old one, and then stands', async () => {
  await crash(await connected('one'));
  const second = await connected('one');
  expect(await runCommand(world, ['status', '--json'])).toMatchObject({ code: 0, stderr: '' });
  second.kill('SIGINT');
  expect((await second.ended).stderr).toContain('Everything is as it was before.');
});

it('"restore" waits for an undo that is under way, and undoes one session of several where asked', async () => {
  await crash(await connected('one'), await connected('two'));
  const { stderr } = await runCommand(world, [
    ...['restore', '--target', 'one'],
    ...['--kubeconfig', world.place.kubeconfig, '--namespace', namespace],
  ]);
  expect(stderr).toMatch(new RegExp(`^Undoing one in ${namespace}`));
  expect(stderr).toContain('Undone.');
  expect(stderr).not.toMatch(/Undoing two/);
  const [left, ...others] = JSON.parse((await runCommand(world, ['status', '--json'])).stdout);
  expect(others).toEqual([]);
  expect(left).toMatchObject({ target: 'two', left: expect.stringMatching(/^(interrupted|being-undone)$/) });
  expect(await runCommand(world, ['restore', '--session', left.key])).toMatchObject({
    code: 0,
    stderr: expect.stringContaining('Undone.'),
  });
});

it('a journal that cannot be read is told, stays, and keeps no other from being undone', async () => {
  await crash(await connected('one'));
  const later = '{"act":"session","version":2,"by":"9.1.0"}\n{"act":"teleport"}\n';
  mkdirSync(join(sessions(), '0123456789abcdef'), { mode: 0o700 });
  const path = join(sessions(), '0123456789abcdef', 'journal.jsonl');
  writeFileSync(path, later);
  const { code, stderr } = await runCommand(world, ['restore', '--all']);
  expect(stderr).toContain('Undone.');
  expect(stderr).toContain('kubernetes-local 9.1.0');
  expect(code).toBe(5);
  await world.asBefore(before);
  expect((await runCommand(world, ['status'])).stdout).toContain('session 0123456789abcdef: interrupted');
  expect(readFileSync(path, 'utf8')).toBe(later);
});

it('what a full disk or a power failure left of a line is no act, and the rest is undone', async () => {
  await crash(await connected('one'));
  appendFileSync(journal(), '{"act":"volumes","folder":"/tm');
  expect(await runCommand(world, ['restore'])).toMatchObject({ code: 0 });
});

it('every beginning of a journal can be undone, and all of it again, without a further change', async () => {
  await crash(await connected('one'));
  const path = journal();
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  expect(lines.map((line) => JSON.parse(line).act)).toEqual(
    expect.arrayContaining(['session', 'hosts', 'lease', 'replacement']),
  );
  const undoTwice = async (count: number) => {
    for (const _ of ['once', 'again']) {
      writeFileSync(
        path,
        lines
          .slice(0, count)
          .map((line) => `${line}\n`)
          .join(''),
        { mode: 0o600 },
      );
      const { code, stderr } = await runCommand(world, ['restore']);
      expect({ code, stderr }).toMatchObject({ code: 0 });
    }
  };
  for (const count of lines.keys()) await undoTwice(count + 1);
  await vi.waitFor(async () => expect(differences(before, await world.snapshot())).toEqual([]), 30_000);
  const versions = () =>
    world.shop.kubectl.run(['get', 'deployments,leases,services', '-n', namespace, '-o', resourceVersions]);
  const undone = await versions();
  for (const count of lines.keys()) await undoTwice(count + 1);
  expect(await versions()).toBe(undone);
});

const resourceVersions = 'jsonpath={range .items[*]}{.metadata.name}={.metadata.resourceVersion} {end}';
