/** Files with NAME=value lines (dotenv), as Node reads them. */
import { readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { Problem } from '../problem.ts';
import type { EnvironmentVariable } from './environment.ts';

/**
 * The variables of these files, the later ones over the earlier ones. They count as secret: that is what such files are for.
 * @param folder what relative paths are relative to.
 * @throws Problem bad-value if a file cannot be read.
 */
export function readEnvFiles(files: readonly string[], folder: string): readonly EnvironmentVariable[] {
  return files.flatMap((file) =>
    Object.entries(parseEnv(readText(resolve(folder, file)))).map(([name, value = '']) => ({
      name,
      value,
      origin: `envFile ${basename(file)}`,
      secret: true,
    })),
  );
}

function readText(path: string): string {
  try {
    // Windows editors begin a file with a mark that is no part of the first name.
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (error) {
    throw new Problem(
      {
        code: 'bad-value',
        what: `The "envFile" ${path} cannot be read.`,
        why: error instanceof Error ? error.message : String(error),
        remedy: 'Name an existing file of lines NAME=value, or leave it out.',
      },
      { cause: error },
    );
  }
}
