/** The sandbox container every pod has: it holds the pod's namespaces and reaps its orphans. Debian's catatonit does both. */
import { ensurePackages } from '../packages.ts';
import type { ImageArchive } from './archive.ts';
import { cachedImage, cachedLayer, fileStamp } from './cache.ts';

const catatonit = '/usr/bin/catatonit';

/** Builds `kubernetes-local.test/pause:1`, the kubelet's sandbox image. */
export async function buildPauseImage(
  cacheDirectory: string,
  onProgress: (text: string) => void = () => {},
): Promise<ImageArchive> {
  await ensurePackages(['catatonit'], onProgress);
  const layer = await cachedLayer(
    cacheDirectory,
    { name: 'pause', source: import.meta.filename, inputs: [await fileStamp(catatonit)] },
    (root) => root.copy(catatonit, '/bin/catatonit'),
  );
  return cachedImage(cacheDirectory, {
    name: 'kubernetes-local.test/pause:1',
    layers: [layer],
    entrypoint: ['/bin/catatonit', '-P'],
    user: '65535:65535',
  });
}
