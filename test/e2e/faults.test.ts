/**
 * A sample of the fault matrix (test/faults): what a session is struck with, it leaves nothing behind. The same one in every run,
 * so that a failure is the change's; KUBERNETES_LOCAL_FAULTS_SEED gives another one, and `npm run faults` runs the whole. And some
 * of the cycles of connecting and disconnecting.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { runCycles } from '../faults/cycles.ts';

const main = join(import.meta.dirname, '../faults/main.ts');
/** For a run that hangs; one takes about four minutes. */
const patienceMilliseconds = 600_000;

it(
  'a sample of the matrix leaves nothing behind',
  async () => {
    const { KUBERNETES_LOCAL_FAULTS_SEED: seed = '8' } = process.env;
    const child = spawn(process.execPath, [main, '--quick', '--seed', seed], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const output = await text(child.stdout);
    console.log(output);
    expect(output).toMatch(/^seed \d+$/m);
    expect({ output, code: await ended }).toMatchObject({ code: 0 });
  },
  patienceMilliseconds,
);

it(
  'a daemon that connects and disconnects again and again does not grow',
  async () => {
    const report = await runCycles({ cycles: 15 });
    console.log(JSON.stringify(report));
    expect(report).toMatchObject({ cycles: 15, failures: [] });
  },
  patienceMilliseconds,
);
