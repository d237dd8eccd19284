import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { listBlocks } from '../../adapter/network/hosts/hosts-writer.ts';
import type { Snapshot } from '../stage/snapshot.ts';
import { openWorld, processesOf, type World } from '../stage/world.ts';
import { cartConfiguration, launchCart, localsAtStop, startAdapter } from './cart-session.ts';

let world: World;
let before: Snapshot;
beforeAll(async () => {
  world = await openWorld('e2e-kill');
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(async () => {
  before = await world.snapshot();
});
afterEach(() => world.asBefore(before));

/** The one process of the product whose command line has this word. */
function processNamed(word: string): number {
  const found = processesOf(world.state).filter(({ command }) => command.split(' ').includes(word));
  expect(found.map(({ command }) => command)).toHaveLength(1);
  return found[0]?.pid ?? 0;
}

/** What a killed daemon left is undone by the command. */
async function restored(): Promise<void> {
  const [command = '', ...args] = world.product;
  const restore = spawn(command, [...args, 'restore'], {
    env: world.environment,
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  const [code] = await once(restore, 'exit');
  expect(code).toBe(0);
}

// What each test leaves is compared with the snapshot after it.
describe('all is undone and no process is left', () => {
  it('after SIGKILL of the debug adapter while the program runs', async () => {
    const client = await launchCart(world, false);
    client.kill('SIGKILL');
    expect((await client.exited).signal).toBe('SIGKILL');
  });

  it('after SIGKILL of the debug adapter while the program stands at a breakpoint', async () => {
    const client = await launchCart(world);
    world.shop.request('http://web/json').catch(() => {});
    await localsAtStop(client);
    client.kill('SIGKILL');
    await client.exited;
  });

  it('after SIGTERM of the debug adapter', async () => {
    const client = await launchCart(world, false);
    client.kill('SIGTERM');
    await client.exited;
  });

  it('after the end of the debug adapter’s input', async () => {
    const client = await launchCart(world, false);
    client.endInput();
    await client.exited;
  });

  it('after SIGKILL of the debug adapter while it connects', async () => {
    const client = await startAdapter(world, '--delegate', 'debugpy');
    client.request('launch', cartConfiguration(world)).catch(() => {});
    await client.waitForEvent<{ message?: string }>('progressUpdate', ({ message = '' }) => message.includes('agent'));
    client.kill('SIGKILL');
    await client.exited;
  });

  it('after the user pressed Stop while it connects', async () => {
    const client = await startAdapter(world, '--delegate', 'debugpy');
    const launch = client.request('launch', cartConfiguration(world));
    await client.waitForEvent<{ message?: string }>('progressUpdate', ({ message = '' }) => message.includes('agent'));
    await client.request('disconnect', { terminateDebuggee: true });
    await expect(launch).rejects.toThrow(/cancelled/);
    client.endInput();
    await client.exited;
  });

  it('after the program ended by itself', async () => {
    const client = await startAdapter(world, '--delegate', 'debugpy');
    const configuration = cartConfiguration(world, {
      delegate: { type: 'debugpy', request: 'launch', code: 'print("done")', python: '/usr/bin/python3' },
    });
    const initialized = client.waitForEvent('initialized');
    const launch = client.request('launch', configuration);
    await Promise.race([initialized, launch]);
    await client.request('configurationDone');
    await client.waitForEvent('terminated');
    await client.request('disconnect');
    client.endInput();
    await client.exited;
  });

  it('after SIGKILL of the daemon: hosts file at once, the cluster by "restore"', async () => {
    const client = await launchCart(world, false);
    process.kill(processNamed('daemon'), 'SIGKILL');
    await client.waitForEvent('terminated');
    client.endInput();
    await client.exited;
    await restored();
  });

  it('after SIGKILL of the daemon: by the next session for the same target', async () => {
    const first = await launchCart(world, false);
    process.kill(processNamed('daemon'), 'SIGKILL');
    await first.waitForEvent('terminated');
    first.endInput();
    await first.exited;
    const second = await launchCart(world, false);
    const said = second.events<{ output: string }>('output').map(({ output }) => output);
    expect(said).toContainEqual(expect.stringContaining('is being undone in the background: service/cart in e2e-kill'));
    expect(JSON.parse(await world.shop.request('http://cart/environment'))).toMatchObject({
      servedBy: expect.stringMatching(/^this computer/),
    });
    await second.request('disconnect', { terminateDebuggee: true });
    second.endInput();
    await second.exited;
  });

  it('after SIGKILL of the daemon in a private network: its processes at once, the cluster by "restore"', async () => {
    const client = await launchCart(world, false, { network: 'namespace' });
    const isHolder = ({ command }: { command: string }) => command.includes(' namespace ');
    expect(processesOf(world.state).filter(isHolder)).toHaveLength(2);
    process.kill(processNamed('daemon'), 'SIGKILL');
    await client.waitForEvent('terminated');
    client.endInput();
    await client.exited;
    await expect.poll(() => processesOf(world.state).filter(isHolder), { timeout: 20_000 }).toEqual([]);
    await restored();
  });

  it('after SIGKILL of a holder of a private network: the session is lost, and undone', async () => {
    const client = await launchCart(world, false, { network: 'namespace' });
    const [holder] = processesOf(world.state).filter(({ command }) => command.includes(' namespace '));
    process.kill(holder?.pid ?? 0, 'SIGKILL');
    await client.waitForEvent('terminated');
    client.endInput();
    await client.exited;
  });

  it('after SIGKILL of the privileged helper', async () => {
    const client = await launchCart(world, false);
    const helper = processNamed('helper');
    process.kill(helper, 'SIGKILL');
    // Another one takes over its lines, so that nobody takes them for a dead session's.
    const owners = async () =>
      (await listBlocks('/etc/hosts')).map(({ owner, alive }) => alive && owner?.pid !== helper);
    await expect.poll(owners, { timeout: 20_000 }).toEqual([true]);
    await client.request('disconnect', { terminateDebuggee: true });
    client.endInput();
    await client.exited;
  });

  it('after SIGKILL of the privileged helper and Stop while another one starts', async () => {
    const client = await launchCart(world, false);
    process.kill(processNamed('helper'), 'SIGKILL');
    await client.request('disconnect', { terminateDebuggee: true });
    client.endInput();
    await client.exited;
  });
});
