/** What an end-to-end test needs: the shared cluster, a shop in a namespace of its own, a state folder of its own. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureCluster, type TestCluster } from '../cluster/cluster.ts';
import { admitDeveloper } from './developer.ts';
import type { Kubectl } from './kubectl.ts';
import { product } from './product.ts';
import { deployShop, kubectlOf, type Shop } from './shop.ts';
import { differences, type Snapshot, takeSnapshot } from './snapshot.ts';

/** The cluster that the end-to-end tests share; another one for tests that run beside them. */
export const sharedCluster = process.env.KUBERNETES_LOCAL_TEST_CLUSTER ?? 'e2e';
export const agentImage = 'kubernetes-local.test/agent:1';

export interface World extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly shop: Shop;
  /** The command that starts kubernetes-local. */
  readonly product: readonly string[];
  /** The environment for every process of the product. */
  readonly environment: NodeJS.ProcessEnv;
  readonly state: string;
  /** Who runs the product, and the Node that they can run. */
  readonly uid: number;
  readonly node: string;
  /** The keys that lead a launch configuration to this world, as the developer with the documented Roles. */
  readonly place: { readonly kubeconfig: string; readonly namespace: string; readonly agentImage: string };
  /** Takes the snapshot that `asBefore` compares with. */
  snapshot(): Promise<Snapshot>;
  /** Waits until all is as in the snapshot and no process of the product is left; an Error says what is not. */
  asBefore(before: Snapshot, state?: string): Promise<void>;
}

/** Sets a world up. `namespace` must be the caller's own; `deploy` fills it, with the shop unless told otherwise. */
export async function openWorld(
  namespace: string,
  deploy: (kubectl: Kubectl, namespace: string) => Promise<Shop> = (kubectl, place) =>
    deployShop(kubectl, place, () => {}),
): Promise<World> {
  const cluster = await ensureCluster({ name: sharedCluster, onProgress: () => {} });
  const shop = await deploy(kubectlOf(cluster), namespace);
  const kubeconfig = await admitDeveloper(cluster, shop.kubectl, namespace);
  const state = mkdtempSync(join(tmpdir(), 'kubernetes-local-state-'));
  return {
    cluster,
    shop,
    state,
    uid: process.getuid?.() ?? 0,
    node: process.execPath,
    product: product(),
    environment: { ...process.env, KUBERNETES_LOCAL_STATE: state, KUBECONFIG: kubeconfig },
    place: { kubeconfig, namespace, agentImage },
    snapshot: () => takeSnapshot(shop.kubectl, namespace),
    asBefore: (before, of = state) => asBefore(before, shop, of),
    [Symbol.asyncDispose]: async () => {
      rmSync(state, { recursive: true, force: true });
      await shop.kubectl.run(['delete', 'namespace', namespace, '--wait=false', '--ignore-not-found']);
    },
  };
}

const undoDeadlineMilliseconds = 60_000;

async function asBefore(before: Snapshot, shop: Shop, state: string): Promise<void> {
  const end = Date.now() + undoDeadlineMilliseconds;
  for (;;) {
    const left = [
      ...differences(before, await takeSnapshot(shop.kubectl, shop.namespace)),
      ...processesOf(state).map(({ pid, command }) => `process ${pid} is left: ${command}`),
    ];
    if (left.length === 0) return;
    if (Date.now() > end) throw new Error(`Not as before:\n${left.join('\n')}`);
    await delay(100);
  }
}

/** Living processes whose environment names this state folder: daemon, helper, debug adapters and what they started. */
export function processesOf(state: string): readonly { readonly pid: number; readonly command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && read(`/proc/${pid}/environ`).includes(`KUBERNETES_LOCAL_STATE=${state}\0`))
    .map((pid) => ({ pid, command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }))
    .filter(({ command }) => command !== '');
}

/** Whether this is the command line of a session daemon. */
export const isDaemon = (command: string): boolean => command.split(' ').includes('daemon');

/** A process that ended meanwhile has nothing to read. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
