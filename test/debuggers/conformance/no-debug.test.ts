/** "Run without debugging" through us: the program has its variables, prints, and ends, and so does the session. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Debugged, debugged, greeting, type Name } from './debuggers.ts';
import { Folder } from './folder.ts';
import { Ours } from './runs.ts';
import { initialize, printed } from './session.ts';

let folder: Folder;
beforeAll(() => {
  folder = new Folder();
});
afterAll(() => folder[Symbol.dispose]());

test.each<Name>(['debugpy', 'dlv', 'js-debug'])('%s', async (name) => {
  const one = await debugged(name, folder.path);
  await using ours = new Ours({ ...one, delegate: built(one, folder.path) });
  const client = ours.start();
  const { adapterID, arguments: args } = ours.launch({ noDebug: true });
  await initialize(client, { adapterID, oneSession: true });
  const launched = client.request('launch', args);
  // Only js-debug asks to be configured, and goes on when it is.
  const initialized = client.waitForEvent('initialized').then(() => client.request('configurationDone'));
  initialized.catch(() => {});
  await launched;
  await printed(client, `paid 32 ${greeting}`);
  await client.waitForEvent('terminated');
  expect(client.events('stopped')).toEqual([]);
  await client.request('disconnect', {});
  client.endInput();
  expect(await client.exited).toEqual({ code: 0, signal: null });
});

/** With Delve, what most users do: it builds the program itself. */
function built({ delegate, script }: Debugged, folder: string): Debugged['delegate'] {
  if (delegate.type !== 'go') return delegate;
  return { ...delegate, mode: 'debug', program: script.source, output: `${folder}/built-by-delve` };
}
