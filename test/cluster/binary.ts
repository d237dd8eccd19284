/** The cluster's one program, built from `node/` and kept by the hash of what it is built from. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, programsOfClusters } from './folders.ts';
import type { OnProgress } from './progress.ts';
import { run } from './run.ts';

const sources = join(import.meta.dirname, 'node');
const programName = 'kubenode';
/** How many builds are kept, so that a few worktrees can share the cache. */
const kept = 3;

/** What the components call themselves must be the version of k8s.io/kubernetes in go.mod. */
async function buildFlags(): Promise<readonly string[]> {
  const module = await readFile(join(sources, 'go.mod'), 'utf8');
  const [, version, major, minor] = /^\s*k8s\.io\/kubernetes (v(\d+)\.(\d+)\.\d+)$/m.exec(module) ?? [];
  if (version === undefined) throw new Error('go.mod names no version of k8s.io/kubernetes');
  const values = { gitVersion: version, gitMajor: major, gitMinor: minor, gitTreeState: 'clean' };
  const variables = Object.entries(values).map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`);
  return ['-trimpath', '-ldflags', ['-s', '-w', ...variables].join(' ')];
}

/** The path of the program; built if its sources or the compiler are new. The first build takes minutes. */
export async function ensureBinary(onProgress: OnProgress = () => {}, signal?: AbortSignal): Promise<string> {
  const flags = await buildFlags();
  const folder = join(cacheFolder(), 'programs');
  const binary = join(folder, await hashSources(sources, [await goVersion(signal), ...flags]), programName);
  const now = new Date();
  const present = await utimes(join(binary, '..'), now, now).then(
    () => stat(binary).then(Boolean, () => false),
    () => false,
  );
  if (present) return binary;
  await mkdir(folder, { recursive: true });
  const building = await mkdtemp(join(folder, '.building-'));
  try {
    await build(join(building, programName), flags, onProgress, signal);
    await rename(building, join(binary, '..')).catch(async (error: unknown) => {
      // Another process may have been quicker with the same.
      if (!(await stat(binary).catch(() => undefined))) throw error;
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  await removeOld(folder);
  return binary;
}

/** A short hash of the Go files and the module files of a folder, and of what else the result depends on. */
export async function hashSources(folder: string, inputs: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(inputs));
  const isSource = (name: string) => /^go\.(mod|sum)$|\.go$/.test(name) && !name.endsWith('_test.go');
  for (const name of (await readdir(folder)).filter(isSource).sort()) {
    const content = await readFile(join(folder, name));
    hash.update(`${name} ${content.length}\n`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

async function goVersion(signal: AbortSignal | undefined): Promise<string> {
  return (await run(['go', 'version'], { signal, cwd: sources, env: goEnvironment() })).stdout.trim();
}

/** The build must not depend on a workspace or flags of the user, but does use their module proxy. */
function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, GOFLAGS: '-mod=readonly', GOWORK: 'off', CGO_ENABLED: '0' };
}

async function build(
  output: string,
  flags: readonly string[],
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  const go = { signal, cwd: sources, env: goEnvironment() };
  let downloads = 0;
  onProgress('building Kubernetes: looking for what is to be compiled');
  const stale = await run(['go', 'list', ...flags, '-deps', '-f', '{{if .Stale}}{{.ImportPath}}{{end}}', '.'], {
    ...go,
    onErrorLine: (line) => {
      if (line.startsWith('go: downloading ')) onProgress(`building Kubernetes: ${++downloads} modules fetched`);
    },
  });
  const total = stale.stdout.split('\n').filter(Boolean).length;
  let compiled = 0;
  await run(['go', 'build', ...flags, '-v', '-o', output, '.'], {
    ...go,
    onErrorLine: (line) => {
      // -v prints the name of each package as it is compiled; lines with a space are messages of the compiler.
      if (line.includes(' ')) return;
      compiled = Math.min(compiled + 1, total);
      const part = compiled < total ? `${compiled} of ${total} packages` : 'linking';
      onProgress(`building Kubernetes: ${part}`, total === 0 ? 1 : compiled / total);
    },
  });
}

/** Removes builds that neither are new nor belong to a cluster, running or not: its end needs the program of its start. */
async function removeOld(folder: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{16}$/.test(name));
  const builds = await Promise.all(
    names.map(async (name) => ({ name, used: (await stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? 0 })),
  );
  builds.sort((a, b) => b.used - a.used);
  const needed = new Set(await programsOfClusters());
  for (const { name } of builds.slice(kept)) {
    if (!needed.has(join(folder, name, programName))) await rm(join(folder, name), { recursive: true, force: true });
  }
}
