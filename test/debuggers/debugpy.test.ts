/** The real debugpy behind the debug adapter: nothing changes for the client, and nothing is left behind. */
import { fileURLToPath } from 'node:url';
import { DebugClient } from '@vscode/debugadapter-testsupport';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { isRaw, type Raw } from '../../adapter/dap/message.ts';
import { DapClient } from '../dap-client.ts';
import { familyOf, survivors } from './processes.ts';

const python = '/usr/bin/python3';
const adapter = fileURLToPath(new URL('served.ts', import.meta.url));
const program = fileURLToPath(new URL('debugpy/program.py', import.meta.url));
const waiting = fileURLToPath(new URL('debugpy/waiting.py', import.meta.url));
/** The line with `total = unit * count`. */
const line = 7;
// Another Python may come first on PATH, without debugpy.
const env = { ...process.env, PATH: `/usr/bin:${process.env.PATH}`, VIRTUAL_ENV: '' };
const greeting = 'from the cluster';

const clients = new Set<DapClient>();
afterEach(async () => {
  for (const client of clients) {
    client.endInput();
    client.kill('SIGKILL');
    await client.exited;
  }
  clients.clear();
});

type Way = 'direct' | 'through the adapter';

function start(way: Way): DapClient {
  const argv =
    way === 'direct' ? [python, '-m', 'debugpy.adapter'] : [process.execPath, adapter, '--delegate', 'debugpy'];
  const client = DapClient.spawn(argv, { env });
  clients.add(client);
  return client;
}

/** The launch arguments; the environment is the user's own work in one way, and ours in the other. */
function launchArguments(way: Way, changes: object = {}): object {
  const args = { program, console: 'internalConsole', subProcess: false, ...changes };
  if (way === 'direct') return { ...args, env: { GREETING: greeting } };
  return { target: 'cart', delegate: { ...args, type: 'debugpy', request: 'launch' } };
}

const initializeArguments = {
  clientID: 'test',
  adapterID: 'kubernetes-local',
  pathFormat: 'path',
  linesStartAt1: true,
  columnsStartAt1: true,
  supportsVariableType: true,
};

/** One debug session with most of what a user does; `end` says how it is left. */
async function session(way: Way, end: 'continue' | 'disconnect'): Promise<DapClient> {
  const client = start(way);
  await client.request('initialize', initializeArguments);
  const launched = client.request('launch', launchArguments(way));
  await client.waitForEvent('initialized');
  const breakpoints = [
    { line, condition: 'count == 2' },
    { line: 16, logMessage: 'paid {paid} so far' },
  ];
  await client.request('setBreakpoints', { source: { path: program }, breakpoints });
  await client.request('setFunctionBreakpoints', { breakpoints: [] });
  await client.request('setExceptionBreakpoints', { filters: ['raised'] });
  await client.request('configurationDone');
  await launched;

  const { threadId } = await stopped(client, 'breakpoint');
  const { stackFrames } = await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId });
  const frameId = stackFrames[0]?.id;
  expect(stackFrames[0]).toMatchObject({ name: 'price', line });
  const { scopes } = await client.request<DebugProtocol.ScopesResponse['body']>('scopes', { frameId });
  const variablesReference = scopes[0]?.variablesReference;
  await client.request('variables', { variablesReference });
  const expression = '__import__("os").environ["GREETING"]';
  const evaluated = await client.request('evaluate', { expression, frameId, context: 'watch' });
  expect(evaluated).toMatchObject({ result: `'${greeting}'` });
  await client.request('setVariable', { variablesReference, name: 'count', value: '3' });
  await client.request('evaluate', { expression: 'nonsense', frameId });
  await expect(client.request('variables', { variablesReference: 99_999 })).rejects.toThrow('99999');
  await client.request('next', { threadId });
  await stopped(client, 'step');
  const total = await client.request('evaluate', { expression: 'total', frameId: await topFrame(client, threadId) });
  expect(total).toMatchObject({ result: '21' });
  await client.request('stepOut', { threadId });
  await stopped(client, 'step');
  await client.request('continue', { threadId });

  await stopped(client, 'exception');
  await client.waitForEvent<DebugProtocol.OutputEvent['body']>('output', ({ output }) => output.includes(greeting));
  await client.request('exceptionInfo', { threadId });
  await client.request('modules', {});
  await client.request('setExceptionBreakpoints', { filters: [] });
  if (end === 'continue') {
    await client.request('continue', { threadId });
    await client.waitForEvent('terminated');
  }
  await client.request('disconnect', end === 'disconnect' ? { terminateDebuggee: true } : {});
  client.endInput();
  expect(await client.exited).toEqual({ code: 0, signal: null });
  return client;
}

