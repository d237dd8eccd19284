/** Restart through us, whether the debugger can do it or we do it in its place: the program stops as it did before. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { debugged, greeting, names } from './debuggers.ts';
import { Folder } from './folder.ts';
import { Ours } from './runs.ts';
import { atConditional, begin, printed } from './session.ts';

let folder: Folder;
beforeAll(() => {
  folder = new Folder();
});
afterAll(() => folder[Symbol.dispose]());

test.each(names)('%s stops at the same breakpoint with the same variables', async (name) => {
  const one = await debugged(name, folder.path);
  await using ours = new Ours(one);
  const client = ours.start();
  // js-debug restarts no child session alone.
  const start = { ...ours.launch(), oneSession: true } as const;
  await begin(client, start, one.script);
  const first = await atConditional(client, one.script);
  const restarted = client.request('restart', { arguments: start.arguments });
  const second = await atConditional(client, one.script);
  await restarted;
  expect(second.reason).toBe(first.reason);
  expect(Object.keys(second.values)).toEqual(Object.keys(first.values));
  // The program is a new one, with the variables of the surroundings again, and runs to its end.
  client.onEvent<{ threadId: number }>('stopped', ({ threadId }) => client.request('continue', { threadId }));
  await client.request('continue', { threadId: second.threadId });
  await printed(client, `paid 32 ${greeting}`);
  await client.waitForEvent('terminated');
  await client.request('disconnect', {});
});
