/** A trace of a session with the real debugpy: it holds no secret, and the session goes the same way when it is played again. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseLaunchArguments } from '../../adapter/cli/launch-arguments.ts';
import { serve } from '../../adapter/dap/proxy.ts';
import { replay } from '../../adapter/dap/replay/replay.ts';
import type { Surroundings } from '../../adapter/dap/surroundings.ts';
import type { TraceEntry, TraceHead } from '../../adapter/dap/trace/format.ts';
import { readTrace } from '../../adapter/dap/trace/reading.ts';
import { TraceFile } from '../../adapter/dap/trace/trace-file.ts';
import { Redactor } from '../../adapter/diagnostics/redactor.ts';
import { DapClient } from '../dap-client.ts';

const python = '/usr/bin/python3';
const program = fileURLToPath(new URL('debugpy/program.py', import.meta.url));
const secrets = { ofUser: 'hunter2-of-the-user', ofPod: 'hunter3-of-the-pod' };

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trace-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type End = 'to the end of the program' | 'with terminate' | 'with disconnect' | 'when the client hangs up';

/** Writes the trace of a session in which the program prints both secrets; returns its path. */
async function record(end: End, initialize: object): Promise<string> {
  const path = join(folder, 'session.trace.jsonl');
  const redactor = new Redactor();
  const failed = (why: string) => {
    throw new Error(why);
  };
  using trace = new TraceFile(path, { version: 'test', options: { delegate: 'debugpy' } }, { redactor, failed });
  const surroundings: Surroundings = {
    parse: parseLaunchArguments,
    connect: async (_args, { progress, notice }) => {
      progress('Waiting for the agent', 50);
      notice('info', 'By the way.');
      // As cli/dap.ts does with variables that come from Secrets.
      redactor.add(secrets.ofPod);
      return { environment: { GREETING: 'hello', DATABASE: secrets.ofPod }, summary: 'Connected.' };
    },
    processStarted: () => {},
    disconnect: async () => 'undone',
  };
  const [input, output] = [new PassThrough(), new PassThrough()];
  const log = { redactor, write: () => {} };
  const options = {
    log,
    surroundings,
    delegate: 'debugpy',
    debugAdapter: { command: [python, '-m', 'debugpy.adapter'] },
  };
  const code = serve({ ...options, ...trace.session(), input, output }).finally(() => output.end());
  const client = DapClient.over(output, input);
  await client.request('initialize', { adapterID: 'kubernetes-local', pathFormat: 'path', ...initialize });
  const launched = client.request('launch', {
    target: 'cart',
    delegate: { type: 'debugpy', program, console: 'internalConsole', env: { API_TOKEN: secrets.ofUser } },
  });
  await client.waitForEvent('initialized');
  await client.request('setBreakpoints', { source: { path: program }, breakpoints: [{ line: 7 }] });
  await client.request('configurationDone');
  await launched;
  const { threadId } = await client.waitForEvent<{ threadId: number }>('stopped');
  const { stackFrames } = await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId });
  const frameId = stackFrames[0]?.id;
  // In one piece, for debugpy passes on each piece as it comes.
  const print = 'print(" ".join(__import__("os").environ[name] for name in ("API_TOKEN", "DATABASE")))';
  await client.request('evaluate', { expression: print, frameId, context: 'repl' });
  await client.waitForEvent('output', (body: DebugProtocol.OutputEvent['body']) =>
    Object.values(secrets).every((secret) => body.output.includes(secret)),
  );
  if (end === 'to the end of the program') {
    await client.request('setBreakpoints', { source: { path: program }, breakpoints: [] });
    await client.request('continue', { threadId });
    await client.waitForEvent('terminated');
  } else if (end === 'with terminate') {
    await client.request('terminate');
    await client.waitForEvent('terminated');
  }
  if (end !== 'when the client hangs up') await client.request('disconnect');
  client.endInput();
  expect(await code).toBe(0);
  return path;
}

test.each<[End, object]>([
  ['to the end of the program', { supportsProgressReporting: true }],
  ['with terminate', {}],
  ['with disconnect', { clientID: 'vscode' }],
  ['when the client hangs up', {}],
])('%s', async (end, initialize) => {
  const path = await record(end, initialize);
  const written = await readFile(path, 'utf8');
  expect(written).toContain('«redacted» «redacted»');
  for (const secret of Object.values(secrets)) expect(written).not.toContain(secret);

  let head: TraceHead | undefined;
  const entries: TraceEntry[] = [];
  for await (const part of readTrace(path)) {
    if (part.kind === 'head') head = part.head;
    if (part.kind === 'entry') entries.push(part.entry);
  }
  if (head === undefined) throw new Error('The trace has no beginning.');
  const { differences, compared } = await replay({ head, entries }, { parse: parseLaunchArguments });
  expect(differences).toEqual([]);
  expect(compared.toDebugger).toBeGreaterThan(6);
});
