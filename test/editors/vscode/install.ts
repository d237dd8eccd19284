/**
 * A real VS Code for the tests: code-server of the version that code-server/package-lock.json pins, in the user's cache
 * folder, compiled for the Node that comes with it; and Chromium to look at it. All is installed when it is missing.
 */
import { createHash } from 'node:crypto';
import { copyFile, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ensurePackages } from '../../cluster/packages.ts';
import type { OnProgress } from '../../cluster/progress.ts';
import { run } from '../../cluster/run.ts';
import { cachedFolder } from '../../debuggers/cached.ts';

export interface VsCode {
  /** What starts code-server, without options. */
  readonly command: readonly [string, ...string[]];
  readonly version: string;
  readonly browser: string;
}

/** Chromium with a font that is easy to read, and what the native modules of VS Code are compiled with and against. */
const packages = [
  'chromium',
  'fonts-liberation',
  'g++',
  'libkrb5-dev',
  'libsecret-1-dev',
  'libxkbfile-dev',
  'make',
  'pkg-config',
  'python3',
] as const;

const pinned = join(import.meta.dirname, 'code-server');
const manifestShape = z.object({ dependencies: z.object({ 'code-server': z.string() }) });

/** Makes sure that VS Code is installed, and says where. Throws ClusterError with the line that installs what is missing. */
export async function installedVsCode(onProgress: OnProgress = () => {}, signal?: AbortSignal): Promise<VsCode> {
  await ensurePackages(packages, onProgress, signal);
  const manifest = await readFile(join(pinned, 'package.json'), 'utf8');
  const version = manifestShape.parse(JSON.parse(manifest)).dependencies['code-server'];
  const lock = await readFile(join(pinned, 'package-lock.json'));
  const digest = createHash('sha256').update(lock).digest('hex').slice(0, 8);
  // Without a place of its own for its settings it would write into the user's.
  const start = (folder: string) =>
    run([...commandIn(folder), '--config', join(folder, 'config.yaml'), '--version'], { signal });
  const root = await cachedFolder(
    `code-server-${version}-${digest}`,
    async (folder) => {
      const ended = await start(folder).catch(() => undefined);
      signal?.throwIfAborted();
      return ended?.stdout.includes(`${version} `) ?? false;
    },
    (folder) => install(folder, version, onProgress, signal),
  );
  // What it complains about is the best explanation.
  await start(root);
  return { command: commandIn(root), version, browser: '/usr/bin/chromium' };
}

function nodeIn(folder: string): string {
  return join(folder, 'node_modules', `node-${process.platform}-${process.arch}`);
}

function commandIn(folder: string): readonly [string, ...string[]] {
  return [join(nodeIn(folder), 'bin', 'node'), join(folder, 'node_modules', 'code-server', 'out', 'node', 'entry.js')];
}

async function install(
  folder: string,
  version: string,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (const file of ['package.json', 'package-lock.json']) await copyFile(join(pinned, file), join(folder, file));
  const began = performance.now();
  const tell = () => {
    const seconds = Math.round((performance.now() - began) / 1000);
    onProgress(`installing code-server ${version}, which is compiled here: ${seconds} s of about 120`);
  };
  tell();
  const telling = setInterval(tell, 1000);
  try {
    await run(['npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', '--foreground-scripts'], {
      signal,
      cwd: folder,
      env: {
        ...process.env,
        // Its scripts run on this Node, and compile for the one that is installed beside it.
        PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
        // Our own npm's, whose Node may be another one; its script wants to know that of this npm.
        npm_config_user_agent: undefined,
        npm_config_nodedir: nodeIn(folder),
        npm_config_python: '/usr/bin/python3',
      },
    });
  } finally {
    clearInterval(telling);
  }
}
