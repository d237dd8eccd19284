import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { DapClient } from '../../../test/dap-client.ts';
import { custom } from '../../debuggers/custom.ts';
import { Redactor } from '../../diagnostics/redactor.ts';
import { Problem } from '../../problem.ts';
import { begin, type Scene, script } from '../fixtures/scene.ts';
import { isRaw, type Raw } from '../message.ts';
import type { ServeOptions } from '../options.ts';
import type { Surroundings } from '../surroundings.ts';
import { TraceContent } from '../trace/content.ts';
import type { TraceEntry, TraceMessage } from '../trace/format.ts';
import { readTrace } from '../trace/reading.ts';
import type { RecordedSession } from './recording.ts';
import { replay } from './replay.ts';

/** Enough for a busy computer, and little where a replay has to wait in vain. */
const patience = 1500;

const parse: Surroundings['parse'] = (args, request) => {
  const delegate = isRaw(args) && isRaw(args.delegate) ? args.delegate : undefined;
  if (delegate === undefined) {
    throw new Problem({
      code: 'missing-key',
      what: 'There is no "delegate".',
      why: 'It is needed.',
      remedy: 'Add it.',
    });
  }
  return { delegateType: String(delegate.type), request, delegateArguments: { ...delegate } };
};

/** A session of debugpy 1.6.3, recorded as test/debuggers/trace.test.ts does it; its paths and pids are made up. */
async function recordedWithDebugpy(): Promise<RecordedSession> {
  const path = fileURLToPath(new URL('../fixtures/debugpy.trace.jsonl', import.meta.url));
  const parts = [];
  for await (const part of readTrace(path)) if (part.kind === 'entry') parts.push(part);
  const [first] = parts;
  if (first === undefined) throw new Error('It is empty.');
  return { head: first.head, entries: parts.map(({ entry }) => entry) };
}

/** Records what happens between a client and the fake debugger. */
async function record(
  act: (scene: Scene) => Promise<unknown>,
  { words = [], ...options }: { words?: readonly string[] } & Partial<ServeOptions> = {},
): Promise<RecordedSession> {
  const entries: TraceEntry[] = [];
  const content = new TraceContent(new Redactor());
  const common = () => ({ time: performance.now() - start, pid: 1, session: 1 });
  const start = performance.now();
  const command = [process.execPath, script, ...words];
  const scene = begin({
    delegate: 'custom',
    profiles: [custom],
    debugAdapter: { command },
    trace: (direction, message) =>
      // As it comes out of a file.
      entries.push({ ...common(), direction, message: JSON.parse(JSON.stringify(content.of(message))) }),
    traceEnded: (direction, end) => entries.push({ ...common(), direction, end }),
    ...options,
  });
  await act(scene);
  scene.stage.ready();
  await scene.client.request('disconnect').catch(() => {});
  scene.client.endInput();
  await scene.code;
  const head = { version: '1', node: 'v24', platform: 'linux', started: new Date().toISOString() };
  return { head: { ...head, trace: 1, pid: 1, options: { delegate: 'custom', command: [...command] } }, entries };
}

const delegate = { type: 'custom', request: 'launch', program: 'x', env: { COLOR: 'red' } };

async function launched({ client, stage }: Scene, initialize: object = {}): Promise<void> {
  stage.ready();
  await client.request('initialize', { adapterID: 'kubernetes-local', ...initialize });
  const answer = client.request('launch', { delegate });
  await client.waitForEvent('initialized');
  await client.request('setBreakpoints', { source: { path: 'x' }, breakpoints: [{ line: 1 }] });
  await answer;
}

/** A message of one direction. */
function messageOf(direction: TraceMessage['direction'], has: Raw): (entry: TraceEntry) => entry is TraceMessage {
  return (entry): entry is TraceMessage =>
    entry.direction === direction &&
    'message' in entry &&
    Object.entries(has).every(([key, value]) => entry.message[key] === value);
}

