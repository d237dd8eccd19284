/**
 * Processes that a Python program starts are debug sessions of their own, as without us: by `startDebugging` with the
 * newest debugpy, by `debugpyAttach` with Debian's (below 1.6.7), which the client then knows as `startDebugging` too.
 */
import { fileURLToPath } from 'node:url';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { DapClient } from '../dap-client.ts';
import { pythonWithNewDebugpy } from './debugpy-1.8.ts';
import { familyOf, survivors } from './processes.ts';

const served = fileURLToPath(new URL('served.ts', import.meta.url));
const program = fileURLToPath(new URL('debugpy/parent.py', import.meta.url));
/** The line with `print(answer)`. */
const line = 7;
const secret = 'a-secret-of-the-test-5f1c';

interface ChildConfiguration {
  readonly type: string;
  readonly request: 'launch' | 'attach';
  readonly delegate: { readonly type: string };
}

const clients = new Set<DapClient>();
afterEach(async () => {
  for (const client of clients) {
    client.endInput();
    client.kill('SIGKILL');
    await client.exited;
  }
  clients.clear();
});

async function start(): Promise<DapClient> {
  const client = DapClient.spawn([process.execPath, served, '--delegate', 'debugpy']);
  clients.add(client);
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

describe.each([
  ['of Debian', async () => '/usr/bin/python3'],
  ['of PyPI', pythonWithNewDebugpy],
] as const)('debugpy %s', (_where, findPython) => {
  test('has the child process debugged in a session of its own, without a secret on the way', async () => {
    const python = await findPython();
    const parent = await start();
    const asked = Promise.withResolvers<{ request: 'launch' | 'attach'; configuration: ChildConfiguration }>();
    parent.onReverseRequest('startDebugging', (args) => {
      asked.resolve(args as Awaited<typeof asked.promise>);
    });
    const delegate = { type: 'debugpy', request: 'launch', program, python, console: 'internalConsole' };
    const launch = { type: 'kubernetes-local', target: 'cart', delegate: { ...delegate, env: { SECRET: secret } } };
    const begun = begin(parent, 'launch', launch);
    const { request, configuration } = await asked.promise;
    await begun;
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
    const python = await findPython();
    const parent = await start();
    const asked = Promise.withResolvers<{ request: 'launch' | 'attach'; configuration: object }>();
    parent.onReverseRequest('startDebugging', (args) => {
      asked.resolve(args as Awaited<typeof asked.promise>);
    });
    const delegate = { type: 'debugpy', request: 'launch', program, python, console: 'internalConsole' };
    await begin(parent, 'launch', { type: 'kubernetes-local', target: 'cart', delegate });
    const { request, configuration } = await asked.promise;
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
