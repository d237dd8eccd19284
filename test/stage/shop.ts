/** The sample shop in a namespace of its own, on the embedded cluster or on a cluster of the user's. */
import { buildShopImages, shopManifests } from '../apps/shop/shop.ts';
import type { TestCluster } from '../cluster/cluster.ts';
import { buildAgentImage } from '../cluster/images/agent.ts';
import { imageCache } from './cache.ts';
import { Kubectl } from './kubectl.ts';

/** A shop that is up. */
export interface Shop {
  readonly kubectl: Kubectl;
  readonly namespace: string;
  /** A request from inside the cluster, by name, from a pod that is no part of the shop. */
  request(url: string): Promise<string>;
}

/** Builds the images of shop and agent and brings them into the embedded cluster. */
export async function loadImages(cluster: TestCluster, onProgress: (text: string) => void): Promise<void> {
  const images = await Promise.all([buildShopImages(imageCache(), onProgress), buildAgentImage(imageCache())]);
  for (const image of images.flat()) {
    onProgress(`Loading ${image.name}`);
    await cluster.load(image);
  }
}

/** Marks a namespace that was made for a shop and may be deleted with all that is in it. */
const stageLabel = { 'app.kubernetes.io/managed-by': 'kubernetes-local-stage' };

/** Whether a namespace is free for a shop: not there, or left by an earlier one. */
export async function isFree(kubectl: Kubectl, namespace: string): Promise<boolean> {
  const labels = Object.entries(stageLabel).map(([key, value]) => `${key}=${value}`);
  const [all, ours] = await Promise.all([
    kubectl.run(['get', 'namespaces', '-o', 'name']),
    kubectl.run(['get', 'namespaces', '-o', 'name', '-l', labels.join()]),
  ]);
  const name = `namespace/${namespace}`;
  return !all.split('\n').includes(name) || ours.split('\n').includes(name);
}

/** Deploys the shop and waits until all of it is ready. The namespace is made if it is missing. */
export async function deployShop(
  kubectl: Kubectl,
  namespace: string,
  onProgress: (text: string) => void,
  imagePrefix?: string,
): Promise<Shop> {
  onProgress(`Deploying the shop into namespace ${namespace}`);
  const namespaceObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: stageLabel } };
  await kubectl.run(['apply', '-f', '-'], JSON.stringify(namespaceObject));
  await kubectl.run(['apply', '-n', namespace, '-f', '-'], await shopManifests(imagePrefix ? { imagePrefix } : {}));
  const image = `${imagePrefix ?? 'kubernetes-local.test/'}busybox:1`;
  const visitor = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'visitor', labels: { app: 'visitor' } },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'visitor', image, imagePullPolicy: 'IfNotPresent', command: ['/bin/sleep', '1000000'] }],
    },
  };
  await kubectl.run(['apply', '-n', namespace, '-f', '-'], JSON.stringify(visitor));
  onProgress('Waiting for the shop to be ready');
  await Promise.all([
    ...['redis', 'prices', 'cart', 'web'].map((name) =>
      kubectl.run(['rollout', 'status', `deployment/${name}`, '-n', namespace, '--timeout=120s']),
    ),
    kubectl.run(['wait', 'pod/visitor', '-n', namespace, '--for=condition=Ready', '--timeout=120s']),
  ]);
  return {
    kubectl,
    namespace,
    request: (url) =>
      kubectl.run(['exec', '-n', namespace, 'visitor', '--', 'timeout', '60', 'wget', '-q', '-O', '-', url]),
  };
}

/** Removes a namespace and waits until it is gone. */
export async function removeNamespace(kubectl: Kubectl, namespace: string): Promise<void> {
  await kubectl.run(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=120s']);
}

/** kubectl of the embedded cluster. */
export function kubectlOf(cluster: TestCluster): Kubectl {
  return new Kubectl(cluster.kubectl);
}
