/** Builds the API clients once, gives their commands, and reads what they say. README.md tells what they do. */
import { createHash } from 'node:crypto';
import { access, chmod, constants, copyFile, cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { bundlePrograms } from '../../adapter/bundle.ts';
import { ClusterError } from '../cluster/error.ts';
import { ensurePackages } from '../cluster/packages.ts';
import type { OnProgress } from '../cluster/progress.ts';
import { run } from '../cluster/run.ts';
import { cachedFolder } from '../debuggers/cached.ts';

export const clientLanguages = ['python', 'go', 'node'] as const;
export type ClientLanguage = (typeof clientLanguages)[number];

const answerSchema = z.strictObject({
  server: z.string(),
  namespace: z.string(),
  pods: z.array(z.string()),
  configMap: z.string(),
  whoami: z.string(),
});

/** What the API server told a client. README.md has the meaning of each field. */
export type ClientAnswer = z.infer<typeof answerSchema>;

/** The answer in a client's standard output. */
export function readAnswer(output: string): ClientAnswer {
  return answerSchema.parse(JSON.parse(output));
}

/** A client that is built: one folder, which works wherever it is copied to. */
interface Built {
  readonly folder: string;
  /** What starts it in that folder. */
  readonly words: readonly string[];
}

/**
 * The command that starts a client; built if need be, which takes minutes for Go. An Error says what is missing and how
 * it is installed.
 */
export async function apiClient(
  language: ClientLanguage,
  onProgress: OnProgress = () => {},
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const { folder, words } = await builders[language](onProgress, signal);
  return commandIn(folder, words);
}

/** The same, of a copy in `place`, for users who may not enter the cache. */
export async function copiedApiClient(
  language: ClientLanguage,
  place: string,
  onProgress: OnProgress = () => {},
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const { folder, words } = await builders[language](onProgress, signal);
  const copy = join(place, language);
  await cp(folder, copy, { recursive: true, verbatimSymlinks: true });
  return commandIn(copy, words);
}

/** Python finds its virtual environment by the path of its interpreter, so the programs are called where they lie. */
function commandIn(folder: string, words: readonly string[]): readonly string[] {
  return ['/usr/bin/env', `--chdir=${folder}`, ...words];
}

const builders: Record<ClientLanguage, (onProgress: OnProgress, signal?: AbortSignal) => Promise<Built>> = {
  python: async (onProgress, signal) => {
    await ensurePackages(['python3-venv'], onProgress, signal);
    const python = (folder: string) => join(folder, 'bin', 'python3');
    const { stdout: version } = await run(['/usr/bin/python3', '--version'], { signal });
    const folder = await cachedFolder(
      await nameOf('python', [version]),
      (place) => succeeds([python(place), '-c', 'import kubernetes'], signal),
      async (place) => {
        onProgress("installing Kubernetes' client for Python");
        await run(['/usr/bin/python3', '-m', 'venv', place], { signal });
        const pip = [python(place), '-m', 'pip', '--quiet', '--disable-pip-version-check'] as const;
        await run([...pip, 'install', '--requirement', source('python', 'requirements.txt')], { signal });
        await copyFile(source('python', 'reader.py'), join(place, 'reader.py'));
        await chmod(place, 0o755);
      },
    );
    return { folder, words: ['bin/python3', 'reader.py'] };
  },

  go: async (onProgress, signal) => {
    const folder = await cachedFolder(
      await nameOf('go', [await goVersion(signal)]),
      (place) => isThere(join(place, 'reader'), constants.X_OK),
      async (place) => {
        await buildGo(join(place, 'reader'), onProgress, signal);
        await chmod(place, 0o755);
      },
    );
    return { folder, words: ['./reader'] };
  },

  node: async () => {
    const lock = await readFile(join(import.meta.dirname, '..', '..', 'package-lock.json'), 'utf8');
    const folder = await cachedFolder(
      await nameOf('node', [lock]),
      (place) => isThere(join(place, 'reader.mjs'), constants.R_OK),
      async (place) => {
        await bundlePrograms({ reader: source('node', 'reader.js') }, place, { extension: '.mjs', plugins: [] });
        await chmod(place, 0o755);
      },
    );
    return { folder, words: [process.execPath, 'reader.mjs'] };
  },
};

/** Its build must not depend on a workspace or flags of the user, but does use their module proxy. */
function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, GOFLAGS: '-mod=readonly', GOWORK: 'off', CGO_ENABLED: '0', GOMAXPROCS: '2' };
}

async function goVersion(signal: AbortSignal | undefined): Promise<string> {
  const go = { signal, cwd: source('go'), env: goEnvironment() };
  try {
    return (await run(['go', 'version'], go)).stdout;
  } catch (error) {
    signal?.throwIfAborted();
    const needed = /^go (\S+)$/m.exec(await readFile(source('go', 'go.mod'), 'utf8'))?.[1];
    const reason = error instanceof Error ? error.message : String(error);
    throw new ClusterError(
      `The API client in Go needs Go ${needed} or newer: see https://go.dev/doc/install\n${reason}`,
    );
  }
}

async function buildGo(program: string, onProgress: OnProgress, signal: AbortSignal | undefined): Promise<void> {
  const flags = ['-v', '-trimpath', '-ldflags', '-s -w'];
  let fetched = 0;
  let compiled = 0;
  onProgress('building the API client in Go');
  await run(['nice', 'go', 'build', ...flags, '-o', program, '.'], {
    signal,
    cwd: source('go'),
    env: goEnvironment(),
    onErrorLine: (line) => {
      // -v prints the name of each package as it is compiled; lines with a space are messages of the compiler.
      if (line.startsWith('go: downloading '))
        onProgress(`building the API client in Go: ${++fetched} modules fetched`);
      else if (!line.includes(' ')) onProgress(`building the API client in Go: ${++compiled} packages compiled`);
    },
  });
}

/** The name of a build in the cache: another one for each state of what it is made from. */
async function nameOf(language: ClientLanguage, inputs: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify([process.arch, ...inputs]));
  for (const name of (await readdir(source(language))).sort()) {
    const content = await readFile(source(language, name));
    hash.update(`${name} ${content.length}\n`).update(content);
  }
  hash.update(await readFile(import.meta.filename));
  return `api-client-${language}-${hash.digest('hex').slice(0, 16)}`;
}

function source(...names: readonly string[]): string {
  return join(import.meta.dirname, ...names);
}

function isThere(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function succeeds(command: readonly [string, ...string[]], signal: AbortSignal | undefined): Promise<boolean> {
  const ended = await run(command, { ...(signal && { signal }) }).catch(() => undefined);
  signal?.throwIfAborted();
  return ended !== undefined;
}
