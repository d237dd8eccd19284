/**
 * Connects and disconnects again and again with one daemon's code in one process, on the real cluster, and looks whether
 * memory, descriptors and handles grow. Alone: `node test/faults/cycles.ts --cycles 1000`; it ends with 1 if they do.
 */
import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { z } from 'zod';
import { ProcessLog } from '../../adapter/diagnostics/process-log.ts';
import { parseLaunchConfiguration } from '../../adapter/launch/configuration.ts';
import { dialDaemon, hangUp } from '../../adapter/session/client/reach-daemon.ts';
import { sessionRequest } from '../../adapter/session/client/session-request.ts';
import { Daemon } from '../../adapter/session/daemon/daemon.ts';
import { connectRequest, fromResponseError, leaveRequest } from '../../adapter/session/protocol.ts';
import { sessionFiles } from '../../adapter/session/state-folder.ts';
import { openSmallWorld } from '../e2e/small-world.ts';
import { differences } from '../stage/snapshot.ts';
import type { World } from '../stage/world.ts';
import { type Cycle, type Growth, growths, type Plant, plants } from './cycles-growth.ts';

export interface CyclesReport {
  readonly cycles: number;
  readonly seconds: number;
  readonly growths: readonly Growth[];
  /** Empty: the system is as before, and nothing grows. */
  readonly failures: readonly string[];
}

const undoMilliseconds = 120_000;

/** Runs them in a process of their own, so that nothing else is measured. Rejects if it cannot run; see `failures` for the rest. */
export async function runCycles({ cycles }: { readonly cycles: number }): Promise<CyclesReport> {
  const args = [import.meta.filename, '--cycles', String(cycles), '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 16_000_000 }).catch(
    (error: unknown) => {
      // It ends with 1 when something grows, and says what.
      if (error instanceof Error && 'code' in error && error.code === 1 && 'stdout' in error) return error as never;
      throw error;
    },
  );
  const growth = z.object({ what: z.string(), first: z.number(), last: z.number(), allowed: z.number() });
  return z
    .object({
      cycles: z.number(),
      seconds: z.number(),
      growths: z.array(growth),
      failures: z.array(z.string()),
    })
    .parse(JSON.parse(String(stdout)));
}

/** One session from its beginning to its end, served by a daemon in this process, asked for by a client in this process. */
async function cycle(world: World): Promise<void> {
  const configuration = parseLaunchConfiguration(
    { target: 'cycled', network: 'env', ...world.place },
    'the launch configuration',
  );
  const { key, request } = sessionRequest(configuration, false);
  const files = sessionFiles(key);
  const token = randomBytes(32).toString('base64url');
  using log = new ProcessLog('daemon', () => files.log);
  const daemon = new Daemon({ id: randomUUID(), files, token, program: world.product, log });
  await daemon.listen();
  writeFileSync(files.token, token, { mode: 0o600 });
  const rpc = await dialDaemon(files);
  try {
    await rpc.sendRequest(connectRequest, request);
    await rpc.sendRequest(leaveRequest, { budget: undoMilliseconds });
  } catch (error) {
    throw fromResponseError(error);
  } finally {
    hangUp(rpc);
  }
  await daemon.ended;
}

function collectGarbage(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

function taken(collect: () => void): Cycle {
  collect();
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  return {
    heap: heapUsed,
    rss,
    // The look itself opens one.
    descriptors: readdirSync('/proc/self/fd').length - 1,
    handles: process.getActiveResourcesInfo().length,
  };
}

async function measure(cycles: number, plant: Plant | undefined, say: (text: string) => void): Promise<CyclesReport> {
  await using world = await openSmallWorld(`faults-cycles-${randomUUID().slice(0, 8)}`, ['cycled']);
  const state = mkdtempSync(join(tmpdir(), 'kubernetes-local-cycles-'));
  process.env.KUBERNETES_LOCAL_STATE = state;
  const collect = collectGarbage();
  const leak = plant === undefined ? () => {} : plants[plant]();
  try {
    const before = await world.snapshot();
    const began = performance.now();
    const measured: Cycle[] = [];
    for (let done = 1; done <= cycles; done++) {
      await cycle(world);
      leak();
      // What ends with a turn of the event loop, as a closed socket, is not held.
      await new Promise((resolve) => setTimeout(resolve, 50));
      const now = taken(collect);
      measured.push(now);
      say(`${done}: heap ${now.heap}, RSS ${now.rss}, descriptors ${now.descriptors}, handles ${now.handles}`);
    }
    const seconds = Math.round((performance.now() - began) / 1000);
    const found = growths(measured);
    const left = differences(before, await world.snapshot());
    const grown = found
      .filter(({ first, last, allowed }) => last - first > allowed)
      .map(({ what, first, last }) => `${what} grew from ${first} to ${last}`);
    return { cycles, seconds, growths: found, failures: [...grown, ...left] };
  } finally {
    rmSync(state, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      cycles: { type: 'string', default: '1000' },
      json: { type: 'boolean', default: false },
      /** Proves that a leak is found. */
      plant: { type: 'string' },
    },
  });
  const plant = z.enum(['memory', 'descriptors']).optional().parse(values.plant);
  const report = await measure(Number(values.cycles), plant, (text) => process.stderr.write(`${text}\n`));
  process.stdout.write(`${JSON.stringify(report, undefined, values.json ? 0 : 2)}\n`);
  process.exit(report.failures.length === 0 ? 0 : 1);
}