function changed(
  session: RecordedSession,
  which: (entry: TraceEntry) => entry is TraceMessage,
  change: (message: Raw) => Raw,
) {
  const entries = session.entries.map((entry) =>
    which(entry) ? { ...entry, message: { ...change(entry.message) } } : entry,
  );
  return { ...session, entries };
}

const isStopped = messageOf('to client', { event: 'stopped' });

describe('the session of a bug report', () => {
  test('goes as it was recorded', async () => {
    const session = await recordedWithDebugpy();
    const replayed = await replay(session, { parse });
    expect(replayed.differences).toEqual([]);
    const count = (direction: string) => session.entries.filter((entry) => entry.direction === direction).length;
    // The two of progress and the line that tells of the connection are the cluster's.
    expect(replayed.leftOut).toBe(3);
    expect(replayed.compared).toEqual({ toClient: count('to client') - 3, toDebugger: count('to debugger') });
    expect(count('to debugger')).toBeGreaterThan(10);
  });

  test('shows a message that is another now, and where', async () => {
    const session = changed(await recordedWithDebugpy(), isStopped, (message) => ({
      ...message,
      body: { ...Object(message.body), reason: 'step' },
    }));
    const { differences } = await replay(session, { parse });
    expect(differences).toMatchObject([
      {
        direction: 'to client',
        recorded: { message: { event: 'stopped', body: { reason: 'step' } } },
        now: { event: 'stopped', body: { reason: 'breakpoint' } },
        place: ['body', 'reason'],
      },
    ]);
  });

  test('shows a message to the debugger that is another now', async () => {
    const evaluate = messageOf('to debugger', { command: 'evaluate' });
    const session = changed(await recordedWithDebugpy(), evaluate, (message) => ({ ...message, arguments: {} }));
    const { differences } = await replay(session, { parse });
    expect(differences).toMatchObject([{ direction: 'to debugger', now: { command: 'evaluate' } }]);
    expect(differences[0]?.place?.[0]).toBe('arguments');
  });

  test('shows a message that is new', async () => {
    const session = await recordedWithDebugpy();
    const entries: TraceEntry[] = session.entries.filter((entry) => !isStopped(entry));
    const { differences } = await replay({ ...session, entries }, { parse });
    expect(differences).toMatchObject([{ direction: 'to client', now: { event: 'stopped' } }]);
  });

  test('shows a message that does not come', async () => {
    const session = await recordedWithDebugpy();
    const entries = session.entries.flatMap<TraceEntry>((entry) => (isStopped(entry) ? [entry, entry] : [entry]));
    const { differences } = await replay({ ...session, entries }, { parse, patience });
    expect(differences).toMatchObject([{ direction: 'to client', recorded: { message: { event: 'stopped' } } }]);
  });
});

