import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DapClient } from '../../test/dap-client.ts';
import type { DebuggerProfile, DelegateCommand } from '../debuggers/profile.ts';
import { silentLog } from '../diagnostics/log.ts';
import { Problem } from '../problem.ts';
import {
  begin,
  delegate,
  disconnected,
  installLine,
  receivedBy,
  refusal,
  run,
  script,
  story,
} from './fixtures/scene.ts';
import { isRaw, type Raw } from './message.ts';
import { TraceContent } from './trace/content.ts';

describe('initialize', () => {
  test('is answered with what the debugger can do, unknown keys kept, and what we can do for it', async () => {
    const { client } = begin();
    const body = await client.request('initialize', { adapterID: 'kubernetes-local', clientID: 'x', unheardOf: [1] });
    expect(body).toEqual({
      supportsFunctionBreakpoints: true,
      supportsUnheardOf: { deep: [1] },
      exceptionBreakpointFilters: [{ filter: 'all', label: 'All' }],
      supportsConfigurationDoneRequest: true,
      supportsTerminateRequest: true,
      supportsCancelRequest: true,
      supportTerminateDebuggee: true,
      supportsRestartRequest: true,
    });
    const [initialize] = await receivedBy(client);
    expect(initialize).toEqual({
      seq: 1,
      type: 'request',
      command: 'initialize',
      arguments: { adapterID: 'the-fake', clientID: 'x', unheardOf: [1] },
    });
  });

  test('takes the debugger from an adapterID like kubernetes-local/fake', async () => {
    const { client } = begin({ delegate: undefined } as object);
    const body = await client.request('initialize', { adapterID: 'kubernetes-local/fake' });
    expect(body).toMatchObject({ supportsUnheardOf: { deep: [1] } });
  });

  test('names the known debuggers if it does not know the one it is given', async () => {
    const { client } = begin({ delegate: 'fakr' });
    const error = await refusal(client.request('initialize', {}));
    expect(error.body?.error).toMatchObject({ id: 6002, showUser: true });
    expect(error.body?.error?.format).toBe('There is no debugger "fakr". Known are fake. Did you mean "fake"?');
  });

  test('may be sent only once, and must come first', async () => {
    const { client } = begin();
    await expect(client.request('threads')).rejects.toThrow('The first request must be initialize');
    await client.request('initialize', {});
    await expect(client.request('initialize', {})).rejects.toThrow('only once');
  });

  test('without a known debugger is answered at once, and corrected by one event before initialized', async () => {
    const scene = begin({ delegate: undefined } as object);
    scene.stage.ready();
    const told = await scene.client.request('initialize', { adapterID: 'kubernetes-local' });
    expect(told).not.toHaveProperty('supportsFunctionBreakpoints');
    const launched = scene.client.request('launch', { delegate });
    await scene.client.waitForEvent('initialized');
    await launched;
    expect(scene.client.events('capabilities')).toEqual([
      {
        capabilities: {
          supportsFunctionBreakpoints: true,
          supportsUnheardOf: { deep: [1] },
          exceptionBreakpointFilters: [{ filter: 'all', label: 'All' }],
        },
      },
    ]);
    expect(story(scene.client).filter((one) => one !== 'output')).toEqual([
      'initialize:true',
      'capabilities',
      'initialized',
      'launch:true',
    ]);
  });

  test('falls back to the static profile if the debugger does not start, and says why at launch', async () => {
    const check = async () => {
      throw new Problem({ code: 'delegate-missing', what: 'Fake is missing.', why: '', remedy: installLine });
    };
    const scene = begin({ words: ['die-at-start'], profile: { check } });
    const told = await scene.client.request('initialize', {});
    expect(told).toMatchObject({ supportsFunctionBreakpoints: true, supportsStepBack: true });
    const launched = refusal(scene.client.request('launch', { delegate }));
    scene.stage.undone.resolve('undone');
    const error = await launched;
    expect(error.body?.error?.format).toContain(installLine);
    expect(scene.stage.calls).not.toContain('connect');
  });

  test('takes back what the static profile promised in vain', async () => {
    // The second start, at launch, is without the word that makes the first fail.
    let starts = 0;
    const command = (): DelegateCommand => ({
      argv: [process.execPath, script, starts++ === 0 ? 'die-at-start' : ''],
      origin: 'test',
      transport: { kind: 'stdio' },
    });
    const scene = begin({ profile: { command } });
    await run(scene);
    expect(scene.client.events<{ capabilities: object }>('capabilities')[0]?.capabilities).toMatchObject({
      supportsStepBack: false,
      supportsUnheardOf: { deep: [1] },
    });
  });
});

