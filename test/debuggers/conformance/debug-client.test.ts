/** The client of the protocol's own test support, which is stricter than ours in some things: it can use us. */
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { debugged, type Name } from './debuggers.ts';
import { Folder } from './folder.ts';
import { launchConfiguration, served } from './runs.ts';
import { lineOf } from './session.ts';

let folder: Folder;
beforeAll(() => {
  folder = new Folder();
});
afterAll(() => folder[Symbol.dispose]());

// It drops the requests of debug adapters, without which js-debug does nothing.
test.each<Name>(['debugpy', 'lldb-dap 19'])('%s', async (name) => {
  const { script, delegate, command, environment } = await debugged(name, folder.path);
  const client = new DebugClient(process.execPath, served, `kubernetes-local/${delegate.type}`, { env: environment });
  client.defaultTimeout = 60_000;
  await client.start();
  const args = {
    ...launchConfiguration(delegate),
    ...(command && { debugAdapter: { command } }),
    request: 'launch',
  };
  const stop = { path: script.source, line: lineOf(script.source, 'plain') };
  // Its type for launch arguments knows only the two of the specification.
  await client.hitBreakpoint(args as DebugProtocol.LaunchRequestArguments, stop);
  const { body } = await client.threadsRequest();
  expect(body.threads.length).toBeGreaterThan(0);
  await Promise.all([client.waitForEvent('terminated'), client.terminateRequest()]);
  await client.stop();
});
