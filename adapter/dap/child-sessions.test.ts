/** Child sessions, as a client starts them that knows `startDebugging`, and inside the conversation for one that does not. */
import { existsSync } from 'node:fs';
import { createConnection } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import type { DebuggerProfile } from '../debuggers/profile.ts';
import { begin, delegate, fake, receivedBy, refusal, run, type Scene, script } from './fixtures/scene.ts';
import type { Raw } from './message.ts';

/** A debugger that serves its child sessions where it serves the first one. */
const serving: Partial<DebuggerProfile> = {
  command: () => ({
    argv: [process.execPath, script, 'listen:{socket}'],
    origin: 'test',
    transport: { kind: 'socket', ready: /listening/ },
  }),
  childEndpoint: (_configuration, own) => own,
};
const configuration = { type: 'pwa-fake', name: 'child', pending: 7, env: { PASSWORD: 'secret' } };

interface ChildArguments {
  readonly request: string;
  readonly configuration: Raw & { readonly __kubernetesLocal: { readonly endpoint: string; readonly token: string } };
}

/** Lets the debugger ask for a child session; resolves with what the client gets to see. */
async function askForChild(scene: Scene): Promise<ChildArguments> {
  const seen = Promise.withResolvers<ChildArguments>();
  scene.client.onReverseRequest('startDebugging', (args) => seen.resolve(args as ChildArguments));
  const request = { command: 'startDebugging', arguments: { request: 'attach', configuration } };
  const answer = await scene.client.request<Raw>('ask', { request });
  expect(answer).toMatchObject({ success: true, command: 'startDebugging' });
  return seen.promise;
}

/** A session as a client begins it for a child. */
function beginChild(): Scene {
  return begin({ delegate: undefined, profiles: [fake([], serving)] } as object);
}

describe('a child session', () => {
  test('is served by the debugger of its parent, without surroundings of its own, and without secrets in sight', async () => {
    const parent = begin({ profile: serving });
    await run(parent, { supportsStartDebuggingRequest: true });
    const args = await askForChild(parent);
    expect(args).toEqual({
      request: 'attach',
      configuration: {
        type: 'kubernetes-local',
        name: 'child',
        pending: 7,
        request: 'attach',
        delegate: { type: 'fake' },
        __kubernetesLocal: { endpoint: expect.any(String), token: expect.any(String) },
      },
    });
    const child = beginChild();
    await child.client.request('initialize', { adapterID: 'kubernetes-local' });
    const attached = child.client.request('attach', args.configuration);
    await child.client.waitForEvent('initialized');
    await attached;
    const received = await receivedBy(child.client);
    expect(received[0]).toMatchObject({ command: 'initialize', arguments: { adapterID: 'the-fake' } });
    expect(received[1]).toMatchObject({ command: 'attach', arguments: { pending: 7, env: { PASSWORD: 'secret' } } });
    expect(child.stage.calls).not.toContain('connect');
    await child.client.request('disconnect');
    expect(await child.code).toBe(0);
    // The parent goes on.
    expect(await parent.client.request('echo', { still: 'here' })).toMatchObject({ arguments: { still: 'here' } });
  });

  test('gets in with its token only once, and nobody without', async () => {
    const parent = begin({ profile: serving });
    await run(parent, { supportsStartDebuggingRequest: true });
    const args = await askForChild(parent);
    const [first, second] = [beginChild(), beginChild()];
    for (const { client } of [first, second]) await client.request('initialize', {});
    await first.client.request('attach', args.configuration);
    second.stage.ready();
    const error = await refusal(second.client.request('attach', args.configuration));
    expect(error.body?.error?.format).toContain('is over, or has served it before');
    const socket = createConnection(args.configuration.__kubernetesLocal.endpoint);
    const closed = new Promise((resolve) => socket.on('close', resolve).on('error', () => {}));
    socket.write('some-other-token\n');
    await closed;
  });

  test('ends with its parent, and nothing of the meeting place is left', async () => {
    const parent = begin({ profile: serving });
    await run(parent, { supportsStartDebuggingRequest: true });
    const args = await askForChild(parent);
    const child = beginChild();
    await child.client.request('initialize', {});
    await child.client.request('attach', args.configuration);
    child.stage.ready();
    await parent.client.request('disconnect');
    expect(await parent.code).toBe(0);
    await child.client.waitForEvent('terminated');
    expect(existsSync(args.configuration.__kubernetesLocal.endpoint)).toBe(false);
  });

  test('of a debugger that serves one session only gets a debugger of its own', async () => {
    const parent = begin();
    await run(parent, { supportsStartDebuggingRequest: true });
    const args = await askForChild(parent);
    const child = begin({ delegate: undefined } as object);
    await child.client.request('initialize', {});
    await child.client.request('attach', args.configuration);
    const pids = await Promise.all(
      [parent, child].map(({ client }) => client.request<{ pid: number }>('pid').then(({ pid }) => pid)),
    );
    expect(new Set(pids).size).toBe(2);
    expect(child.stage.calls).not.toContain('connect');
    child.stage.ready();
    await parent.client.request('disconnect');
    await child.client.waitForEvent('terminated');
  });

  test('asked for in debugpy’s own way becomes the request that all clients know', async () => {
    const scene = begin();
    await run(scene, { supportsStartDebuggingRequest: true });
    const seen = Promise.withResolvers<unknown>();
    scene.client.onReverseRequest('startDebugging', (args) => seen.resolve(args));
    await scene.client.request('emit', { messages: [{ type: 'event', event: 'debugpyAttach', body: configuration }] });
    expect(await seen.promise).toMatchObject({ request: 'attach', configuration: { type: 'kubernetes-local' } });
    expect(scene.client.events('debugpyAttach')).toEqual([]);
  });

  test('in debugpy’s own way reaches a client that knows no other, without secrets', async () => {
    const scene = begin();
    await run(scene);
    await scene.client.request('emit', { messages: [{ type: 'event', event: 'debugpyAttach', body: configuration }] });
    const { env, ...rest } = configuration;
    expect(env).toBeDefined();
    expect(await scene.client.waitForEvent('debugpyAttach')).toEqual(rest);
  });

  test('that the client never answers for is refused in its place', async () => {
    const scene = begin({ timing: { reverseRequest: 1 } });
    await run(scene, { supportsStartDebuggingRequest: true });
    scene.client.onReverseRequest('startDebugging', () => new Promise(() => {}));
    const request = { command: 'startDebugging', arguments: { request: 'launch', configuration } };
    const answer = await scene.client.request('ask', { request });
    expect(answer).toMatchObject({ success: false, message: 'The client did not answer.' });
  });
});