describe('launch', () => {
  test('connects, then gives the debugger its own arguments with the environment', async () => {
    const scene = begin();
    await run(scene);
    const launch = (await receivedBy(scene.client)).find(({ command }) => command === 'launch');
    expect(launch?.arguments).toEqual({ ...delegate, env: { GREETING: 'hello' } });
    expect(scene.stage.calls).toEqual(['parse', 'connect']);
    expect(scene.client.events('output')).toEqual([{ category: 'console', output: 'Connected.\n' }]);
  });

  test('holds initialized, and events after it, until the debugger has its launch', async () => {
    const scene = begin({ words: ['early-initialized'] });
    await scene.client.request('initialize', {});
    const emitted = { messages: [{ type: 'event', event: 'custom', body: 1 }] };
    // It answers although the events are held.
    await scene.client.request('emit', emitted);
    expect(story(scene.client)).toEqual(['initialize:true', 'emit:true']);
    scene.stage.connected.resolve({ environment: {}, summary: '' });
    await scene.client.request('launch', { delegate });
    await scene.client.waitForEvent('custom');
    expect(story(scene.client).slice(2)).toEqual(['initialized', 'custom', 'launch:true']);
  });

  test('keeps requests that come while it connects, in order, and lets unknown ones through', async () => {
    const scene = begin();
    await scene.client.request('initialize', {});
    const launched = scene.client.request('launch', { delegate });
    await scene.stage.asked.promise;
    const early = [
      scene.client.request('setExceptionBreakpoints', { filters: [] }),
      scene.client.request('unheardOf', { a: 1 }),
    ];
    scene.stage.ready();
    await Promise.all([launched, ...early]);
    const commands = (await receivedBy(scene.client)).map(({ command }) => command);
    expect(commands).toEqual(['initialize', 'launch', 'setExceptionBreakpoints', 'unheardOf', 'received']);
  });

  test('reports a problem of the arguments in its answer and touches nothing', async () => {
    const scene = begin();
    scene.stage.undone.resolve('undone');
    await scene.client.request('initialize', {});
    const error = await refusal(scene.client.request('launch', { target: 'x' }));
    expect(error.message).toContain('missing-key');
    expect(error.body?.error).toEqual({
      id: 2003,
      format: 'There is no "delegate". It is needed. Add it.',
      showUser: true,
    });
    expect(scene.stage.calls).not.toContain('connect');
    expect(story(scene.client)).toEqual(['initialize:true', 'launch:false']);
    await scene.client.request('disconnect');
    expect(await scene.code).toBe(2);
  });

  test('reports a problem of connecting after everything is undone', async () => {
    const scene = begin();
    await scene.client.request('initialize', {});
    const launched = refusal(scene.client.request('launch', { delegate }));
    await scene.stage.asked.promise;
    scene.stage.connected.reject(new Problem({ code: 'target-missing', what: 'No cart.', why: '', remedy: 'Look.' }));
    await disconnected(scene);
    expect(story(scene.client)).not.toContain('launch:false');
    scene.stage.undone.resolve('undone');
    expect((await launched).body?.error).toMatchObject({ id: 4001, format: 'No cart. Look.' });
    await expect(scene.client.request('threads')).rejects.toThrow('over');
    scene.client.endInput();
    expect(await scene.code).toBe(4);
  });

  test('shows progress with cancel to a client that can, and as lines to one that cannot', async () => {
    for (const supportsProgressReporting of [true, false]) {
      const scene = begin();
      await scene.client.request('initialize', { supportsProgressReporting });
      const sent = scene.client.send('launch', { delegate });
      const hooks = await scene.stage.asked.promise;
      hooks.progress('Waiting for the pod', 40);
      hooks.progress('Waiting for the pod', 140);
      scene.stage.ready();
      await sent.response;
      const progressId = 'kubernetes-local-connecting';
      const start = { progressId, title: 'Connecting', requestId: sent.seq, cancellable: true };
      expect(scene.client.events('progressStart')).toEqual(supportsProgressReporting ? [start] : []);
      expect(scene.client.events('progressUpdate')).toEqual(
        supportsProgressReporting
          ? [40, 100].map((percentage) => ({ progressId, message: 'Waiting for the pod', percentage }))
          : [],
      );
      expect(scene.client.events('progressEnd')).toEqual(supportsProgressReporting ? [{ progressId }] : []);
      expect(scene.client.events<{ output: string }>('output').map(({ output }) => output)).toEqual(
        supportsProgressReporting ? ['Connected.\n'] : ['Waiting for the pod\n', 'Connected.\n'],
      );
    }
  });

  test.each([
    ['the progress', () => ({ progressId: 'kubernetes-local-connecting' })],
    ['the request', (seq: number) => ({ requestId: seq })],
  ])('is cancelled by cancelling %s', async (_name, args) => {
    const scene = begin();
    await scene.client.request('initialize', { supportsProgressReporting: true });
    const sent = scene.client.send('launch', { delegate });
    await scene.stage.asked.promise;
    await scene.client.request('cancel', args(sent.seq));
    scene.stage.undone.resolve('undone');
    const error = await refusal(sent.response);
    expect(error.message).toContain('cancelled');
    expect(error.body?.error).toMatchObject({ id: 6005, showUser: false });
    expect(scene.stage.signal?.aborted).toBe(true);
    expect(scene.client.events('progressEnd')).toHaveLength(1);
    expect(scene.stage.calls.at(-1)).toBe('disconnect');
  });

  test('is stopped by terminate: undone, answered, terminated', async () => {
    const scene = begin();
    await scene.client.request('initialize', {});
    const launched = refusal(scene.client.request('launch', { delegate }));
    await scene.stage.asked.promise;
    const stopped = scene.client.request('terminate');
    await disconnected(scene);
    expect(story(scene.client)).toEqual(['initialize:true']);
    scene.stage.undone.resolve('undone');
    expect((await launched).body?.error).toMatchObject({ showUser: false });
    await stopped;
    await scene.client.waitForEvent('terminated');
    expect(story(scene.client)).toEqual(['initialize:true', 'launch:false', 'terminate:true', 'terminated']);
  });

  test('is stopped by disconnect', async () => {
    const scene = begin();
    await scene.client.request('initialize', {});
    const launched = refusal(scene.client.request('launch', { delegate }));
    await scene.stage.asked.promise;
    const left = scene.client.request('disconnect');
    scene.stage.undone.resolve('undone');
    await launched;
    await left;
    expect(await scene.code).toBe(0);
  });

  test('is answered early for a client that would give up, and the end of it told by events', async () => {
    const scene = begin({ timing: { earlyAnswer: { dape: 1 } } });
    await scene.client.request('initialize', { clientID: 'dape' });
    await scene.client.request('launch', { delegate });
    scene.stage.connected.reject(new Problem({ code: 'target-missing', what: 'No cart.', why: '', remedy: '' }));
    scene.stage.undone.resolve('undone');
    await scene.client.waitForEvent('terminated');
    // dape shows nothing of the category "important".
    expect(scene.client.events('output')).toEqual([{ category: 'stderr', output: 'No cart.\n' }]);
    expect(story(scene.client)).toEqual(['initialize:true', 'launch:true', 'output', 'terminated']);
  });

  test('that was answered early is not answered again', async () => {
    const scene = begin({ timing: { earlyAnswer: { hx: 1 } } });
    await scene.client.request('initialize', { clientID: 'hx' });
    await scene.client.request('launch', { delegate });
    scene.stage.ready();
    await scene.client.waitForEvent('initialized');
    await scene.client.request('echo');
    expect(story(scene.client).filter((one) => one === 'launch:true')).toHaveLength(1);
  });

  test('refused by the debugger is reported in its own words after the undo', async () => {
    const scene = begin({ words: ['refuse-launch'] });
    scene.stage.connected.resolve({ environment: {}, summary: '' });
    await scene.client.request('initialize', {});
    const launched = refusal(scene.client.request('launch', { delegate }));
    await disconnected(scene);
    expect(story(scene.client)).toEqual(['initialize:true']);
    scene.stage.undone.resolve('undone');
    expect((await launched).body?.error).toEqual({ id: 7, format: 'No {what}.', variables: { what: 'way' } });
  });

  test('starts the debugger with the environment if it can be given only there', async () => {
    const profile: Partial<DebuggerProfile> = {
      environmentAt: () => 'start',
      request: ({ args }, _environment, command) => ({ command, arguments: { ...args } }),
    };
    const scene = begin({ profile });
    scene.stage.connected.resolve({ environment: { NODE_OPTIONS: '--title=from-the-cluster' }, summary: '' });
    await scene.client.request('initialize', {});
    await scene.client.request('launch', { delegate });
    const [initialize] = await receivedBy(scene.client);
    expect(initialize?.command).toBe('initialize');
    expect(story(scene.client)).toEqual(['initialize:true', 'initialized', 'launch:true', 'received:true']);
  });
});

