/** How the reaper becomes one file: for the package (build.ts), and for the agent's image. Not part of the reaper itself. */
import { join } from 'node:path';
import type { Plugin } from 'esbuild';
import { bundleModule } from '../../agent/bundle.ts';

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
export function bundleReaper(): Promise<string> {
  return bundleModule(join(import.meta.dirname, 'main.ts'), { minifySyntax: true, plugins: [englishOnly] });
}
