/** How the agent becomes one file: for the package (build.ts) and for its image. Not part of the agent itself. */
import { join } from 'node:path';
import { type BuildOptions, build, type Plugin } from 'esbuild';

/**
 * `import` of node:http makes Node load undici for the exports that nobody here uses (WebSocket and the like), a fifth of an
 * agent's start; asked for it in this way Node loads it when they are read.
 */
export const httpAlone: Plugin = {
  name: 'http-alone',
  setup({ onResolve, onLoad }) {
    const namespace = 'http-alone';
    onResolve({ filter: /^(node:)?http$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'node:http', namespace } : undefined,
    );
    onLoad({ filter: /.*/, namespace }, () => ({
      contents: "module.exports = process.getBuiltinModule('node:http');",
    }));
  },
};

/** The agent as one ES module for Node 22.19 or later, without dependencies. */
export function bundleAgent(): Promise<string> {
  return bundleModule(join(import.meta.dirname, 'main.ts'));
}

/** A program of the agent's image as one such module. */
export async function bundleModule(
  entry: string,
  { plugins = [], ...options }: Pick<BuildOptions, 'plugins' | 'minifySyntax'> = {},
): Promise<string> {
  const { outputFiles } = await build({
    ...options,
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node22.19',
    plugins: [...plugins, httpAlone],
    logLevel: 'warning',
  });
  const [output] = outputFiles;
  if (!output) throw new Error(`esbuild wrote nothing for ${entry}.`);
  return output.text;
}