describe('messages', () => {
  test('pass both ways field for field, under our own numbers', async () => {
    const scene = begin();
    await run(scene);
    scene.client.sendRaw({ type: 'event', event: 'fromClient', body: { a: null } });
    scene.client.sendRaw({ type: 'strange', payload: [1, { b: 2 }] });
    const echoed = await scene.client.request<Raw>('echo', { deep: { list: [1, 'ü', null] } });
    expect(echoed).toEqual({
      seq: 5,
      type: 'request',
      command: 'echo',
      arguments: { deep: { list: [1, 'ü', null] } },
    });
    const extra = { type: 'event', event: 'unheardOf', body: { x: 1 }, extension: { y: 2 } };
    const odd = { type: 'odd', what: 'ever' };
    await scene.client.request('emit', { messages: [extra, odd] });
    const received = scene.client.transcript.filter(({ direction }) => direction === 'received');
    const [event, other] = received.slice(-3).map(({ message }) => message);
    expect(event).toEqual({ ...extra, seq: expect.any(Number) });
    expect(other).toEqual({ ...odd, seq: expect.any(Number) });
    expect(received.map(({ message }) => message.seq)).toEqual(received.map((_one, index) => index + 1));
    const there = await receivedBy(scene.client);
    expect(there.map(({ seq }) => seq)).toEqual(there.map((_one, index) => index + 1));
    expect(there).toContainEqual({ seq: 3, type: 'event', event: 'fromClient', body: { a: null } });
    expect(there).toContainEqual({ seq: 4, type: 'strange', payload: [1, { b: 2 }] });
  });

  test('are understood if their numbers are strings', async () => {
    const scene = begin({ words: ['string-seq'] });
    await run(scene);
    scene.client.onReverseRequest('question', () => ({ answer: 42 }));
    const response = await scene.client.request('ask', { request: { command: 'question' } });
    expect(response).toMatchObject({ success: true, body: { answer: 42 } });
    const [asked] = scene.client.transcript.flatMap(({ message }) => (message.command === 'question' ? [message] : []));
    expect(asked?.seq).toBeTypeOf('number');
  });

  test('are answered to whoever asked: unknown reverse requests too, and failures of them', async () => {
    const scene = begin();
    await run(scene);
    scene.client.onReverseRequest('handshake', (args) => ({ signature: args }));
    const request = { command: 'handshake', arguments: { value: 'v' }, extension: true };
    expect(await scene.client.request('ask', { request })).toMatchObject({
      command: 'handshake',
      success: true,
      body: { signature: { value: 'v' } },
    });
    expect(await scene.client.request('ask', { request: { command: 'nobodyKnows' } })).toMatchObject({
      success: false,
    });
  });

  test('name requests by number in cancel and progressStart: translated both ways', async () => {
    const scene = begin({ words: ['can-cancel'] });
    await run(scene);
    const never = scene.client.send('never');
    const seqThere = (await receivedBy(scene.client)).find(({ command }) => command === 'never')?.seq;
    expect(seqThere).not.toBe(never.seq + 1);
    await scene.client.request('cancel', { requestId: never.seq, more: 1 });
    const cancel = (await receivedBy(scene.client)).find(({ command }) => command === 'cancel');
    expect(cancel?.arguments).toEqual({ requestId: seqThere, more: 1 });
    await scene.client.request('emit', {
      messages: [
        { type: 'event', event: 'progressStart', body: { progressId: 'p', requestId: seqThere } },
        { type: 'event', event: 'progressStart', body: { progressId: 'q', requestId: 9999 } },
      ],
    });
    expect(scene.client.events('progressStart')).toEqual([
      { progressId: 'p', requestId: never.seq },
      { progressId: 'q' },
    ]);
    await scene.client.request('cancel', { progressId: 'p' });
    expect((await receivedBy(scene.client)).at(-2)?.arguments).toEqual({ progressId: 'p' });
  });

  test('of capabilities keep what we do for the debugger', async () => {
    const scene = begin();
    await run(scene);
    const capabilities = { supportsStepBack: true, supportsTerminateRequest: false };
    await scene.client.request('emit', {
      messages: [{ type: 'event', event: 'capabilities', body: { capabilities } }],
    });
    expect(scene.client.events('capabilities')).toEqual([{ capabilities: { supportsStepBack: true } }]);
  });

  test('configurationDone and cancel are answered for a debugger that does not know them', async () => {
    const scene = begin();
    await run(scene);
    await scene.client.request('configurationDone');
    await scene.client.request('cancel', { requestId: 1 });
    const commands = (await receivedBy(scene.client)).map(({ command }) => command);
    expect(commands).not.toContain('configurationDone');
    expect(commands).not.toContain('cancel');
  });

  test('that start a terminal show no values of environment variables', async () => {
    const scene = begin();
    await run(scene);
    let seen: Raw = {};
    scene.client.onReverseRequest('runInTerminal', (args) => {
      if (isRaw(args)) seen = args;
      return { processId: 1 };
    });
    const args = { cwd: '/', args: ['program', 'a b'], env: { PASSWORD: 'geheim', GONE: null }, kind: 'integrated' };
    await scene.client.request('ask', { request: { command: 'runInTerminal', arguments: args } });
    expect(JSON.stringify(seen)).not.toContain('geheim');
    expect(seen).toMatchObject({ cwd: '/', env: {}, kind: 'integrated' });
    const line = seen.args as string[];
    expect(line.slice(-2)).toEqual(['program', 'a b']);
    const folder = dirname(line.find((one) => one.endsWith('launch.mjs')) ?? '');
    expect(existsSync(folder)).toBe(true);
    await scene.client.request('disconnect');
    await scene.code;
    expect(existsSync(folder)).toBe(false);
  });

  test('are traced without values of environment variables', async () => {
    const lines: string[] = [];
    const content = new TraceContent(silentLog.redactor);
    const scene = begin({
      trace: (direction, message) => lines.push(`${direction} ${JSON.stringify(content.of(message))}`),
    });
    await run(scene);
    expect(lines.some((line) => line.startsWith('to debugger') && line.includes('"env":{"GREETING":"…"}'))).toBe(true);
    expect(lines.join('\n')).not.toContain('hello');
    for (const direction of ['from client', 'to client', 'from debugger']) {
      expect(lines.some((line) => line.startsWith(direction))).toBe(true);
    }
  });

  test('of notices reach the user', async () => {
    const scene = begin();
    await run(scene);
    const hooks = await scene.stage.asked.promise;
    hooks.notice('info', 'By the way.');
    hooks.notice('warning', 'Look out.');
    await scene.client.request('echo');
    expect(scene.client.events('output').slice(1)).toEqual([
      { category: 'console', output: 'By the way.\n' },
      { category: 'important', output: 'Look out.\n' },
    ]);
  });
});

