/** What the tests of editors do with the shop's cart: where they stop, and what comes back after that. */
import { readFileSync } from 'node:fs';
import { cartProgram } from '../apps/shop/shop.ts';
import { agentImage, type World } from '../stage/world.ts';
import { type EditorHome, openEditorHome } from './editor-home.ts';

/** The code of the line to stop at, where items and prices are known. */
export const breakpointCode = 'total = checkout_total(items, prices)';

/** The number of that line. */
export function breakpointLine(): number {
  const lines = readFileSync(cartProgram, 'utf8').split('\n');
  return lines.findIndex((text) => text.includes(breakpointCode)) + 1;
}

/** A home whose `kubernetes-local` leads to this world. */
export function homeIn(world: World): EditorHome {
  return openEditorHome(world.product, {
    KUBECONFIG: world.place.kubeconfig,
    KUBERNETES_LOCAL_STATE: world.state,
    KUBERNETES_LOCAL_AGENT_IMAGE: agentImage,
  });
}

/** Asks the shop for its page, which needs the cart. */
export async function pageOf(world: World): Promise<unknown> {
  return JSON.parse(await world.shop.request('http://web/json'));
}
