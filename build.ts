/** Bundles the two programs that are shipped: the command line with everything it needs, and the agent. */
import { chmodSync } from 'node:fs';
import { build } from 'esbuild';

const common = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22.19',
  absWorkingDir: import.meta.dirname,
  legalComments: 'linked',
  logLevel: 'warning',
} as const;

await Promise.all([
  build({
    ...common,
    entryPoints: ['adapter/cli/main.ts'],
    outfile: 'dist/kubernetes-local.js',
    // A native module cannot be bundled; without it websockets are slower, not broken.
    external: ['bufferutil', 'utf-8-validate'],
    // Bundled CommonJS packages call require for Node's own modules.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module';\nconst require = makeRequire(import.meta.url);",
    },
  }),
  build({ ...common, entryPoints: ['agent/main.ts'], outfile: 'dist/agent.js' }),
]);
chmodSync('dist/kubernetes-local.js', 0o755);
