/** The layer all images with a Node program share: Node 24 of this checkout, its shared libraries, nothing else. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Layer } from './archive.ts';
import { cachedLayer, fileStamp } from './cache.ts';

/** Builds the layer with /bin/node. */
export async function nodeBaseLayer(cacheDirectory: string): Promise<Layer> {
  const node = join(dirname(createRequire(import.meta.url).resolve('node/package.json')), 'bin', 'node');
  return cachedLayer(
    cacheDirectory,
    { name: 'node', source: import.meta.filename, inputs: [await fileStamp(node)] },
    async (root) => {
      await root.addEssentials();
      await root.copyProgram(node, '/bin/node');
    },
  );
}
