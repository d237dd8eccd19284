/** Where the demo takes place: the embedded cluster, or a namespace of the demo's own in a cluster of the user's. */
import { Problem } from '../../adapter/problem.ts';
import { localCartPackages } from '../apps/shop/shop.ts';
import { clusterStatus, ensureCluster, stopCluster } from '../cluster/cluster.ts';
import { ensurePackages } from '../cluster/packages.ts';
import { Kubectl } from '../stage/kubectl.ts';
import { product } from '../stage/product.ts';
import { deployShop, isFree, kubectlOf, loadImages, removeNamespace, type Shop } from '../stage/shop.ts';
import type { DemoOptions } from './arguments.ts';
import type { Narrator } from './narrator.ts';

export interface Place extends AsyncDisposable {
  readonly shop: Shop;
  /** The command that starts kubernetes-local. */
  readonly product: readonly string[];
  /** What a launch configuration needs to find the cluster. */
  readonly cluster: { readonly kubeconfig?: string; readonly context?: string };
  readonly agentImage: string;
  /** Leaves everything standing when the demo ends. */
  keep(): void;
}

/**
 * Sets everything up; what it started is taken down again when the place is disposed of. `embedded` names the cluster of
 * this computer that is used if the options name none.
 */
export async function openPlace(options: DemoOptions, narrator: Narrator, embedded = 'demo'): Promise<Place> {
  const onProgress = (text: string) => narrator.detail(text);
  narrator.step(
    options.context ? `Preparing this computer and context ${options.context}` : 'A real Kubernetes on this computer',
  );
  await ensurePackages(localCartPackages, onProgress);
  const command = product();
  await using stack = new AsyncDisposableStack();
  const { kubectl, cluster } = options.context
    ? { kubectl: new Kubectl(['kubectl', '--context', options.context]), cluster: { context: options.context } }
    : await embeddedCluster(embedded, stack, narrator);
  narrator.step('The sample shop: web (Node) → cart (Python, 2 replicas) → prices (Go), and redis');
  if (!(await isFree(kubectl, options.namespace))) throw namespaceTaken(options.namespace);
  stack.defer(async () => {
    narrator.detail(`Removing namespace ${options.namespace}`);
    await removeNamespace(kubectl, options.namespace);
  });
  const shop = await deployShop(kubectl, options.namespace, onProgress, options.imagePrefix);
  const held = stack.move();
  let kept = false;
  return {
    shop,
    product: command,
    cluster,
    agentImage: `${options.imagePrefix ?? 'kubernetes-local.test/'}agent:1`,
    keep: () => {
      kept = true;
    },
    [Symbol.asyncDispose]: async () => {
      if (!kept) await held.disposeAsync();
    },
  };
}

async function embeddedCluster(name: string, stack: AsyncDisposableStack, narrator: Narrator) {
  const onProgress = (text: string) => narrator.detail(text);
  const running = (await clusterStatus(name)).state === 'running';
  const cluster = await ensureCluster({ name, onProgress });
  if (!running) {
    stack.defer(async () => {
      narrator.detail('Stopping the embedded cluster');
      await stopCluster(name);
    });
  }
  await loadImages(cluster, onProgress);
  narrator.good(`Kubernetes at ${cluster.server}, reached through the API server only`);
  return { kubectl: kubectlOf(cluster), cluster: { kubeconfig: cluster.kubeconfig } };
}

function namespaceTaken(namespace: string): Problem {
  return new Problem({
    code: 'bad-arguments',
    what: `The namespace ${namespace} is in use.`,
    why: 'The demo deletes its namespace at the end, with all that is in it.',
    remedy: 'Name one that does not exist yet, with --namespace. Nothing was changed.',
  });
}
