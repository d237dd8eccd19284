/** debugpy behind the debug adapter: nothing is left behind, and what is missing is told. */
import { fileURLToPath } from 'node:url';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { describe, expect, test, vi } from 'vitest';
import type { DapClient } from '../dap-client.ts';
import { familyOf, survivors } from './processes.ts';
import { startServed } from './served-client.ts';

const waiting = fileURLToPath(new URL('debugpy/waiting.py', import.meta.url));
// Another Python may come first on PATH, without debugpy.
const env = { ...process.env, PATH: `/usr/bin:${process.env.PATH}`, VIRTUAL_ENV: '' };

function start(...options: readonly string[]): DapClient {
  return startServed(options, env);
}

function launchArguments(changes: object = {}): object {
  const own = { type: 'debugpy', request: 'launch', program: waiting, console: 'internalConsole', subProcess: false };
  return { target: 'cart', delegate: { ...own, ...changes } };
}

const initializeArguments = {
  clientID: 'test',
  adapterID: 'kubernetes-local',
  pathFormat: 'path',
  linesStartAt1: true,
  columnsStartAt1: true,
};

test('names debugpy and the line that installs it, if it is missing', async () => {
  const client = start('--delegate', 'debugpy');
  const told = await client.request<DebugProtocol.Capabilities>('initialize', initializeArguments);
  expect(told.exceptionBreakpointFilters?.map(({ filter }) => filter)).toContain('uncaught');
  await client.request('disconnect');
  const other = start();
  await other.request('initialize', initializeArguments);
  const launch = other.request('launch', launchArguments({ python: '/usr/bin/false' }));
  await expect(launch).rejects.toThrow('"/usr/bin/false -m pip install debugpy"');
});

describe('nothing is left of adapter, debugger, program and what it started', () => {
  /** A running program with a child, and all processes of the session. */
  async function running() {
    const client = start('--delegate', 'debugpy');
    await client.request('initialize', initializeArguments);
    const launched = client.request('launch', launchArguments());
    await client.waitForEvent('initialized');
    await client.request('configurationDone');
    await launched;
    const { systemProcessId: pid } = await client.waitForEvent<DebugProtocol.ProcessEvent['body']>('process');
    if (pid === undefined) throw new Error('debugpy did not say the pid of the program.');
    await vi.waitFor(() => expect(familyOf(pid)).toHaveLength(2), { timeout: 20_000 });
    const family = familyOf(client.pid);
    expect(family.map((one) => one.pid)).toContain(pid);
    const debuggerProcess = family.find((one) => one.line.includes('debugpy.adapter'));
    if (debuggerProcess === undefined) throw new Error('There is no debugger among the processes.');
    return { client, family, debuggerPid: debuggerProcess.pid };
  }

  test.each([
    ['disconnect', ({ client }) => void client.request('disconnect'), { code: 0, signal: null }],
    ['terminate and disconnect', ({ client }) => void leave(client), { code: 0, signal: null }],
    ['end of file', ({ client }) => client.endInput(), { code: 0, signal: null }],
    ['SIGTERM', ({ client }) => client.kill('SIGTERM'), { code: 0, signal: null }],
    ['SIGINT', ({ client }) => client.kill('SIGINT'), { code: 0, signal: null }],
    ['SIGHUP', ({ client }) => client.kill('SIGHUP'), { code: 0, signal: null }],
    ['SIGKILL', ({ client }) => client.kill('SIGKILL'), { code: null, signal: 'SIGKILL' }],
    ['SIGKILL of the debugger', ({ debuggerPid }) => process.kill(debuggerPid, 'SIGKILL'), { code: 6, signal: null }],
    ['SIGTERM of the debugger', ({ debuggerPid }) => process.kill(debuggerPid, 'SIGTERM'), { code: 6, signal: null }],
  ] as [string, (scene: Awaited<ReturnType<typeof running>>) => void, object][])(
    'after %s',
    async (_name, act, exit) => {
      const scene = await running();
      act(scene);
      expect(await scene.client.exited).toEqual(exit);
      await vi.waitFor(() => expect(survivors(scene.family)).toEqual([]), { timeout: 20_000 });
    },
  );

  async function leave(client: DapClient): Promise<void> {
    await client.request('terminate');
    await client.waitForEvent('terminated');
    await client.request('disconnect');
  }

  test('the client hears of the death of the debugger', async () => {
    const { client, debuggerPid } = await running();
    const asked = client.request('evaluate', { expression: '__import__("time").sleep(60)' });
    process.kill(debuggerPid, 'SIGKILL');
    await expect(asked).rejects.toThrow();
    await client.waitForEvent('output', (body: DebugProtocol.OutputEvent['body']) => body.category === 'important');
    await client.waitForEvent('terminated');
    await client.request('disconnect');
    expect((await client.exited).code).toBe(6);
  });
});
