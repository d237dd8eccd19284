/**
 * `npm run demo`: the main job of kubernetes-local, told step by step, with the proof that all is undone.
 * `--context NAME [--namespace NAME] [--image-prefix PREFIX]` takes a cluster of the user's, `--keep` leaves all standing.
 */
import { writeFileSync } from 'node:fs';
import { Problem } from '../../adapter/problem.ts';
import { takeSnapshot } from '../stage/snapshot.ts';
import { type DemoOptions, parseArguments } from './arguments.ts';
import { DebugSession } from './debug-session.ts';
import { howToAttach } from './how-to-attach.ts';
import { Narrator } from './narrator.ts';
import { drawTerminal } from './picture.ts';
import { openPlace } from './place.ts';
import { prove } from './proof.ts';
import { parseCart, receipt } from './receipt.ts';

const narrator = new Narrator(process.stdout);

async function main(options: DemoOptions): Promise<void> {
  narrator.title('kubernetes-local: press F5 on one microservice of a real cluster');

  await using stack = new AsyncDisposableStack();
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => interrupted.abort(new Error(`ended by ${signal}`)));
  }
  const place = stack.use(await openPlace(options, narrator));
  const { shop } = place;

  narrator.step('The page of the shop as it is, asked for from inside the cluster');
  narrator.page(receipt(parseCart(await shop.request('http://web/json'))));
  const before = await takeSnapshot(shop.kubectl, shop.namespace);

  narrator.step('Press F5 on "cart": a debug session through the public debug adapter');
  const session = stack.use(await DebugSession.start(place, narrator, interrupted.signal));
  const line = await session.setBreakpoint('total = checkout_total(items, prices)');
  narrator.say(`Breakpoint in cart.py, line ${line}: it runs on this computer, under debugpy.`);

  narrator.step('A request from inside the cluster: visitor → web → cart, which is this computer now');
  const page = shop.request('http://web/json');
  page.catch(() => {});
  await session.showStop(interrupted.signal);
  narrator.step('Continue');
  await session.resume();
  const cart = parseCart(await page);
  narrator.page(receipt(cart));
  if (!cart.cartServedBy.startsWith('this computer'))
    throw new Error('The page does not say that this computer served the cart.');

  if (options.keep) {
    await session.disconnect();
    place.keep();
    narrator.step('Everything is left standing (--keep)');
    narrator.say(howToAttach(place));
    return;
  }
  narrator.step('Stop debugging');
  await session.disconnect();
  await prove(before, place, narrator, interrupted.signal);
}

const started = performance.now();
try {
  const options = parseArguments(process.argv.slice(2));
  await main(options);
  narrator.title(`Done in ${((performance.now() - started) / 1000).toFixed(0)} s.`);
  if (options.picture) writeFileSync(options.picture, drawTerminal(narrator.told));
} catch (error) {
  const problem = Problem.from(error);
  narrator.failure(
    problem.code === 'defect' && error instanceof Error
      ? [
          error.message,
          'Everything was undone. The logs are in ~/.local/state/kubernetes-local; "npm run cluster -- status" shows the cluster.',
        ]
      : [problem.what, problem.why, problem.remedy, 'Everything was undone.'],
  );
  process.exitCode = 1;
}
