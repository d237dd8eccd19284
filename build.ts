/** Bundles the two programs that are shipped: the command line with everything it needs, and the agent. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { bundleAgent } from './agent/bundle.ts';

const root = import.meta.dirname;

await build({
  entryPoints: ['adapter/cli/main.ts'],
  outfile: 'dist/kubernetes-local.js',
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22.19',
  // Half the bytes to parse at each start; names stay readable in stack traces.
  minifyWhitespace: true,
  minifySyntax: true,
  legalComments: 'linked',
  logLevel: 'warning',
  // A native module cannot be bundled; without it websockets are slower, not broken.
  external: ['bufferutil', 'utf-8-validate'],
  // Bundled CommonJS packages call require for Node's own modules.
  banner: {
    js: "import { createRequire as makeRequire } from 'node:module';\nconst require = makeRequire(import.meta.url);",
  },
});
chmodSync(join(root, 'dist', 'kubernetes-local.js'), 0o755);
writeFileSync(join(root, 'dist', 'agent.js'), await bundleAgent());
