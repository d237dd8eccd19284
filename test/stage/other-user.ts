/** The product as a user without privileges runs it: nobody, with copies of what lies in folders that only root may enter. */
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { World } from './world.ts';

/** `nobody`, on every Linux. */
const uid = 65_534;

/** The same world as that user sees it. Disposing the world that is given disposes of this one's copies too. */
export function asNobody(world: World): World {
  const home = mkdtempSync(join(tmpdir(), 'kubernetes-local-nobody-'));
  const [node = '', bundle = ''] = world.product;
  const copies = {
    node: join(home, 'node'),
    bundle: join(home, 'kubernetes-local.js'),
    config: join(home, 'kubeconfig'),
  };
  copyFileSync(node, copies.node);
  copyFileSync(bundle, copies.bundle);
  // What the program loads when it needs it lies beside it.
  const parts = readdirSync(dirname(bundle)).filter((name) => /-[A-Z0-9]{8}\.js$/.test(name));
  for (const name of parts) copyFileSync(join(dirname(bundle), name), join(home, name));
  copyFileSync(world.place.kubeconfig, copies.config);
  const state = join(home, 'state');
  mkdirSync(state, { mode: 0o700 });
  for (const path of [home, ...Object.values(copies), ...parts.map((name) => join(home, name)), state]) {
    chownSync(path, uid, uid);
    chmodSync(path, 0o700);
  }
  return {
    ...world,
    uid,
    node: copies.node,
    state,
    product: ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', copies.node, copies.bundle],
    environment: { ...world.environment, HOME: home, KUBERNETES_LOCAL_STATE: state, KUBECONFIG: copies.config },
    place: { ...world.place, kubeconfig: copies.config },
    asBefore: (before) => world.asBefore(before, state),
    [Symbol.asyncDispose]: async () => rmSync(home, { recursive: true, force: true }),
  };
}
