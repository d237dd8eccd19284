/** How the reaper becomes one file: for the package (build.ts), and for the agent's image. Not part of the reaper itself. */
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { httpAlone } from '../../agent/bundle.ts';

/** zod brings its messages in fifty languages, half of the bytes; English is part of its core. */
export const englishOnly: Plugin = {
  name: 'english-only',
  setup({ onResolve, onLoad }) {
    const namespace = 'no-languages';
    onResolve({ filter: /^\.\.\/locales\/index\.js$/ }, () => ({ path: namespace, namespace }));
    onLoad({ filter: /.*/, namespace }, () => ({ contents: 'export {};' }));
  },
};

/** The reaper as one ES module for Node 22.19 or later, without dependencies. */
export async function bundleReaper(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'main.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node22.19',
    minifySyntax: true,
    plugins: [englishOnly, httpAlone],
    logLevel: 'warning',
  });
  const [output] = outputFiles;
  if (!output) throw new Error('esbuild wrote nothing for the reaper.');
  return output.text;
}
