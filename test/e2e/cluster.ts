/** Before all end-to-end tests: one cluster with all images, and the product built. */
import { ensureCluster, stopCluster } from '../cluster/cluster.ts';
import { product } from '../stage/product.ts';
import { loadImages } from '../stage/shop.ts';

/** The cluster that the end-to-end tests share. */
export const clusterName = 'e2e';

export default async function setup(): Promise<() => Promise<void>> {
  const onProgress = (text: string) => process.stderr.write(`${text}\n`);
  product();
  const cluster = await ensureCluster({ name: clusterName, onProgress });
  await loadImages(cluster, onProgress);
  return () => stopCluster(clusterName);
}
