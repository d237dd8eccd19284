/** The layer all images with a Node program share: Node 24 of this checkout, its shared libraries, nothing else. */
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
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
      await withoutSymbols(root.at('/bin/node'));
    },
  );
}

/** A seventh of the file is for debuggers of Node itself. Where there is no `strip` (package binutils) it stays. */
async function withoutSymbols(program: string): Promise<void> {
  try {
    await promisify(execFile)('strip', [program]);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
