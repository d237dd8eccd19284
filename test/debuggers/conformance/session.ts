/** One debug session with most of what a user does; the same for each debugger, as far as it can do it. */
import { readFileSync } from 'node:fs';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { expect, vi } from 'vitest';
import { type DapClient, DapError } from '../../dap-client.ts';

/** What the program and the debugger make of the script. */
export interface Script {
  /** The file with the lines that are marked by a comment: conditional, log, plain. */
  readonly source: string;
  readonly condition: string;
  /** The log point's message, and what is printed then. */
  readonly log?: { readonly message: string; readonly printed: string };
  readonly functionBreakpoint?: string;
  /** Exception filters that are set, and the reason of the stop when the program throws. */
  readonly filters: readonly string[];
  readonly throws?: string;
  /** An expression of both parameters of `price`, whose value is 702. */
  readonly expression: string;
  /** The scope in which "count" is set to 3, if the debugger can. */
  readonly setsVariables: boolean;
}

/** How the session ends. */
export type End = 'by the end of the program' | 'by disconnect' | 'by restart and disconnect';

/** `launch` or `attach`, and its arguments. */
export interface Start {
  readonly adapterID: string;
  readonly request: string;
  readonly arguments: unknown;
  /** The client knows no child sessions. */
  readonly oneSession?: true;
}

type Stopped = DebugProtocol.StoppedEvent['body'];

/** Up to the answer to `launch`; returns what the debugger can do. */
export async function begin(
  client: DapClient,
  { adapterID, request, arguments: args, oneSession }: Start,
  script: Script,
): Promise<DebugProtocol.Capabilities> {
  const capabilities = await initialize(client, { adapterID, ...(oneSession && { oneSession }) });
  const launched = client.request(request, args);
  await Promise.race([client.waitForEvent('initialized'), launched.then(() => new Promise(() => {}))]);
  await configure(client, script);
  await launched;
  return capabilities;
}

export function initialize(
  client: DapClient,
  { adapterID, oneSession }: Pick<Start, 'adapterID' | 'oneSession'>,
): Promise<DebugProtocol.Capabilities> {
  return client.request('initialize', {
    clientID: 'test',
    adapterID,
    pathFormat: 'path',
    linesStartAt1: true,
    columnsStartAt1: true,
    supportsVariableType: true,
    supportsMemoryReferences: true,
    supportsMemoryEvent: true,
    supportsInvalidatedEvent: true,
    supportsStartDebuggingRequest: oneSession !== true,
  });
}

/** Everything that an IDE says between `initialized` and `configurationDone`. */
async function configure(client: DapClient, script: Script): Promise<void> {
  const breakpoints = [
    { line: lineOf(script.source, 'conditional'), condition: script.condition },
    ...(markedLine(script.source, 'plain') === 0 ? [] : [{ line: lineOf(script.source, 'plain') }]),
    ...(script.log === undefined ? [] : [{ line: lineOf(script.source, 'log'), logMessage: script.log.message }]),
  ];
  await client.request('setBreakpoints', { source: { path: script.source }, breakpoints });
  if (script.functionBreakpoint !== undefined) {
    await client.request('setFunctionBreakpoints', { breakpoints: [{ name: script.functionBreakpoint }] });
  }
  if (script.filters.length > 0) await client.request('setExceptionBreakpoints', { filters: script.filters });
  await client.request('configurationDone');
}

