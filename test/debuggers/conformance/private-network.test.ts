/** Each real debug adapter with its program in a private network: what the client sees is the same as outside. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { debugged, names } from './debuggers.ts';
import { Folder } from './folder.ts';
import { withKnownCapabilities } from './ours.ts';
import { runThroughUs } from './runs.ts';
import { traceOf } from './trace.ts';

let folder: Folder;
beforeAll(() => {
  folder = new Folder();
});
afterAll(() => folder[Symbol.dispose]());

describe.each(names)('%s', (name) => {
  test('does the same in a private network, and is in there with its program', async () => {
    const one = await debugged(name, folder.path);
    const journal = join(folder.path, `${name}.journal`);
    const end = one.restarts ? 'by restart and disconnect' : 'by disconnect';
    const [outside, inside] = await Promise.all([
      runThroughUs(one, end),
      runThroughUs(one, end, ['--private', '--journal', journal]),
    ]);
    const traces = (heard: typeof inside) =>
      heard.map(withKnownCapabilities).map(({ messages }) => traceOf(messages, one.runToRun));
    expect(traces(inside)).toEqual(traces(outside));
    const lines = readFileSync(journal, 'utf8').split('\n');
    expect(lines).toContain('undone');
    expect(lines.filter((line) => / (in|out)side$/.test(line))).not.toEqual([]);
    // The debug adapter that was asked what it can do before the launch was outside, and is gone.
    expect(lines.slice(lines.indexOf('connected')).filter((line) => line.endsWith(' outside'))).toEqual([]);
  });
});
