/** Makes the extension's code one file, as VS Code's extension host loads it: CommonJS, with `vscode` given by the host. */
import { join } from 'node:path';
import { build } from 'esbuild';
import { alias } from '../../bundle.ts';

/** Where the extension's code begins. */
export const extensionEntry = join(import.meta.dirname, '..', 'extension.ts');

/** Writes `extension.cjs` into `outdir`. */
export async function bundleExtension(outdir: string): Promise<void> {
  await build({
    entryPoints: { extension: extensionEntry },
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node22.19',
    minifyWhitespace: true,
    minifySyntax: true,
    legalComments: 'linked',
    logLevel: 'warning',
    alias,
    external: ['vscode', 'bufferutil', 'utf-8-validate'],
    // CommonJS has no import.meta.
    define: { 'import.meta.url': 'extensionFile', 'import.meta.dirname': '__dirname' },
    banner: { js: "const extensionFile=require('node:url').pathToFileURL(__filename).href;" },
  });
}