/** The whole session. */
export async function debug(client: DapClient, start: Start, script: Script, end: End): Promise<void> {
  const capabilities = await begin(client, start, script);
  const first = await atConditional(client, script);
  const { threadId, frameId, variablesReference } = first;
  const evaluated = await client.request<Evaluated>('evaluate', {
    expression: script.expression,
    frameId,
    context: 'watch',
  });
  expect(evaluated.result).toMatch(/\b702\b/);
  // cdt-gdb-adapter and rdbg say in the result that it is none.
  const failed = client.request<Evaluated>('evaluate', { expression: 'nonsense', frameId, context: 'watch' });
  expect(await failed.then(({ result }) => result, String)).toMatch(/error/i);
  if (script.setsVariables) await client.request('setVariable', { variablesReference, name: 'count', value: '3' });
  await client.request('next', { threadId });
  const stepped = await stop(client);
  const total = await client.request<Evaluated>('evaluate', {
    expression: 'total',
    frameId: stepped.frameId,
    context: 'watch',
  });
  expect(total.result).toMatch(script.setsVariables ? /\b21\b/ : /\b14\b/);
  await client.request('stepOut', { threadId });
  await stop(client);
  await client.request('continue', { threadId });

  const plain = await stop(client);
  expect(plain.line).toBe(lineOf(script.source, 'plain'));
  if (end === 'by disconnect') {
    await unlessGone(client.request('disconnect', { terminateDebuggee: true }));
    return;
  }
  if (end === 'by restart and disconnect') {
    // As VS Code does: with the configuration again.
    await client.request('restart', { arguments: start.arguments });
    await atConditional(client, script);
    await unlessGone(client.request('disconnect', { terminateDebuggee: true }));
    return;
  }
  await client.request('stepIn', { threadId });
  await stop(client);
  await client.request('continue', { threadId });
  if (script.functionBreakpoint !== undefined) {
    await stop(client);
    await client.request('continue', { threadId });
  }
  if (script.throws !== undefined) {
    const thrown = await stop(client);
    expect(thrown.reason).toBe(script.throws);
    // rdbg falls over requests that it does not know.
    if (capabilities.supportsExceptionInfoRequest) await client.request('exceptionInfo', { threadId });
    await client.request('continue', { threadId });
  }
  await unlessGone(client.waitForEvent('terminated'));
  await unlessGone(client.request('disconnect', {}));
}

/** The stop at the conditional breakpoint, and what is looked at there. */
export async function atConditional(client: DapClient, script: Script) {
  const stopped = await stop(client);
  expect(stopped.line).toBe(lineOf(script.source, 'conditional'));
  const { scopes } = await client.request<DebugProtocol.ScopesResponse['body']>('scopes', { frameId: stopped.frameId });
  const variablesReference = scopes[0]?.variablesReference;
  const { variables } = await client.request<DebugProtocol.VariablesResponse['body']>('variables', {
    variablesReference,
  });
  const values = Object.fromEntries(variables.map(({ name, value }) => [name, value]));
  expect(values).toMatchObject({ unit: '7', count: '2' });
  return { ...stopped, variablesReference, values };
}

/** rdbg is its program, and may be gone with it before it has said so. */
async function unlessGone(last: Promise<unknown>): Promise<void> {
  await last.catch((error: unknown) => {
    if (error instanceof DapError) throw error;
  });
}

type Evaluated = DebugProtocol.EvaluateResponse['body'];

/** The next stop. IDEs ask for threads and stack at each. */
async function stop(client: DapClient) {
  const stopped = await client.waitForEvent<Stopped>('stopped');
  const { threads } = await client.request<DebugProtocol.ThreadsResponse['body']>('threads');
  const threadId = stopped.threadId ?? threads[0]?.id;
  const { stackFrames } = await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', {
    threadId,
    startFrame: 0,
    levels: 20,
  });
  const [top] = stackFrames;
  return { reason: stopped.reason, threadId, frameId: top?.id, line: top?.line };
}

/** Resolves when the program has printed this, however it is cut into events. */
export async function printed(client: DapClient, text: string): Promise<void> {
  const all = () => client.events<DebugProtocol.OutputEvent['body']>('output').map(({ output }) => output);
  await vi.waitFor(() => expect(all().join('')).toContain(text), { timeout: 30_000 });
}

/** The number of the line with the comment. */
export function lineOf(source: string, mark: string): number {
  const line = markedLine(source, mark);
  if (line === 0) throw new Error(`${source} has no line for ${mark}.`);
  return line;
}

/** 0 if there is none. */
function markedLine(source: string, mark: string): number {
  const comment = new RegExp(`(#|//|/\\*) ${mark}( \\*/)?$`);
  return (
    readFileSync(source, 'utf8')
      .split('\n')
      .findIndex((line) => comment.test(line)) + 1
  );
}
