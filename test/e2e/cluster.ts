/** Before all end-to-end tests: one cluster with all images, and the product built. */
import { localCartPackages } from '../apps/shop/shop.ts';
import { ensureCluster, stopCluster } from '../cluster/cluster.ts';
import { ensurePackages } from '../cluster/packages.ts';
import { product } from '../stage/product.ts';
import { loadImages } from '../stage/shop.ts';
import { sharedCluster } from '../stage/world.ts';

export default async function setup(): Promise<() => Promise<void>> {
  const onProgress = (text: string) => process.stderr.write(`${text}\n`);
  await ensurePackages(localCartPackages, onProgress);
  product();
  const cluster = await ensureCluster({ name: sharedCluster, onProgress });
  await loadImages(cluster, onProgress);
  return () => stopCluster(sharedCluster);
}
