/** A debug session of the shop's cart through the public debug adapter, up to its first stop. */
import { readFileSync } from 'node:fs';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { cartProgram } from '../apps/shop/shop.ts';
import { DapClient } from '../dap-client.ts';
import type { World } from '../stage/world.ts';

/** The line in cart.py at which items and prices are known. */
const breakpointCode = 'total = checkout_total(items, prices)';

/** The launch configuration of the cart in this world. */
export function cartConfiguration(world: World, more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    type: 'kubernetes-local',
    request: 'launch',
    name: 'cart',
    target: 'service/cart',
    ...world.place,
    delegate: { type: 'debugpy', request: 'launch', program: cartProgram, python: '/usr/bin/python3' },
    ...more,
  };
}

/** The public debug adapter of this world, initialized. */
export async function startAdapter(world: World, ...options: readonly string[]): Promise<DapClient> {
  const client = DapClient.spawn([...world.product, 'dap', ...options], { env: world.environment });
  await client.request('initialize', {
    adapterID: 'kubernetes-local',
    clientID: 'e2e',
    linesStartAt1: true,
    columnsStartAt1: true,
    pathFormat: 'path',
    supportsProgressReporting: true,
  });
  return client;
}

/**
 * Launches the cart and lets it run; resolves when it listens. With a breakpoint unless told otherwise; `more` goes into
 * the launch configuration.
 */
export async function launchCart(
  world: World,
  breakpoint = true,
  more: Readonly<Record<string, unknown>> = {},
): Promise<DapClient> {
  const client = await startAdapter(world, '--delegate', 'debugpy');
  const initialized = client.waitForEvent('initialized');
  const launched = client.request('launch', cartConfiguration(world, more));
  await Promise.race([initialized, launched]);
  if (breakpoint) {
    const line =
      readFileSync(cartProgram, 'utf8')
        .split('\n')
        .findIndex((text) => text.includes(breakpointCode)) + 1;
    await client.request('setBreakpoints', { source: { path: cartProgram }, breakpoints: [{ line }] });
  }
  const listening = client.waitForEvent<DebugProtocol.OutputEvent['body']>('output', ({ output }) =>
    output.includes('listens on port'),
  );
  await client.request('configurationDone');
  await launched;
  await listening;
  return client;
}

/** The local variables of the topmost frame after a stop, by name. */
export async function localsAtStop(
  client: DapClient,
): Promise<{ threadId: number; frameId: number; locals: Map<string, string> }> {
  const { threadId } = await client.waitForEvent<{ threadId: number }>('stopped');
  const { stackFrames } = await client.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId });
  const { scopes } = await client.request<DebugProtocol.ScopesResponse['body']>('scopes', {
    frameId: stackFrames[0]?.id,
  });
  const { variables } = await client.request<DebugProtocol.VariablesResponse['body']>('variables', {
    variablesReference: scopes.find(({ name }) => name === 'Locals')?.variablesReference,
  });
  return {
    threadId,
    frameId: stackFrames[0]?.id ?? 0,
    locals: new Map(variables.map(({ name, value }) => [name, value])),
  };
}
