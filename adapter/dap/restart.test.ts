/** `restart`: by the debugger if it can, else by a new one in the same surroundings. */
import { describe, expect, test } from 'vitest';
import { begin, delegate, receivedBy, refusal, run, story } from './fixtures/scene.ts';

const source = { path: '/main.py' };

describe('restart', () => {
  test('is the debugger’s own if it can, with a changed configuration in its words and with the environment', async () => {
    const { client, ...scene } = begin({ words: ['can-restart'] });
    await run({ client, ...scene });
    await client.request('restart');
    await client.request('restart', { arguments: { delegate: { ...delegate, program: 'y' } } });
    const restarts = (await receivedBy(client)).filter(({ command }) => command === 'restart');
    expect(restarts[0]?.arguments).toEqual({
      arguments: { type: 'fake', request: 'launch', program: 'x', env: { GREETING: 'hello' } },
    });
    expect(restarts[1]?.arguments).toEqual({
      arguments: { type: 'fake', request: 'launch', program: 'y', env: { GREETING: 'hello' } },
    });
  });

  test('is done with a new debugger if not, which is configured as the first was, while the surroundings stay', async () => {
    // The second debugger numbers its breakpoints otherwise.
    let words = ['breakpoints:1'];
    const scene = begin({ profile: (own) => ({ command: (given) => own(words).command(given) }) });
    const { client, stage } = scene;
    await run(scene);
    const before = await client.request<{ pid: number }>('pid');
    await client.request('setBreakpoints', { source, breakpoints: [{ line: 3 }, { line: 8 }] });
    await client.request('setExceptionBreakpoints', { filters: ['all'] });
    await client.request('configurationDone');
    await client.request('emit', {
      messages: [{ type: 'event', event: 'thread', body: { reason: 'started', threadId: 5 } }],
    });
    words = ['breakpoints:2'];
    await client.request('restart', { arguments: { delegate: { ...delegate, program: 'y' } } });
    expect(await client.request<{ pid: number }>('pid')).not.toEqual(before);
    expect((await receivedBy(client)).map(({ command }) => command)).toEqual([
      'initialize',
      'launch',
      'setBreakpoints',
      'setExceptionBreakpoints',
      'pid',
      'received',
    ]);
    expect((await receivedBy(client))[1]?.arguments).toMatchObject({ program: 'y', env: { GREETING: 'hello' } });
    expect(stage.calls.filter((call) => call === 'connect' || call.startsWith('disconnect'))).toEqual(['connect']);
    // The client knows its breakpoints by the numbers of the first debugger.
    expect(client.events('breakpoint')).toEqual([
      { reason: 'changed', breakpoint: { id: 1, verified: true, line: 4 } },
      { reason: 'changed', breakpoint: { id: 2, verified: true, line: 9 } },
    ]);
    await client.request('emit', {
      messages: [
        { type: 'event', event: 'stopped', body: { reason: 'breakpoint', hitBreakpointIds: [3], threadId: 9 } },
      ],
    });
    expect(client.events('stopped')).toEqual([{ reason: 'breakpoint', hitBreakpointIds: [2], threadId: 9 }]);
    expect(client.events('thread')).toContainEqual({ reason: 'exited', threadId: 5 });
    expect(story(client)).not.toContain('terminated');
    expect(client.events('initialized')).toHaveLength(1);
  });

  test('with a configuration that is no good is refused, and the program goes on', async () => {
    const scene = begin();
    await run(scene);
    const error = await refusal(scene.client.request('restart', { arguments: { nonsense: 1 } }));
    expect(error.body?.error?.format).toContain('There is no "delegate".');
    expect(await scene.client.request('echo', { on: 1 })).toMatchObject({ arguments: { on: 1 } });
  });

  test('that fails ends the session', async () => {
    let words: readonly string[] = [];
    const scene = begin({ profile: (own) => ({ command: (given) => own(words).command(given) }) });
    await run(scene);
    words = ['die-at-start'];
    const error = await refusal(scene.client.request('restart'));
    expect(error.body?.error?.format).toContain('the interpreter is broken');
    await scene.client.waitForEvent('terminated');
    expect(scene.stage.calls).toContain('disconnect');
  });
});

describe('what the client starts again by itself', () => {
  test('finds its surroundings kept', async () => {
    const scene = begin();
    await run(scene);
    await scene.client.request('disconnect', { restart: true });
    expect(await scene.code).toBe(0);
    expect(scene.stage.calls).toContain('disconnect keep for restart');
  });

  test('also if the debugger wishes it', async () => {
    const scene = begin();
    await run(scene);
    const terminated = { type: 'event', event: 'terminated', body: { restart: { port: 1 } } };
    await scene.client.request('emit', { messages: [terminated] });
    expect(await scene.client.waitForEvent('terminated')).toEqual({ restart: { port: 1 } });
    await scene.client.request('disconnect', { terminateDebuggee: false });
    await scene.code;
    expect(scene.stage.calls.filter((call) => call.startsWith('disconnect'))).toEqual(['disconnect keep for restart']);
  });
});

describe('a program that outlives its session', () => {
  test('keeps the surroundings', async () => {
    const scene = begin();
    await run(scene);
    await scene.client.request('disconnect', { terminateDebuggee: false });
    await scene.code;
    expect(scene.stage.calls).toContain('disconnect keep for program');
  });

  test('loses them if it is to stay suspended, which is told', async () => {
    const scene = begin();
    await run(scene);
    await scene.client.request('disconnect', { terminateDebuggee: false, suspendDebuggee: true });
    await scene.code;
    expect(scene.stage.calls).toContain('disconnect');
    const said = scene.client.events<{ output: string }>('output').map(({ output }) => output);
    expect(said).toContain('The program stays suspended; its way into the cluster ends now.\n');
  });
});

describe('without debugging', () => {
  const unanswering = { words: ['no-initialized'] };
  const noDebug = { delegate, noDebug: true };

  test('a client that waits for initialized gets it, and is answered what nobody else would', async () => {
    const { client, stage } = begin(unanswering);
    stage.ready();
    await client.request('initialize', { clientID: 'lsp4ij.debug' });
    await client.request('launch', noDebug);
    await client.waitForEvent('initialized');
    const answer = await client.request('setBreakpoints', { source, breakpoints: [{ line: 3 }] });
    expect(answer).toEqual({
      breakpoints: [{ verified: false, message: 'The program runs without debugging.' }],
    });
    await client.request('configurationDone');
    expect((await receivedBy(client)).map(({ command }) => command)).toEqual(['initialize', 'launch', 'received']);
  });

  test('others get what the debugger says', async () => {
    const { client, stage } = begin(unanswering);
    stage.ready();
    await client.request('initialize', { clientID: 'vscode' });
    await client.request('launch', noDebug);
    await client.request('echo');
    expect(client.events('initialized')).toEqual([]);
  });
});
