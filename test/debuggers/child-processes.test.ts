/**
 * Processes that a Python program starts are debug sessions of their own, as without us: by `startDebugging` with the
 * newest debugpy, by `debugpyAttach` with Debian's (below 1.6.7), which the client then knows as `startDebugging` too.
 */
import { fileURLToPath } from 'node:url';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { describe, expect, test, vi } from 'vitest';
import type { DapClient } from '../dap-client.ts';
import { pythonWithNewDebugpy } from './debugpy-1.8.ts';
import { familyOf, survivors } from './processes.ts';
import { startServed } from './served-client.ts';

const program = fileURLToPath(new URL('debugpy/parent.py', import.meta.url));
/** The line with `print(answer)`. */
const line = 7;
const secret = 'a-secret-of-the-test-5f1c';

/** What the debugger asks the client to start. */
interface ChildSession {
  readonly request: 'launch' | 'attach';
  readonly configuration: { readonly type: string; readonly delegate: { readonly type: string } };
}

async function start(): Promise<DapClient> {
  const client = startServed(['--delegate', 'debugpy']);
  await client.request('initialize', {
    clientID: 'test',
    adapterID: 'kubernetes-local',
    pathFormat: 'path',
    supportsStartDebuggingRequest: true,
  });
  return client;
}

/** As a client does it: breakpoints when it is asked for them, then the answer. */
async function begin(client: DapClient, request: 'launch' | 'attach', args: object): Promise<void> {
  const begun = client.request(request, args);
  await Promise.race([client.waitForEvent('initialized'), begun]);
  await client.request('setBreakpoints', { source: { path: program }, breakpoints: [{ line }] });
  await client.request('configurationDone');
  await begun;
}

/** A session of which the program has started a process, and what was asked for that one. */
async function startParent(python: string): Promise<ChildSession & { readonly parent: DapClient }> {
  const parent = await start();
  const asked = Promise.withResolvers<ChildSession>();
  // A debug adapter says it, and the test looks at what it says.
  parent.onReverseRequest('startDebugging', (args) => asked.resolve(args as ChildSession));
  const delegate = { type: 'debugpy', request: 'launch', program, python, console: 'internalConsole' };
  const env = { SECRET: secret };
  const begun = begin(parent, 'launch', { type: 'kubernetes-local', target: 'cart', delegate: { ...delegate, env } });
  const child = await asked.promise;
  await begun;
  return { parent, ...child };
}

describe.each([
  ['of Debian', async () => '/usr/bin/python3'],
  ['of PyPI', pythonWithNewDebugpy],
] as const)('debugpy %s', (_where, findPython) => {
  test('has the child process debugged in a session of its own, without a secret on the way', async () => {
    const { parent, request, configuration } = await startParent(await findPython());
    expect(configuration).toMatchObject({ type: 'kubernetes-local', request, delegate: { type: 'debugpy' } });
    expect(JSON.stringify(configuration)).not.toContain(secret);

    const child = await start();
    await begin(child, request, configuration);
    const { threadId } = await child.waitForEvent<{ threadId: number }>('stopped');
    const { stackFrames } = await child.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId });
    expect(stackFrames[0]).toMatchObject({ line });
    const frameId = stackFrames[0]?.id;
    expect(await child.request('evaluate', { expression: 'answer', frameId })).toMatchObject({
      result: "'child says from the cluster'",
    });
    const family = [...familyOf(parent.pid), ...familyOf(child.pid)];
    // Its ticket is used up.
    const thief = await start();
    await expect(thief.request(request, configuration)).rejects.toThrow('has served it before');

    await child.request('continue', { threadId });
    await child.waitForEvent('terminated');
    await child.request('disconnect');
    await parent.waitForEvent<{ output: string }>('output', ({ output }) => output.includes('parent done'));
    await parent.waitForEvent('terminated');
    await parent.request('disconnect');
    await Promise.all([parent.exited, child.exited]);
    await vi.waitFor(() => expect(survivors(family)).toEqual([]), { timeout: 20_000 });
  });

  test('ends parent and child when the parent is killed', async () => {
    const { parent, request, configuration } = await startParent(await findPython());
    const child = await start();
    await begin(child, request, configuration);
    await child.waitForEvent('stopped');
    const family = [...familyOf(parent.pid), ...familyOf(child.pid)];
    expect(family.length).toBeGreaterThan(4);
    parent.kill('SIGKILL');
    await child.waitForEvent('terminated');
    await child.request('disconnect');
    await Promise.all([parent.exited, child.exited]);
    await vi.waitFor(() => expect(survivors(family)).toEqual([]), { timeout: 20_000 });
  });
});
