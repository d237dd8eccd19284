/** Bundles the programs that are shipped: the command line with everything it needs, the agent, and the reaper of its image. */
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundlePrograms } from './adapter/bundle.ts';
import { bundleReaper } from './adapter/reaper/bundle.ts';
import { bundleAgent } from './agent/bundle.ts';

const root = import.meta.dirname;
const folder = join(root, 'dist');

const written = await bundlePrograms({ 'kubernetes-local': join(root, 'adapter', 'cli', 'main.ts') }, folder);
chmodSync(join(folder, 'kubernetes-local.js'), 0o755);
writeFileSync(join(folder, 'agent.js'), await bundleAgent());
writeFileSync(join(folder, 'reaper.mjs'), await bundleReaper());
// Parts of the build before. One that is as it was keeps its name, so a program that runs meanwhile finds all of its own.
for (const name of readdirSync(folder)) {
  if (/-[0-9A-Z]{8}\.js(\.LEGAL\.txt)?$/.test(name) && !written.includes(name)) rmSync(join(folder, name));
}
