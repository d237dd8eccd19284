/**
 * The proxy under bad input from both sides: it answers what is valid, or ends; it never hangs, crashes or leaks.
 * FUZZ_SEED=N tries other cases, FUZZ_COUNT=N as many, FUZZ_CASE=N those of one session up to this one again.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Chance } from './fixtures/fuzz-chance.ts';
import { FuzzDebugger } from './fixtures/fuzz-debugger.ts';
import { badInput, type Side } from './fixtures/fuzz-input.ts';
import { FuzzSession, type Stage } from './fixtures/fuzz-session.ts';

const seed = Number(process.env.FUZZ_SEED ?? 20_261);
const count = Number(process.env.FUZZ_COUNT ?? 100_000);
const only = process.env.FUZZ_CASE === undefined ? undefined : Number(process.env.FUZZ_CASE);
/** As many cases are tried in a session, unless it ends before. */
const perSession = 100;

const folder = mkdtempSync(join(tmpdir(), 'fuzz-'));
const its = new FuzzDebugger(join(folder, 'debugger.sock'));
const temporary = process.env.TMPDIR;
const defects: unknown[] = [];
const defect = (error: unknown) => defects.push(error);

beforeAll(async () => {
  // What sessions leave in the folder for temporary files can be seen here.
  process.env.TMPDIR = folder;
  process.on('uncaughtException', defect).on('unhandledRejection', defect);
  await its.listen();
});

afterAll(async () => {
  its.socket?.destroy();
  await its.close();
  process.off('uncaughtException', defect).off('unhandledRejection', defect);
  if (temporary === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = temporary;
  rmSync(folder, { recursive: true });
});

async function open(chance: Chance): Promise<FuzzSession> {
  const greeting = chance.happens(0.1) ? badInput(chance, 'debugger') : { bytes: Buffer.alloc(0), missing: 0 };
  const can = () => chance.happens(0.5);
  its.behaviour = {
    greeting: Buffer.concat([greeting.bytes, Buffer.from(' '.repeat(greeting.missing))]),
    capabilities: {
      supportsCancelRequest: can(),
      supportsRestartRequest: can(),
      supportsTerminateRequest: can(),
      supportsConfigurationDoneRequest: can(),
    },
  };
  const session = new FuzzSession(its, chance);
  await session.open(chance.pick<Stage>(['new', 'initialized', 'running', 'running', 'running']));
  return session;
}

/** Tries cases one after the other; a session that ends is followed by another. */
async function attempt(from: number, to: number): Promise<void> {
  let session: FuzzSession | undefined;
  for (let number = from; number < to; number++) {
    const chance = new Chance(seed, number);
    session ??= await open(chance);
    const side = chance.pick<Side>(['client', 'debugger']);
    const { kind, bytes, missing } = badInput(chance, side);
    session.feed(side, chance.pieces(bytes), missing);
    const goesOn = await session.goesOn(side);
    if (!goesOn || number === to - 1) await session.end();
    const faults = [...session.faults, ...its.broken, ...defects];
    if (faults.length > 0) {
      const again = `once more with FUZZ_SEED=${seed} FUZZ_CASE=${number}`;
      throw new Error(`${faults.join('\n')}\n${kind} of the ${side}, ${again}:\n${bytes.toString('latin1', 0, 2000)}`);
    }
    if (!goesOn) session = undefined;
  }
}

async function heapAfterCollection(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  // What was closed is told a turn later.
  for (let turn = 0; turn < 10; turn++) await setImmediate();
  collect();
  return process.memoryUsage().heapUsed;
}

/** What this process holds: resources by name, listeners for its events, and temporary files. */
function held(): readonly string[] {
  const listeners = process.eventNames().flatMap((name) => process.listeners(name as 'exit').map(() => String(name)));
  return [...process.getActiveResourcesInfo(), ...listeners, ...readdirSync(folder)];
}

/** Those that were not held before. */
function added(before: readonly string[]): readonly string[] {
  const rest = [...before];
  return held().filter((one) => {
    const known = rest.indexOf(one);
    if (known !== -1) rest.splice(known, 1);
    return known === -1;
  });
}

test(`${count} cases of bad input, seed ${seed}`, { timeout: 600_000 }, async () => {
  if (only !== undefined) {
    await attempt(only - (only % perSession), only + 1);
    return;
  }
  const before = held();
  const half = Math.ceil(count / 2 / perSession) * perSession;
  for (let from = 0; from < half; from += perSession) await attempt(from, from + perSession);
  const heap = await heapAfterCollection();
  for (let from = half; from < count; from += perSession) await attempt(from, from + perSession);
  const grown = (await heapAfterCollection()) - heap;
  // Vitest has timers of its own, now and then.
  await vi.waitFor(() => expect(added(before)).toEqual([]), { timeout: 30_000 });
  // A session of which anything is kept is some 50 KB; there were hundreds.
  expect(grown).toBeLessThan(5_000_000);
});
