/** How our programs become the files of the package (build.ts), and those of tests and measurements, bundled as they are shipped. */
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { httpAlone } from '../agent/bundle.ts';
import { compiledValidator } from './launch/validator-code.ts';
import { englishOnly } from './reaper/bundle.ts';

/** The main file of jsonc-parser finds its parts in a way (UMD) that no bundler can follow; these are the same as modules. */
export const alias = { 'jsonc-parser': fileURLToPath(import.meta.resolve('jsonc-parser/lib/esm/main.js')) };

/**
 * client-node is needed for its KubeConfig, not for its requests: the classes of all objects of Kubernetes and a second HTTP
 * client are half of what each of our processes would have to load at its start.
 */
const kubeconfigOnly: Plugin = {
  name: 'kubeconfig-only',
  setup({ onResolve, onLoad, resolve }) {
    onResolve({ filter: /^undici$/ }, ({ path }) => ({ path, namespace: 'left-out' }));
    onLoad({ filter: /^undici$/, namespace: 'left-out' }, () => ({
      contents: 'export const Agent = undefined; export const ProxyAgent = undefined; export const fetch = undefined;',
    }));
    // Whatever is not imported by name has nothing to do when it is loaded.
    onResolve({ filter: /client-node|^\./ }, async ({ path, pluginData, ...from }) => {
      const isOfPackage = from.importer.includes('/@kubernetes/client-node/') || path === '@kubernetes/client-node';
      if (!isOfPackage || pluginData === resolving) return undefined;
      const { path: file, errors } = await resolve(path, { ...from, pluginData: resolving });
      return errors.length > 0 ? { errors } : { path: file, sideEffects: false };
    });
  },
};
const resolving = Symbol('resolving');

interface BundleOptions {
  /** Default `.js`. */
  readonly extension?: string;
  /** What leaves out parts of packages that our programs do not use. */
  readonly plugins?: readonly Plugin[];
}

/**
 * Bundles each entry point with everything it needs into `outdir`, under its own name. Paths are absolute. What it imports
 * when it is needed stands in files of its own beside it, so that a process reads and compiles no more than it runs. Resolves
 * with the names of all files.
 */
export async function bundlePrograms(
  entryPoints: Readonly<Record<string, string>>,
  outdir: string,
  { extension = '.js', plugins = [kubeconfigOnly, englishOnly, httpAlone, compiledValidator] }: BundleOptions = {},
): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: { ...entryPoints },
    outdir,
    outExtension: { '.js': extension },
    bundle: true,
    splitting: true,
    chunkNames: '[name]-[hash]',
    metafile: true,
    plugins: [...plugins],
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
  return Object.keys(metafile.outputs).map((path) => basename(path));
}
