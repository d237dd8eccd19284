/** Builds the probes once, gives their commands, and reads what they say. README.md tells what they do. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, constants, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { cacheFolder } from '../cluster/folders.ts';
import { ensurePackages } from '../cluster/packages.ts';

const run = promisify(execFile);

export const probeLanguages = ['python', 'node', 'go', 'c'] as const;
export type ProbeLanguage = (typeof probeLanguages)[number];

const answerSchema = z.strictObject({
  target: z.string(),
  port: z.number(),
  host: z.string().optional(),
  addresses: z.array(z.string()).default([]),
  status: z.number().optional(),
  body: z.string().optional(),
  error: z.string().optional(),
});

/** What a probe says of one target: `status` and `body`, or `error`. */
export type ProbeAnswer = z.infer<typeof answerSchema>;

/** The answers in a probe's standard output, in the order of its targets. */
export function readAnswers(output: string): readonly ProbeAnswer[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => answerSchema.parse(JSON.parse(line)));
}

/** The command that starts a probe; built if need be. An Error has the line that installs what is missing. */
export async function probe(language: ProbeLanguage): Promise<readonly string[]> {
  switch (language) {
    case 'python':
      await ensurePackages(['python3']);
      return ['/usr/bin/python3', source('probe.py')];
    case 'node':
      return [process.execPath, source('probe.js')];
    case 'go':
      return [await built('go', 'probe.go', buildGo)];
    case 'c':
      await ensurePackages(['gcc', 'libc6-dev']);
      return [await built('c', 'probe.c', buildC)];
  }
}

async function buildGo(file: string, program: string, scratch: string): Promise<void> {
  const env = {
    ...process.env,
    CGO_ENABLED: '0',
    GOTOOLCHAIN: 'local',
    // Without a module the build is of this one file.
    GO111MODULE: 'off',
    GOPATH: join(scratch, 'go'),
  };
  await run('go', ['build', '-trimpath', '-ldflags', '-s -w', '-o', program, file], { env }).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
    throw new Error('The probe in Go needs Go. Run once: apt-get install -y golang-go', { cause: error });
  });
}

async function buildC(file: string, program: string): Promise<void> {
  await run('gcc', ['-std=c17', '-Wall', '-Wextra', '-Werror', '-O1', '-o', program, file]);
}

/** The program of this source, from the cache if it was built before. Whoever comes first builds it. */
async function built(
  name: string,
  file: string,
  build: (file: string, program: string, scratch: string) => Promise<void>,
): Promise<string> {
  const inputs = [await readFile(source(file)), await readFile(import.meta.filename), process.arch];
  const hash = inputs.reduce((all, input) => all.update(input), createHash('sha256')).digest('hex');
  const folder = join(cacheFolder(), 'probes');
  const program = join(folder, `${name}-${hash.slice(0, 16)}`);
  const isThere = await access(program, constants.X_OK).then(
    () => true,
    () => false,
  );
  if (isThere) return program;
  await mkdir(folder, { recursive: true });
  const scratch = await mkdtemp(join(folder, '.building-'));
  try {
    await build(source(file), join(scratch, name), scratch);
    await rename(join(scratch, name), program);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return program;
}

function source(file: string): string {
  return join(import.meta.dirname, file);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