function stopped(
  client: DapClient,
  reason: string,
): Promise<DebugProtocol.StoppedEvent['body'] & { threadId: number }> {
  return client.waitForEvent('stopped', (body) => body.reason === reason);
}

async function topFrame(client: DapClient, threadId: number): Promise<number | undefined> {
  const { stackFrames } = await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId });
  return stackFrames[0]?.id;
}

/**
 * What the client saw, without what differs between two runs of debugpy: numbers of messages and processes, how
 * output is cut into events, and the order of what two threads of debugpy say at the same time.
 */
function trace(client: DapClient) {
  const responses: Raw[] = [];
  const lifecycle: string[] = [];
  const events: Record<string, unknown[]> = {};
  const output: Record<string, string> = {};
  for (const { direction, message } of client.transcript) {
    if (direction === 'sent') continue;
    const { seq, ...rest } = message;
    expect(seq).toBeTypeOf('number');
    if (rest.type !== 'event') {
      responses.push(rest);
    } else if (rest.event === 'output' && isRaw(rest.body)) {
      const category = String(rest.body.category);
      output[category] = (output[category] ?? '') + rest.body.output;
    } else {
      const { systemProcessId, ...body } = isRaw(rest.body) ? rest.body : {};
      const name = String(rest.event);
      events[name] = [...(events[name] ?? []), { ...rest, body }];
      if (/^(initialized|process|stopped|continued|exited|terminated)$/.test(name)) lifecycle.push(name);
    }
  }
  const lines = Object.entries(output).map(([category, text]) => [
    category,
    text.split('\n').filter(Boolean).toSorted(),
  ]);
  return { responses, lifecycle, events, output: Object.fromEntries(lines) as Record<string, string[]> };
}

/** The answer to `initialize` with what the adapter adds to it. */
function withAdditions(responses: readonly Raw[]): Raw[] {
  const added = {
    supportsConfigurationDoneRequest: true,
    supportsTerminateRequest: true,
    supportsCancelRequest: true,
    supportTerminateDebuggee: true,
    supportsRestartRequest: true,
  };
  return responses.map((response) =>
    response.command === 'initialize' && isRaw(response.body)
      ? { ...response, body: { ...response.body, ...added } }
      : response,
  );
}

describe('a session through the adapter', () => {
  test.each(['continue', 'disconnect'] as const)('is the same as without it, to its end by %s', async (end) => {
    const direct = trace(await session('direct', end));
    const through = trace(await session('through the adapter', end));
    expect(through.responses).toEqual(withAdditions(direct.responses));
    expect(through.lifecycle).toEqual(direct.lifecycle);
    expect(through.events).toEqual(direct.events);
    // The one line of our own.
    expect(through.output).toEqual({ ...direct.output, console: ['Connected.', ...(direct.output.console ?? [])] });
    expect(through.output.stdout).toContain(`paid 39 ${greeting}`);
  });

  test('serves the client of the protocol’s own test support', async () => {
    const client = new DebugClient(process.execPath, adapter, 'kubernetes-local/debugpy', { env });
    client.defaultTimeout = 60_000;
    await client.start();
    const args = { ...launchArguments('through the adapter'), request: 'launch' };
    // Its type for launch arguments knows only the two of the specification.
    await client.hitBreakpoint(args as DebugProtocol.LaunchRequestArguments, { path: program, line });
    const threads = await client.threadsRequest();
    expect(threads.body.threads.length).toBeGreaterThan(0);
    await Promise.all([client.waitForEvent('terminated'), client.terminateRequest()]);
    await client.stop();
  });

  test('names debugpy and the line that installs it, if it is missing', async () => {
    const client = start('through the adapter');
    const told = await client.request<DebugProtocol.Capabilities>('initialize', initializeArguments);
    expect(told.exceptionBreakpointFilters?.map(({ filter }) => filter)).toContain('uncaught');
    await client.request('disconnect');
    const other = DapClient.spawn([process.execPath, adapter], { env });
    clients.add(other);
    await other.request('initialize', initializeArguments);
    const launch = other.request('launch', launchArguments('through the adapter', { python: '/usr/bin/false' }));
    await expect(launch).rejects.toThrow('"/usr/bin/false -m pip install debugpy"');
  });
});

describe('nothing is left of adapter, debugger, program and what it started', () => {
  /** A running program with a child, and all processes of the session. */
  async function running() {
    const client = start('through the adapter');
    await client.request('initialize', initializeArguments);
    const launched = client.request('launch', launchArguments('through the adapter', { program: waiting }));
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
