/** How a program of ours becomes one file: for the package (build.ts), and for tests and measurements as they are shipped. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** The main file of jsonc-parser finds its parts in a way (UMD) that no bundler can follow; these are the same as modules. */
export const alias = { 'jsonc-parser': fileURLToPath(import.meta.resolve('jsonc-parser/lib/esm/main.js')) };

/** Bundles each entry point with everything it needs into `outdir`, under its own name. Paths are absolute. */
export async function bundlePrograms(
  entryPoints: Readonly<Record<string, string>>,
  outdir: string,
  extension = '.js',
): Promise<void> {
  await build({
    entryPoints: { ...entryPoints },
    outdir,
    outExtension: { '.js': extension },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node22.19',
    // Half the bytes to parse at each start; names stay readable in stack traces.
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'linked',
    logLevel: 'warning',
    alias,
    // A native module cannot be bundled; without it websockets are slower, not broken.
    external: ['bufferutil', 'utf-8-validate'],
    // Bundled CommonJS packages call require for Node's own modules.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module';\nconst require = makeRequire(import.meta.url);",
    },
  });
}
