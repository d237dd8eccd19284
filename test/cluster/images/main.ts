/**
 * `npm run images -- [--out DIRECTORY] [--prefix REGISTRY/] [--shop]`: writes the agent's image, and with --shop those of the
 * sample shop, as docker-archives, and says how they get into a registry. docs/agent-image.md has more.
 */
import { copyFile, mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { buildShopImages } from '../../apps/shop/shop.ts';
import { showProgress } from '../progress.ts';
import { buildAgentImage } from './agent.ts';
import type { ImageArchive } from './archive.ts';
import { defaultCacheDirectory } from './cache.ts';

interface Options {
  readonly out: string;
  readonly prefix: string;
  readonly shop: boolean;
}

await new Command('images')
  .description('write the images of the agent and of the sample shop as docker-archives')
  .option('--out <directory>', 'where to', 'images')
  .option('--prefix <prefix>', 'where your cluster pulls from, with the slash at its end', 'registry.example.com/team/')
  .option('--shop', 'the images of the sample shop too', false)
  .showHelpAfterError()
  .action(async ({ out, prefix, shop }: Options) => {
    using progress = showProgress(process.stderr);
    await mkdir(out, { recursive: true });
    const agent = await buildAgentImage(defaultCacheDirectory());
    const others = shop ? await buildShopImages(defaultCacheDirectory(), progress.show) : [];
    const files = await Promise.all([agent, ...others].map((image) => place(image, out)));
    progress[Symbol.dispose]();
    const target = (name: string) => `${prefix}${shortName(name)}`;
    console.log(`Written:
${files.map(({ file, name, megabytes }) => `  ${file}  ${name}, ${megabytes} MB`).join('\n')}

Into a registry, without docker:
${files.map(({ file, name }) => `  skopeo copy docker-archive:${file} docker://${target(name)}`).join('\n')}

Or with docker:
${files.map(({ file, name }) => `  docker load --input ${file} && docker tag ${name} ${target(name)} && docker push ${target(name)}`).join('\n')}

Then, in the launch configuration or the environment:
  "agentImage": "${target(agent.name)}"
  export KUBERNETES_LOCAL_AGENT_IMAGE=${target(agent.name)}`);
  })
  .parseAsync();

async function place({ name, archive }: ImageArchive, directory: string) {
  const file = join(directory, `${shortName(name).replace(':', '-')}.tar`);
  await copyFile(archive, file);
  return { file, name, megabytes: Math.round((await stat(file)).size / 1e6) };
}

/** The name without its registry. */
function shortName(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}