describe('for a client that knows no startDebugging', () => {
  test('the child is served inside: configured again, talked to, and ended with the parent', async () => {
    const scene = begin({ profile: serving });
    const { client, stage } = scene;
    stage.ready();
    await client.request('initialize', {});
    const launched = client.request('launch', { delegate });
    await client.waitForEvent('initialized');
    await launched;
    const source = { path: '/main.js' };
    const { breakpoints } = await client.request<{ breakpoints: { id: number }[] }>('setBreakpoints', {
      source,
      breakpoints: [{ line: 3 }, { line: 8 }],
    });
    await client.request('configurationDone');
    const request = { command: 'startDebugging', arguments: { request: 'attach', configuration } };
    expect(await client.request('ask', { request })).toMatchObject({ success: true });
    await vi.waitFor(() => expect(client.events('breakpoint')).toHaveLength(2));
    expect(client.events('breakpoint')).toEqual([
      { reason: 'changed', breakpoint: { id: breakpoints[0]?.id, verified: true, line: 4 } },
      { reason: 'changed', breakpoint: { id: breakpoints[1]?.id, verified: true, line: 9 } },
    ]);
    const received = await receivedBy(client);
    expect(received.map(({ command }) => command)).toEqual(['initialize', 'attach', 'setBreakpoints', 'received']);
    expect(received[1]).toMatchObject({ arguments: { pending: 7 } });
    expect(client.events('initialized')).toHaveLength(1);
    // The end of the child is not the end of the session.
    await client.request('emit', { messages: [{ type: 'event', event: 'terminated' }] }).catch(() => {});
    const again = await receivedBy(client);
    expect(again[1]).toMatchObject({ command: 'launch' });
    expect(client.events('terminated')).toEqual([]);
    await client.request('disconnect');
    expect(await scene.code).toBe(0);
  });
});
