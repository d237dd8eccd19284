/** What happens to a daemon and its state folder: signals, clients that stand still, disks that are full or read-only, folders that go. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Snapshot } from '../stage/snapshot.ts';
import { isDaemon, processesOf, type World } from '../stage/world.ts';
import { placeOptions, type RunningCommand, runCommand, startCommand } from './command-line.ts';
import { openSmallWorld } from './small-world.ts';

const namespace = 'e2e-daemon-faults';
const undone = 'Everything is as it was before.';
let world: World;
let before: Snapshot;
/** The state folder of one test. */
let state: string;

beforeAll(async () => {
  // A definition that takes more room in the journal than a page of memory.
  const large = { env: [{ name: 'LARGE', value: 'x'.repeat(16_384) }] };
  world = await openSmallWorld(namespace, ['one', 'large'], { large });
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(async () => {
  before = await world.snapshot();
  state = mkdtempSync(join(tmpdir(), 'kubernetes-local-faults-'));
});
afterEach(async () => {
  await world.asBefore(before, state);
  rmSync(state, { recursive: true, force: true });
});

const own = (): NodeJS.ProcessEnv => ({ KUBERNETES_LOCAL_STATE: state });
const run = (...args: readonly string[]) => runCommand(world, args, own());
const start = (command: string, target = 'one') =>
  startCommand(world, [command, '--target', target, ...placeOptions(world)], own());

async function connected(): Promise<RunningCommand> {
  const command = start('connect');
  await command.saw('Ready.');
  return command;
}

/** The daemon, as soon as there is one. */
async function daemon(): Promise<number> {
  return vi.waitFor(() => {
    const [found, ...others] = processesOf(state).filter(({ command }) => isDaemon(command));
    if (found === undefined) throw new Error('no daemon');
    expect(others).toEqual([]);
    return found.pid;
  }, 20_000);
}

/** A disk of its own for the state folder. */
function mount(options: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `mode=0700,${options}`, 'tmpfs', state]);
}
const unmount = () => void execFileSync('umount', ['-l', state]);

/** Takes all the room that is left. */
function fill(): void {
  const path = join(state, 'ballast');
  for (const size of [65_536, 4_096, 1]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: 'a' });
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    }
  }
}

