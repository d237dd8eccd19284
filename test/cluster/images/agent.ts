/**
 * The agent's image for the test cluster: Node and one bundled file. No shell, no package manager, no root.
 * Two layers, so that a changed agent costs a bundle and not a Node.
 */
import { join } from 'node:path';
import { build } from 'esbuild';
import type { ImageArchive } from './archive.ts';
import { cachedImage, cachedLayer } from './cache.ts';
import { nodeBaseLayer } from './node-base.ts';

const entry = join(import.meta.dirname, '..', '..', '..', 'agent', 'main.ts');

/** Builds `kubernetes-local.test/agent:1` from agent/main.ts as it is now. */
export async function buildAgentImage(cacheDirectory: string): Promise<ImageArchive> {
  const [base, bundle] = await Promise.all([nodeBaseLayer(cacheDirectory), bundleAgent()]);
  const program = await cachedLayer(
    cacheDirectory,
    { name: 'agent', source: import.meta.filename, inputs: [bundle] },
    async (root) => {
      await root.write('/agent/main.js', bundle);
      // Without it Node would parse the file twice to find out that it is a module.
      await root.write('/agent/package.json', '{"type":"module"}\n');
    },
  );
  return cachedImage(cacheDirectory, {
    name: 'kubernetes-local.test/agent:1',
    layers: [base, program],
    entrypoint: ['/bin/node', '/agent/main.js'],
    user: '65532:65532',
  });
}

async function bundleAgent(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node22.19',
    legalComments: 'none',
    logLevel: 'silent',
  });
  const [output] = outputFiles;
  if (!output) throw new Error(`esbuild wrote nothing for ${entry}.`);
  return output.text;
}
