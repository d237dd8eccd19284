/**
 * KubernetesLocalProcessConfig.yaml, the file by which Bridge to Kubernetes gave a program variables, read as its
 * documentation says. This is its front: found, read, parsed; demands.ts and evaluate.ts say what follows from it.
 */
import { readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { Problem } from '../../problem.ts';
import { checkProcessConfig } from './check.ts';
import type { ProcessConfig } from './model.ts';

export type { ProcessConfig } from './model.ts';

/** The name of the file, as its ancestor wants it. */
export const processConfigName = 'KubernetesLocalProcessConfig.yaml';

/** The first of these folders' files with exactly the right name; undefined if none has one. */
export function findProcessConfig(folders: readonly string[]): string | undefined {
  return folders
    .map((folder) => join(resolve(folder), processConfigName))
    .find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

/** Reads a file. Problem bad-value if it cannot be read, or as `parseProcessConfig` throws it. */
export function readProcessConfig(file: string): ProcessConfig {
  return parseProcessConfig(readProcessConfigText(file), file);
}

/** The text of a file. Problem bad-value if it cannot be read. */
export function readProcessConfigText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Problem(
      {
        code: 'bad-value',
        what: `The process configuration ${file} cannot be read.`,
        why: error instanceof Error ? error.message : String(error),
        remedy: 'Check its path, or set "processConfig" to false for none.',
      },
      { cause: error },
    );
  }
}

/** A file's text as it is meant; `file` is its path. Problem bad-value that tells everything that is wrong, with places. */
export function parseProcessConfig(text: string, file: string): ProcessConfig {
  const { config, faults } = checkProcessConfig(text, file);
  if (config !== undefined) return config;
  const [first, ...others] = faults.map(({ line, column, what }) => `${line}:${column}: ${what}`);
  throw new Problem({
    code: 'bad-value',
    what: `${file}:${first}`,
    why: others.map((other) => `${basename(file)}:${other}`).join(' '),
    remedy: faults[0]?.remedy ?? '',
  });
}