describe('the daemon', () => {
  it.each(['SIGTERM', 'SIGHUP'] as const)('is asked twice by %s and undoes once, or does not mind', async (signal) => {
    const command = await connected();
    const pid = await daemon();
    process.kill(pid, signal);
    if (signal === 'SIGHUP') {
      // The terminal of the client that started it is gone, which is no reason for other clients.
      expect((await run('status', '--json')).stdout).toContain('"connected"');
      command.kill('SIGHUP');
      expect((await command.ended).stderr).toContain(undone);
      return;
    }
    await command.saw(/daemon-failed|SIGTERM/);
    try {
      process.kill(pid, signal);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ESRCH' });
    }
    const { code, stderr } = await command.ended;
    expect(stderr).toContain('The session daemon was ended: SIGTERM.');
    expect(code).toBe(5);
    await world.asBefore(before, state);
  });

  it('undoes what it has begun when SIGTERM comes while it connects', async () => {
    const command = start('connect');
    await command.saw('Putting the agent in place');
    process.kill(await daemon(), 'SIGTERM');
    expect((await command.ended).code).toBe(5);
  });

  it('lets who comes while it undoes wait, and stand afterwards', async () => {
    const first = await connected();
    first.kill('SIGINT');
    const second = start('connect');
    await second.saw('Ready.');
    expect((await first.ended).stderr).toContain(undone);
    second.kill('SIGINT');
    expect((await second.ended).stderr).toContain(undone);
  });

  it('stands for a client that stands still, and ends a moment after that one is killed', async () => {
    const command = await connected();
    command.kill('SIGSTOP');
    // A heartbeat of the Lease later it still stands.
    const heartbeat = async () =>
      world.shop.kubectl.run(['get', 'leases', '-n', namespace, '-o', 'jsonpath={.items[*].spec.renewTime}']);
    const earlier = await heartbeat();
    await vi.waitFor(async () => expect(await heartbeat()).not.toBe(earlier), { timeout: 30_000, interval: 500 });
    expect(JSON.parse((await run('status', '--json')).stdout)).toMatchObject([
      { status: { state: 'connected', clients: [command.pid] } },
    ]);
    command.kill('SIGKILL');
    await command.ended;
  });

  it('that stands still is told to be alive, and left alone', async () => {
    const command = await connected();
    const pid = await daemon();
    process.kill(pid, 'SIGSTOP');
    try {
      expect((await run('status')).stdout).toContain('alive, but its daemon does not answer');
      expect((await run('restore')).stderr).toContain('is alive and was left alone');
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    command.kill('SIGINT');
    expect((await command.ended).stderr).toContain(undone);
  });
});

describe('the state folder', () => {
  it('that is full refuses a session before anything is changed', async () => {
    mount('size=64k');
    try {
      fill();
      const { code, stderr } = await start('connect').ended;
      expect(stderr).toMatch(/^error \(state-unwritable\): /m);
      expect(stderr).toContain('ENOSPC');
      expect(code).toBe(5);
      await world.asBefore(before, state);
    } finally {
      unmount();
    }
  });

  it('that fills up under a session ends nothing, and its undo is whole', async () => {
    mount('size=1m');
    try {
      const command = await connected();
      fill();
      expect((await run('status', '--json')).stdout).toContain('"connected"');
      command.kill('SIGINT');
      expect((await command.ended).stderr).toContain(undone);
      await world.asBefore(before, state);
      expect(journals()).toEqual([]);
    } finally {
      unmount();
    }
  });

  it('that becomes full while it connects leaves nothing behind', async () => {
    mount('size=1m');
    try {
      const command = start('connect', 'large');
      await command.saw('Looking for');
      fill();
      const { code, stderr } = await command.ended;
      expect(stderr).toMatch(/^error \(state-unwritable\): The journal /m);
      expect(stderr).toContain('ENOSPC');
      expect(code).toBe(5);
      await world.asBefore(before, state);
    } finally {
      unmount();
    }
  });

  it('that is read-only refuses a session; under one that stands it ends nothing, and the undo is whole', async () => {
    mount('size=4m');
    try {
      const command = await connected();
      // A second mount over it: the first cannot be made read-only while the daemon has files open in it.
      execFileSync('mount', ['--bind', state, state]);
      execFileSync('mount', ['-o', 'remount,bind,ro', state]);
      command.kill('SIGINT');
      expect((await command.ended).stderr).toContain(undone);
      await world.asBefore(before, state);
      const { code, stderr } = await start('connect').ended;
      expect(stderr).toMatch(/^error \(state-unwritable\): [\s\S]*EROFS/m);
      expect(code).toBe(5);
      await world.asBefore(before, state);
      // What could not be removed is undone already, and does no harm.
      unmount();
      expect((await run('restore')).code).toBe(0);
      expect(journals()).toEqual([]);
    } finally {
      unmount();
    }
  });

  it('that somebody removes ends the session, which undoes everything', async () => {
    const command = await connected();
    rmSync(join(state, 'sessions'), { recursive: true });
    const { code, stderr } = await command.ended;
    expect(stderr).toContain('somebody has removed its state folder');
    expect(code).toBe(5);
  });
});

it('a lock of a process that died, whose number another one has now, is no lock', async () => {
  const command = await connected();
  process.kill(await daemon(), 'SIGKILL');
  await command.ended;
  const [key = ''] = readdirSync(join(state, 'sessions'));
  const lock = join(state, 'sessions', key, 'lock');
  const held = JSON.parse(readFileSync(lock, 'utf8'));
  // As after a reboot: the number is this test's, which lives; the start is another's.
  writeFileSync(lock, JSON.stringify({ ...held, pid: process.pid }));
  expect(await run('restore')).toMatchObject({ code: 0, stderr: expect.stringContaining('Undone.') });
});

function journals(): readonly string[] {
  const folder = join(state, 'sessions');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return readdirSync(folder).filter((key) => readdirSync(join(folder, key)).includes('journal.jsonl'));
}
