import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensurePackages } from '../cluster/packages.ts';
import { breakpointLine, homeIn, pageOf } from '../editors/cart.ts';
import { Kate, katePackages, kateSize } from '../editors/kate/kate.ts';
import { shippedTemplate } from '../editors/template.ts';
import { openWorld, sharedCluster, type World } from '../stage/world.ts';
import { replaced } from '../templates/marked-lines.ts';

const picture = join(import.meta.dirname, '..', '..', 'docs', 'images', 'kate-breakpoint.png');

let world: World;
beforeAll(async () => {
  await ensurePackages(katePackages);
  world = await openWorld('e2e-kate');
});
afterAll(() => world?.[Symbol.asyncDispose]());

it('Kate with our template stops for a request from a pod, and leaves nothing behind', async () => {
  const before = await world.snapshot();
  using home = homeIn(world);
  const changes = {
    '"shop"': `"${world.shop.namespace}"`,
    '"dev"': `"${sharedCluster}"`,
    '"/home/user/cart/main.py"': `"${home.program}"`,
    '"/home/user/cart"': `"${join(home.folder, 'cart')}"`,
  };
  home.write('.config/kate/gdbplugin/dap.json', replaced(shippedTemplate('kate/dap.json'), changes));
  await using kate = await Kate.start(home, home.program);
  await kate.click('check box', 'Debug');
  await kate.click('page tab', 'Settings');
  await kate.choose('GDB', 'kubernetes-local | cart in the cluster');
  await kate.showLocals();
  await kate.debug('Start Debugging');
  await kate.shows('*** waiting for user actions ***');
  await kate.goToLine('main.py', breakpointLine());
  await kate.debug('Toggle Breakpoint / Break');
  await kate.shows(`breakpoint set ${home.program}:${breakpointLine()}`);
  await kate.debug('Continue');
  await kate.shows('listens on port');

  const page = pageOf(world);
  page.catch(() => {});
  await kate.showsVariable('items');
  expect(await kate.print('items')).toContain("'Espresso': 2");
  expect(await kate.print('prices')).toMatch(/'Espresso': \d+/);
  if (process.env.KUBERNETES_LOCAL_PICTURES === '1') await kate.display.picture(picture, kateSize);
  await kate.debug('Continue');
  expect(await page).toMatchObject({ cartServedBy: expect.stringMatching(/^this computer/) });

  // A program that runs is only halted by the first one.
  await kate.debug('Kill / Stop Debugging');
  await kate.shows('stopped (pause)');
  await kate.debug('Kill / Stop Debugging');
  await kate.shows('*** connection with server closed ***');
  await world.asBefore(before);
});
