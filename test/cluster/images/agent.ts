/**
 * The agent's image: Node and two bundled files, agent and reaper. No shell, no package manager, no root.
 * Two layers, so that a changed agent costs a bundle and not a Node.
 */
import { bundleReaper } from '../../../adapter/reaper/bundle.ts';
import { bundleAgent } from '../../../agent/bundle.ts';
import { engineFlags } from '../../../agent/engine-flags.ts';
import type { ImageArchive } from './archive.ts';
import { cachedImage, cachedLayer } from './cache.ts';
import { nodeBaseLayer } from './node-base.ts';

/** Builds `kubernetes-local.test/agent:1` from agent/main.ts as it is now. */
export async function buildAgentImage(cacheDirectory: string): Promise<ImageArchive> {
  const [base, agent, reaper] = await Promise.all([nodeBaseLayer(cacheDirectory), bundleAgent(), bundleReaper()]);
  const program = await cachedLayer(
    cacheDirectory,
    { name: 'agent', source: import.meta.filename, inputs: [agent, reaper] },
    async (root) => {
      await root.write('/agent/main.js', agent);
      await root.write('/agent/reaper.mjs', reaper);
      // Without it Node would parse the file twice to find out that it is a module.
      await root.write('/agent/package.json', '{"type":"module"}\n');
    },
  );
  return cachedImage(cacheDirectory, {
    name: 'kubernetes-local.test/agent:1',
    layers: [base, program],
    entrypoint: ['/bin/node', ...engineFlags, '/agent/main.js'],
    user: '65532:65532',
  });
}