describe('what was recorded just now goes the same way again', () => {
  const big = { type: 'event', event: 'output', body: { output: 'x'.repeat(30_000) } };

  test.each([
    ['a launch and its end', (scene) => launched(scene)],
    ['progress', (scene) => launched(scene, { supportsProgressReporting: true })],
    ['notices of the cluster', notices],
    [
      'long messages, numbers of all kinds, and what it does not know',
      async (scene) => {
        await launched(scene);
        const odd = { type: 'event', event: 'odd', more: [1, null, { deep: 2 ** 60 }] };
        const list = {
          type: 'event',
          event: 'list',
          body: { list: Array.from({ length: 40 }, () => big.body.output) },
        };
        await scene.client.request('emit', { messages: [big, odd, list] });
      },
    ],
    [
      'a terminal',
      async (scene) => {
        scene.client.onReverseRequest('runInTerminal', () => ({ processId: 1 }));
        await launched(scene, { supportsRunInTerminalRequest: true });
        const args = { args: ['env', 'A=1', 'program'], env: { TOKEN: 'abcdef' }, cwd: '/' };
        await scene.client.request('ask', { request: { command: 'runInTerminal', arguments: args } });
      },
    ],
    [
      'a child session that is asked for',
      async (scene) => {
        scene.client.onReverseRequest('startDebugging', () => undefined);
        await launched(scene, { supportsStartDebuggingRequest: true });
        const args = { request: 'launch', configuration: { a: 1 } };
        await scene.client.request('ask', { request: { command: 'startDebugging', arguments: args } });
      },
    ],
    ['a cluster that refuses', refused],
    ['a launch that is cancelled while it connects', cancelled],
    [
      'a client that hangs up',
      async (scene) => {
        await launched(scene);
        scene.client.endInput();
        await scene.code;
      },
    ],
    [
      'a client that hangs up while it connects',
      async ({ client, stage, code }) => {
        await client.request('initialize', {});
        client.send('launch', { delegate });
        await stage.asked.promise;
        stage.undone.resolve('undone');
        client.endInput();
        await code;
      },
    ],
    [
      'a debugger that dies',
      async (scene) => {
        await launched(scene);
        await scene.client.request('die').catch(() => {});
        await scene.client.waitForEvent('terminated');
      },
    ],
    [
      'a configuration that is wrong',
      async ({ client, stage }) => {
        stage.ready();
        await client.request('initialize', {});
        await expect(client.request('launch', { wrong: true })).rejects.toThrow('no "delegate"');
      },
    ],
  ] as [string, (scene: Scene) => Promise<unknown>][])('%s', async (_name, act) => {
    const session = await record(act);
    const { differences, compared } = await replay(session, { parse });
    expect(differences).toEqual([]);
    expect(compared.toClient).toBeGreaterThan(0);
  });

  test.each([
    ['numbers as text', ['string-seq'], (scene) => launched(scene)],
    ['a debugger that ends the program itself', ['can-terminate'], terminated],
    ['a debugger that is told to', [], terminated],
    ['a debugger that breaks at its start', ['die-at-start'], failing],
    ['a debugger that refuses the launch', ['refuse-launch'], failing],
    ['a debugger that dies of the launch', ['die-at-launch'], failing],
    ['a debugger that does not answer', ['ignore-disconnect'], (scene) => launched(scene)],
  ] as [string, string[], (scene: Scene) => Promise<unknown>][])('%s', async (_name, words, act) => {
    // The usual time for an answer that does not come.
    const session = await record(act, {
      words,
      ...(words.includes('ignore-disconnect') && { timing: { disconnect: 500 } }),
    });
    expect((await replay(session, { parse })).differences).toEqual([]);
  });

  test('a debugger that is missing', async () => {
    const session = await record(failing, {
      debugAdapter: { command: ['/no/such/debugger'] },
    });
    expect((await replay(session, { parse })).differences).toEqual([]);
  });

  test('a client that was answered before the cluster refused', async () => {
    const timing = { earlyAnswer: { test: 50 } };
    const session = await record(
      async ({ client, stage }) => {
        await client.request('initialize', { clientID: 'test' });
        await client.request('launch', { delegate });
        stage.connected.reject(unreachable());
        stage.undone.resolve('undone');
        await client.waitForEvent('terminated');
      },
      { timing },
    );
    expect((await replay(session, { parse, timing })).differences).toEqual([]);
  });

  test('a restart with another debugger', async () => {
    const session = await record(async (scene) => {
      await launched(scene);
      await scene.client.request('configurationDone');
      await scene.client.request('restart');
      await scene.client.request('echo', { a: 1 });
    });
    const { differences, compared } = await replay(session, { parse });
    expect(differences).toEqual([]);
    expect(compared.toDebugger).toBeGreaterThan(6);
  });

  test('a debugger that the launch replaces by another', async () => {
    const session = await record(
      async (scene) => {
        await launched(scene);
        await scene.client.request('echo', { a: 1 });
      },
      {
        profiles: [
          {
            ...custom,
            command: ({ args }) => ({
              argv: [process.execPath, script, ...(args.program === undefined ? [] : ['of-the-launch'])],
              origin: 'test',
              transport: { kind: 'stdio' },
            }),
          },
        ],
      },
    );
    expect(session.entries.filter(messageOf('to debugger', { command: 'initialize' }))).toHaveLength(2);
    expect((await replay(session, { parse })).differences).toEqual([]);
  });

  test('a session of which the end is missing', async () => {
    const session = await record(launched);
    // What it led to, nobody came to write down.
    const last = session.entries.findIndex(messageOf('from client', { command: 'setBreakpoints' }));
    const { differences, compared } = await replay(
      { ...session, entries: session.entries.slice(0, last + 1) },
      { parse },
    );
    expect(differences).toEqual([]);
    expect(compared.toDebugger).toBe(2);
  });

  test('but for a message after the end that was not there', async () => {
    const session = await record(terminated);
    const entries = session.entries.filter((entry) => !messageOf('to client', { event: 'terminated' })(entry));
    const { differences } = await replay({ ...session, entries }, { parse });
    expect(differences).toMatchObject([{ direction: 'to client', now: { event: 'terminated' } }]);
  });
});