describe('the end', () => {
  test('by disconnect: undo begins at once, the answer waits for it', async () => {
    const scene = begin();
    scene.stage.connected.resolve({ environment: {}, summary: '' });
    await scene.client.request('initialize', {});
    await scene.client.request('launch', { delegate });
    const left = scene.client.request('disconnect', { terminateDebuggee: true });
    await disconnected(scene);
    scene.stage.undone.resolve('undone');
    expect(await left).toEqual({ said: 'goodbye' });
    expect(await scene.code).toBe(0);
  });

  test('by disconnect does not wait for an undo that takes too long', async () => {
    const scene = begin({ timing: { undo: 10 } });
    scene.stage.connected.resolve({ environment: {}, summary: '' });
    await scene.client.request('initialize', {});
    await scene.client.request('launch', { delegate });
    await scene.client.request('disconnect');
    expect(await scene.code).toBe(0);
  });

  test.each([[[]], [['ignore-disconnect']], [['ignore-disconnect', 'ignore-end-of-file']]])(
    'by disconnect of a debugger that does %j',
    async (words) => {
      const scene = begin({
        words: [...words, 'ignore-sigterm'],
        timing: { disconnect: 20, endOfFile: 200, sigterm: 50 },
      });
      await run(scene);
      const pid = await pidOfDebugger(scene.client);
      await scene.client.request('disconnect');
      expect(await scene.code).toBe(0);
      expect(isAlive(pid)).toBe(false);
    },
  );

  test('by the debugger: terminated waits for the undo, and what follows waits with it', async () => {
    const scene = begin();
    scene.stage.connected.resolve({ environment: {}, summary: '' });
    await scene.client.request('initialize', {});
    await scene.client.request('launch', { delegate });
    const terminated = { type: 'event', event: 'terminated', body: { $__statistics: 1 } };
    const emitted = scene.client.request('emit', { messages: [terminated, { type: 'event', event: 'exited' }] });
    await disconnected(scene);
    expect(story(scene.client)).not.toContain('terminated');
    scene.stage.undone.resolve('undone');
    await emitted;
    expect(story(scene.client).slice(-3)).toEqual(['terminated', 'exited', 'emit:true']);
    expect(scene.client.events('terminated')).toEqual([{ $__statistics: 1 }]);
    await scene.client.request('disconnect');
    expect(await scene.code).toBe(0);
    expect(scene.stage.calls.filter((call) => call === 'disconnect')).toHaveLength(1);
  });

  test('by terminate is the debugger’s to refuse', async () => {
    const scene = begin({ words: ['can-terminate', 'veto'] });
    await run(scene);
    await scene.client.request('terminate');
    await scene.client.request('echo');
    expect(scene.stage.calls).not.toContain('disconnect');
    await scene.client.request('disconnect');
    expect(await scene.code).toBe(0);
  });

  test('by terminate of a client that kills on the answer: the answer waits for the undo', async () => {
    const scene = begin({ words: ['can-terminate'] });
    scene.stage.connected.resolve({ environment: {}, summary: '' });
    await scene.client.request('initialize', { clientID: 'lsp4e.debug' });
    await scene.client.request('launch', { delegate });
    const stopped = scene.client.request('terminate');
    await disconnected(scene);
    expect(story(scene.client)).not.toContain('terminate:true');
    scene.stage.undone.resolve('undone');
    await stopped;
    await scene.client.waitForEvent('terminated');
    expect(story(scene.client).slice(-2)).toEqual(['terminate:true', 'terminated']);
  });

  test('by terminate for a debugger that only knows disconnect', async () => {
    const scene = begin();
    await run(scene);
    await scene.client.request('terminate');
    await scene.client.waitForEvent('terminated');
    const disconnect = (await receivedBy(scene.client)).find(({ command }) => command === 'disconnect');
    expect(disconnect?.arguments).toEqual({ terminateDebuggee: true });
    expect(scene.stage.calls).toContain('disconnect');
  });

  test('by terminate after terminated, of a client that says no more: it waits for our end', async () => {
    const scene = begin({ timing: { farewell: 100 } });
    await run(scene);
    await scene.client.request('terminate');
    await scene.client.waitForEvent('terminated');
    await scene.client.request('terminate');
    expect(await scene.code).toBe(0);
    expect(scene.client.events('terminated')).toHaveLength(1);
  });

  test('by end of file, in whatever state', async () => {
    const untouched = begin();
    untouched.client.endInput();
    expect(await untouched.code).toBe(0);

    const initialized = begin();
    await initialized.client.request('initialize', {});
    const early = await pidOfDebugger(initialized.client);
    initialized.client.endInput();
    expect(await initialized.code).toBe(0);
    expect(isAlive(early)).toBe(false);
    expect(initialized.stage.calls).toEqual([]);

    const connecting = begin();
    await connecting.client.request('initialize', {});
    void connecting.client.request('launch', { delegate });
    await connecting.stage.asked.promise;
    connecting.client.endInput();
    connecting.stage.undone.resolve('undone');
    expect(await connecting.code).toBe(0);
    expect(connecting.stage.signal?.aborted).toBe(true);
    expect(connecting.stage.calls).toContain('disconnect');

    const running = begin();
    await run(running);
    const late = await pidOfDebugger(running.client);
    running.client.endInput();
    expect(await running.code).toBe(0);
    expect(isAlive(late)).toBe(false);
    expect(running.stage.calls).toContain('disconnect');
  });

  test('by death of the debugger: everything is answered, the reason told, the exit code says it', async () => {
    const scene = begin({ timing: { farewell: 5000 } });
    await run(scene);
    const waiting = scene.client.request('never');
    const dying = scene.client.request('die');
    await expect(waiting).rejects.toThrow('delegate-died');
    await expect(dying).rejects.toThrow('delegate-died');
    await scene.client.waitForEvent('terminated');
    const [told] = scene.client.events<{ category: string; output: string }>('output').slice(-1);
    expect(told?.category).toBe('important');
    expect(told?.output).toContain('SIGKILL');
    expect(told?.output).toContain('a fatal error');
    expect(scene.stage.calls).toContain('disconnect');
    await scene.client.request('disconnect');
    expect(await scene.code).toBe(6);
  });

  test('by death of the debugger at launch: the launch is answered with the reason', async () => {
    const scene = begin({ words: ['die-at-launch'] });
    scene.stage.ready();
    await scene.client.request('initialize', {});
    const error = await refusal(scene.client.request('launch', { delegate }));
    expect(error.body?.error?.id).toBe(6003);
    expect(error.body?.error?.format).toContain('no such program');
    await scene.client.waitForEvent('terminated');
    await scene.client.request('disconnect');
    expect(await scene.code).toBe(6);
  });

  test('by loss of the surroundings: told, the program ended, terminated', async () => {
    const scene = begin();
    await run(scene);
    const pid = await pidOfDebugger(scene.client);
    const hooks = await scene.stage.asked.promise;
    hooks.lost(new Problem({ code: 'tunnel-failed', what: 'The tunnel broke.', why: '', remedy: 'Start again.' }));
    await scene.client.waitForEvent('terminated');
    expect(scene.client.events('output').at(-1)).toEqual({
      category: 'important',
      output: 'The tunnel broke. Start again.\n',
    });
    await scene.client.request('disconnect');
    expect(await scene.code).toBe(4);
    expect(isAlive(pid)).toBe(false);
  });
});

async function pidOfDebugger(client: DapClient): Promise<number> {
  const response = await client.request<{ pid?: number }>('pid');
  if (typeof response?.pid !== 'number') throw new Error('The fake debugger did not say its pid.');
  return response.pid;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
