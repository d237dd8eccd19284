/**
 * The kill matrix: {adapter, delegate, debuggee, daemon} × {SIGKILL, SIGTERM, end of the adapter's input} ×
 * {connecting, running, stopped, ending}. After each no process of the session lives, the bytes of the hosts file and
 * the objects of the cluster are as before.
 *
 * Connecting and undoing take most of the time, so they are part of a cell only where they matter: in all cells of the
 * phase `connecting`, in all of the daemon, and in one of the adapter for each other phase. The other cells join a
 * session that `kubernetes-local connect` holds, which must stand unchanged after each of them.
 * The other debug adapters that leave their program behind when they are killed have the cells in which that matters.
 * No program runs while connecting, so there is no debuggee to kill in that phase.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { differences, type Snapshot } from '../stage/snapshot.ts';
import { openWorld, processesOf, type World } from '../stage/world.ts';
import { launchCart } from './cart-session.ts';
import { placeOptions, type RunningCommand, runCommand, startCommand } from './command-line.ts';
import { buildPrograms, type Debugged, launching } from './kill-programs.ts';
import {
  type Blow,
  type Launch,
  nothingLeft,
  type Phase,
  seeThrough,
  sessionIn,
  strike,
  type Victim,
} from './kill-sessions.ts';
import { reaper } from './vanishing.ts';

type Cell = readonly [victim: Victim, blow: Blow, phase: Phase];

const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-kill-'));
let world: World;
let programs: readonly Debugged[];
beforeAll(async () => {
  [world, programs] = await Promise.all([openWorld('e2e-kill-matrix'), buildPrograms(folder)]);
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** A session of debugpy on the cart. */
const debugpy: Launch = async (phase) => {
  const client = await launchCart(world, phase === 'stopped');
  if (phase === 'stopped') {
    world.shop.request('http://web/json').catch(() => {});
    await client.waitForEvent('stopped');
  }
  return client;
};

describe('with the cluster connected and undone', () => {
  const cells: readonly Cell[] = [
    ['adapter', 'SIGKILL', 'connecting'],
    ['adapter', 'SIGTERM', 'connecting'],
    ['adapter', 'EOF', 'connecting'],
    ['adapter', 'SIGKILL', 'running'],
    ['adapter', 'SIGTERM', 'stopped'],
    ['adapter', 'EOF', 'ending'],
    ['delegate', 'SIGKILL', 'connecting'],
    ['delegate', 'SIGTERM', 'connecting'],
    ['daemon', 'SIGKILL', 'connecting'],
    ['daemon', 'SIGTERM', 'connecting'],
    ['daemon', 'SIGKILL', 'running'],
    ['daemon', 'SIGTERM', 'running'],
    ['daemon', 'SIGKILL', 'stopped'],
    ['daemon', 'SIGTERM', 'stopped'],
    ['daemon', 'SIGKILL', 'ending'],
    ['daemon', 'SIGTERM', 'ending'],
  ];
  let before: Snapshot;
  beforeEach(async () => {
    before = await world.snapshot();
  });

  it.each(cells)('%s: %s while %s', async (victim, blow, phase) => {
    const session = await sessionIn(phase, world, debugpy);
    strike(session, victim, blow, world);
    await seeThrough(session, victim, blow);
    // A killed daemon leaves the cluster to the next session, or to whoever says so.
    if (victim === 'daemon' && blow === 'SIGKILL') expect((await runCommand(world, ['restore'])).code).toBe(0);
    await nothingLeft(session, world);
    await world.asBefore(before);
  });
});

describe('in a session that stands', () => {
  const cells: readonly Cell[] = [
    ['adapter', 'SIGTERM', 'running'],
    ['adapter', 'EOF', 'running'],
    ['adapter', 'SIGKILL', 'stopped'],
    ['adapter', 'EOF', 'stopped'],
    ['adapter', 'SIGKILL', 'ending'],
    ['adapter', 'SIGTERM', 'ending'],
    ['delegate', 'SIGKILL', 'running'],
    ['delegate', 'SIGTERM', 'running'],
    ['delegate', 'SIGKILL', 'stopped'],
    ['delegate', 'SIGTERM', 'stopped'],
    ['delegate', 'SIGKILL', 'ending'],
    ['delegate', 'SIGTERM', 'ending'],
    ['debuggee', 'SIGKILL', 'running'],
    ['debuggee', 'SIGTERM', 'running'],
    ['debuggee', 'SIGKILL', 'stopped'],
    ['debuggee', 'SIGTERM', 'stopped'],
    ['debuggee', 'SIGKILL', 'ending'],
    ['debuggee', 'SIGTERM', 'ending'],
  ];
  let before: Snapshot;
  let standing: Snapshot;
  let connect: RunningCommand;
  let held: readonly number[];
  beforeAll(async () => {
    before = await world.snapshot();
    connect = startCommand(world, ['connect', '--target', 'service/cart', ...placeOptions(world)]);
    await connect.saw('Ready.');
    // The last object of the reaper, which is made in the background once the agents are rolled out.
    const made = async () => {
      const now = await world.snapshot();
      expect([...now.objects.keys()]).toContain(`Deployment/${reaper}`);
      return now;
    };
    standing = await vi.waitFor(made, { timeout: 30_000, interval: 100 });
    held = processesOf(world.state).map(({ pid }) => pid);
  });
  afterEach(async () => {
    const now = await world.snapshot();
    // The old pods may still be ending, and the Lease is renewed all the time.
    const changes = differences({ ...standing, images: now.images }, now);
    expect(changes.filter((change) => !change.startsWith('Lease/'))).toEqual([]);
  });
  afterAll(async () => {
    connect.kill('SIGTERM');
    expect((await connect.ended).stderr).toContain('Everything is as it was before.');
    await world.asBefore(before);
  });

  async function kill(launch: Launch, [victim, blow, phase]: Cell): Promise<void> {
    const session = await sessionIn(phase, world, launch);
    strike(session, victim, blow, world);
    await seeThrough(session, victim, blow);
    await nothingLeft(session, world, held);
  }

  it.each(cells)('debugpy: %s: %s while %s', (...cell) => kill(debugpy, cell));

  describe.each(['node', 'dlv', 'lldb-dap'])('%s, which leaves its program when it is killed', (type) => {
    it.each<Cell>([
      ['adapter', 'SIGKILL', 'running'],
      ['adapter', 'SIGTERM', 'running'],
      ['adapter', 'EOF', 'running'],
      ['delegate', 'SIGKILL', 'running'],
      ['adapter', 'SIGKILL', 'stopped'],
      ['adapter', 'SIGTERM', 'stopped'],
      ['adapter', 'EOF', 'stopped'],
      ['delegate', 'SIGKILL', 'stopped'],
    ])('%s: %s while %s', async (...cell) => {
      const program = programs.find(({ delegate }) => delegate.type === type);
      if (program === undefined) throw new Error(`There is no program for ${type}.`);
      await kill(launching(world, program), cell);
    });
  });
});
