/** Bundles the two programs that are shipped: the command line with everything it needs, and the agent. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundlePrograms } from './adapter/bundle.ts';
import { bundleAgent } from './agent/bundle.ts';

const root = import.meta.dirname;
const folder = join(root, 'dist');

await bundlePrograms({ 'kubernetes-local': join(root, 'adapter', 'cli', 'main.ts') }, folder);
chmodSync(join(folder, 'kubernetes-local.js'), 0o755);
writeFileSync(join(folder, 'agent.js'), await bundleAgent());