describe('what cannot be played again is refused with the reason', () => {
  test('a session in which two debuggers speak at once', async () => {
    const session = await record(launched);
    const initialize = session.entries.find(messageOf('to debugger', { command: 'initialize' }));
    if (initialize === undefined) throw new Error('There is no debugger.');
    const message = { seq: 9, type: 'request', command: 'startDebugging', arguments: {} };
    const entries = [...session.entries, { ...initialize, direction: 'from debugger' as const, message }, initialize];
    await expect(replay({ ...session, entries }, { parse })).rejects.toMatchObject({
      code: 'trace-unusable',
      why: expect.stringContaining('speak at once'),
    });
  });

  test('a child session', async () => {
    const session = changed(await record(launched), messageOf('from client', { command: 'launch' }), (message) => ({
      ...message,
      arguments: { __kubernetesLocal: { endpoint: '/run/x', token: '…' } },
    }));
    await expect(replay(session, { parse })).rejects.toMatchObject({
      code: 'trace-unusable',
      why: expect.stringContaining('child session'),
    });
  });

  test('a session in which no client speaks', async () => {
    const session = await record(launched);
    const entries = session.entries.filter(({ direction }) => direction !== 'from client');
    await expect(replay({ ...session, entries }, { parse })).rejects.toThrow('The client says nothing');
  });
});

function unreachable(): Problem {
  return new Problem({ code: 'cluster-unreachable', what: 'No answer.', why: 'No route', remedy: 'Look at the VPN.' });
}

async function refused({ client, stage }: Scene): Promise<void> {
  await client.request('initialize', { supportsProgressReporting: true });
  const answer = client.request('launch', { delegate });
  await stage.asked.promise;
  stage.undone.resolve('undone');
  stage.connected.reject(unreachable());
  await expect(answer).rejects.toThrow('No answer. No route. Look at the VPN.');
  await client.waitForEvent('terminated');
}

async function cancelled({ client, stage }: Scene): Promise<void> {
  await client.request('initialize', { supportsProgressReporting: true });
  const answer = client.request('launch', { delegate });
  const { progressId } = await progressStarted(client);
  stage.undone.resolve('undone');
  await client.request('cancel', { progressId });
  await expect(answer).rejects.toThrow('cancelled');
}

function progressStarted(client: DapClient): Promise<{ progressId: string }> {
  return client.waitForEvent('progressStart');
}

async function notices(scene: Scene): Promise<void> {
  await launched(scene);
  const hooks = await scene.stage.asked.promise;
  hooks.notice('warning', 'A pod is gone.');
  await scene.client.waitForEvent('output', ({ output }: { output: string }) => output.includes('A pod is gone.'));
  await scene.client.request('echo', { a: 1 });
}

async function terminated(scene: Scene): Promise<void> {
  await launched(scene);
  await scene.client.request('terminate');
  await scene.client.waitForEvent('terminated');
}

async function failing({ client, stage }: Scene): Promise<void> {
  stage.ready();
  await client.request('initialize', {});
  await expect(client.request('launch', { delegate })).rejects.toThrow();
}
