/** How the agent becomes one file: for the package (build.ts) and for its image. Not part of the agent itself. */
import { join } from 'node:path';
import { build } from 'esbuild';

/** The agent as one ES module for Node 22.19 or later, without dependencies. */
export async function bundleAgent(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'main.ts')],
    bundle: true,
    write: false,
    platform: 'node',
    format: 'esm',
    target: 'node22.19',
    logLevel: 'warning',
  });
  const [output] = outputFiles;
  if (!output) throw new Error('esbuild wrote nothing for the agent.');
  return output.text;
}
