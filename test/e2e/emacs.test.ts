import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensurePackages } from '../cluster/packages.ts';
import { breakpointCode, homeIn, pageOf } from '../editors/cart.ts';
import type { EditorHome } from '../editors/editor-home.ts';
import { Emacs, emacsPackages, emacsSize } from '../editors/emacs/emacs.ts';
import { shippedTemplate } from '../editors/template.ts';
import { openWorld, sharedCluster, type World } from '../stage/world.ts';
import { changed } from '../templates/marked-lines.ts';

const picture = join(import.meta.dirname, '..', '..', 'docs', 'images', 'emacs-breakpoint.png');

let world: World;
beforeAll(async () => {
  await ensurePackages(emacsPackages);
  world = await openWorld('e2e-emacs');
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** A home with the template and the line that README.md adds to init.el. */
function homeWithTemplate(changes: Readonly<Record<string, string>> = {}): EditorHome {
  const home = homeIn(world);
  const ours = { '"shop"': `"${world.shop.namespace}"`, '"dev"': `"${sharedCluster}"`, ...changes };
  const template = changed(shippedTemplate('emacs/kubernetes-local-dap-mode.el'), ';', ours);
  home.write('.emacs.d/kubernetes-local-dap-mode.el', template);
  home.write('.emacs.d/init.el', '(load "~/.emacs.d/kubernetes-local-dap-mode")\n(dap-auto-configure-mode)\n');
  return home;
}

it('Emacs with dap-mode and our template stops for a request from a pod, and leaves nothing behind', async () => {
  const before = await world.snapshot();
  using home = homeWithTemplate();
  await using emacs = await Emacs.start(home, home.program);
  await emacs.goToLineOf(breakpointCode);
  await emacs.command('dap-breakpoint-toggle');
  await emacs.command('dap-debug', 'cart in the cluster');
  await emacs.hasBuffer('*cart in the cluster out*', 'Looking for service/cart');
  await emacs.hasBuffer('*cart in the cluster out*', 'listens on port');

  const page = pageOf(world);
  page.catch(() => {});
  await emacs.shows(/items: .*'Espresso': 2/);
  await emacs.shows(/prices: .*'Croissant': \d+/);
  if (process.env.KUBERNETES_LOCAL_PICTURES === '1') await emacs.display.picture(picture, emacsSize);
  await emacs.command('dap-continue');
  expect(await page).toMatchObject({ cartServedBy: expect.stringMatching(/^this computer/) });

  await emacs.command('dap-disconnect');
  await world.asBefore(before);
  await emacs.says('(dap--session-running (car (dap--get-sessions)))', 'nil');
});

it('Emacs shows in words why a launch failed', async () => {
  const before = await world.snapshot();
  using home = homeWithTemplate({ '"service/cart"': '"service/basket"' });
  await using emacs = await Emacs.start(home, home.program);
  await emacs.command('dap-debug', 'cart in the cluster');
  await emacs.shows(/request failed: .*service\/basket/);
  await world.asBefore(before);
});
