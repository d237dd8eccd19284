import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openWorld, type World } from '../stage/world.ts';
import { launchCart, localsAtStop } from './cart-session.ts';

let world: World;
beforeAll(async () => {
  world = await openWorld('e2e-main-job');
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** Every byte that the product wrote to its state folder. */
function stateText(): string {
  return readdirSync(world.state, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}

describe('a debug session of a service in a real cluster', () => {
  it.each(['hosts', 'namespace'])(
    'stops at a breakpoint for a request from inside the cluster, and leaves nothing behind, in mode %s',
    async (network) => {
      const before = await world.snapshot();
      const client = await launchCart(world, true, { network });
      const page = world.shop.request('http://web/json');
      page.catch(() => {});
      const { threadId, locals } = await localsAtStop(client);
      expect(locals.get('items')).toContain("'Espresso': 2");
      expect(locals.get('prices')).toMatch(/'Espresso': \d+/);
      await client.request('continue', { threadId });
      expect(JSON.parse(await page)).toMatchObject({
        greeting: 'Good to see you.\nTake your time — the coffee is on the house.',
        cartServedBy: expect.stringMatching(/^this computer/),
        pricesServedBy: expect.stringMatching(/in the cluster$/),
      });
      await client.request('disconnect', { terminateDebuggee: true });
      client.endInput();
      expect((await client.exited).code).toBe(0);
      await world.asBefore(before);
    },
  );

  it('serves every replica: no request reaches the old pods', async () => {
    const before = await world.snapshot();
    const client = await launchCart(world, false, { timings: true });
    const answers = await Promise.all(
      Array.from({ length: 12 }, async () => JSON.parse(await world.shop.request('http://cart/environment'))),
    );
    for (const answer of answers) {
      expect(answer).toMatchObject({
        servedBy: expect.stringMatching(/^this computer/),
        POD_NAMESPACE: world.shop.namespace,
        DISPLAY_NAME: `cart in ${world.shop.namespace}, costs $(nothing)`,
        MEMORY_LIMIT: '64',
        FEATURES: { FEATURE_VOUCHERS: 'on', FEATURE_WISH_LIST: 'off' },
        PAYMENT_TOKEN: '19 characters',
      });
    }
    await client.request('terminate');
    await client.waitForEvent('terminated');
    await client.request('disconnect');
    client.endInput();
    await client.exited;
    expect(JSON.stringify(client.transcript)).toMatch(/Where the time went:.*█+·* {2}connect/);
    await world.asBefore(before);
  });

  it('never writes a secret: not into logs, journal or DAP messages', async () => {
    const before = await world.snapshot();
    const client = await launchCart(world);
    const secret = 'tok_demo_4f9c2b7e61';
    const page = world.shop.request('http://web/json');
    page.catch(() => {});
    const { threadId, frameId } = await localsAtStop(client);
    const { result } = await client.request<{ result: string }>('evaluate', {
      expression: '__import__("os").environ["PAYMENT_TOKEN"]',
      frameId,
      context: 'watch',
    });
    // The user's own question is answered; everything else is silent about it.
    expect(result).toContain(secret);
    const said = client.transcript.filter(({ message }) => message.command !== 'evaluate');
    expect(JSON.stringify(said)).not.toContain(secret);
    expect(stateText()).toContain('connected');
    expect(stateText()).not.toContain(secret);
    expect(stateText()).not.toContain(Buffer.from(secret).toString('base64'));
    await client.request('continue', { threadId });
    await page;
    await client.request('disconnect', { terminateDebuggee: true });
    client.endInput();
    await client.exited;
    await world.asBefore(before);
  });
});
