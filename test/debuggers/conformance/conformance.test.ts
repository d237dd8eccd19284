/** The same session with each real debug adapter alone and through us: what the client sees is the same. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Debugged, debugged, greeting, names } from './debuggers.ts';
import { Folder } from './folder.ts';
import { asThroughUs, withEnd, withKnownCapabilities } from './ours.ts';
import { type Heard, runDirectly, runThroughUs } from './runs.ts';
import type { End } from './session.ts';
import { type Trace, traceOf } from './trace.ts';

let folder: Folder;
beforeAll(() => {
  folder = new Folder();
});
afterAll(() => folder[Symbol.dispose]());

describe.each(names)('%s', (name) => {
  let one: Debugged;
  beforeAll(async () => {
    one = await debugged(name, folder.path);
  });

  test('does the same through us as alone, to the end of the program', async () => {
    const text = textIn(await bothWays(one, 'by the end of the program'));
    expect(text).toContain(`paid ${one.script.setsVariables ? 39 : 32} ${greeting}`);
    if (one.script.log !== undefined) expect(text).toContain(one.script.log.printed);
  });

  test('does the same through us as alone, to the end by disconnect', async () => {
    await bothWays(one, one.restarts ? 'by restart and disconnect' : 'by disconnect');
  });
});

/** Runs the session both ways at once and compares; returns what is the same. */
async function bothWays(one: Debugged, end: End): Promise<readonly Trace[]> {
  const [direct, through] = await Promise.all([runDirectly(one, end), runThroughUs(one, end)]);
  const seen = tracesOf(one, through);
  expect(seen).toEqual(tracesOf(one, expectedThroughUs(one, direct, end)));
  return seen;
}

function expectedThroughUs(one: Debugged, direct: Heard, end: End): Heard {
  const own = asThroughUs(direct);
  return one.isProgram && end === 'by the end of the program' ? own.map(withEnd) : own;
}

function tracesOf({ runToRun, isProgram }: Debugged, heard: Heard): readonly Trace[] {
  return (isProgram ? heard.map(withKnownCapabilities) : heard).map(({ messages }) => traceOf(messages, runToRun));
}

function textIn(traces: readonly Trace[]): string {
  return traces.flatMap(({ output }) => Object.values(output)).join('');
}
