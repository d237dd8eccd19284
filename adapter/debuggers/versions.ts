/** Programs whose name carries a version, as Debian and others install them beside each other: lldb-dap-19, rdbg3.1. */
import { readdirSync } from 'node:fs';
import { delimiter } from 'node:path';
import { findProgram } from './program.ts';

/** The full path of the program NAME-VERSION or NAMEVERSION with the highest version on PATH; undefined if there is none. */
export function newestOnPath(name: string, path: string = process.env.PATH ?? ''): string | undefined {
  const found = path
    .split(delimiter)
    .filter(Boolean)
    .flatMap((folder) => filesOf(folder))
    .flatMap((file) => {
      const [, version] = file.startsWith(name)
        ? (/^-?(\d+(?:\.\d+)*)(?:\.exe)?$/.exec(file.slice(name.length)) ?? [])
        : [];
      return version === undefined
        ? []
        : [{ file: file.replace(/\.exe$/, ''), version: version.split('.').map(Number) }];
    })
    .sort((a, b) => compareVersions(b.version, a.version));
  for (const { file } of found) {
    const program = findProgram(file, path);
    if (program !== undefined) return program;
  }
  return undefined;
}

function filesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Negative if `a` is the older one. */
export function compareVersions(a: readonly number[], b: readonly number[]): number {
  const [major = 0, ...rest] = a;
  const [otherMajor = 0, ...otherRest] = b;
  if (major !== otherMajor || (rest.length === 0 && otherRest.length === 0)) return major - otherMajor;
  return compareVersions(rest, otherRest);
}
