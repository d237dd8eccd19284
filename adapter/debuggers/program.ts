/** Finding and trying programs. */
import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, sep } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The full path of a program named by path or looked up on PATH; undefined if there is none. */
export function findProgram(name: string, path: string = process.env.PATH ?? ''): string | undefined {
  const directories = isAbsolute(name) || name.includes(sep) ? [''] : path.split(delimiter).filter(Boolean);
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', '.bat', ''] : [''];
  return directories
    .flatMap((directory) => endings.map((ending) => join(directory, name + ending)))
    .find((candidate) => isExecutable(candidate));
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Runs a program to its end; resolves with the last line of what it complained about, undefined if it succeeded. */
export async function complaint(
  argv: readonly [string, ...string[]],
  signal: AbortSignal,
  cwd?: string,
): Promise<string | undefined> {
  const [program, ...args] = argv;
  try {
    await run(program, args, { signal, timeout: 10_000, windowsHide: true, ...(cwd !== undefined && { cwd }) });
    return undefined;
  } catch (error) {
    signal.throwIfAborted();
    const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : '';
    return stderr.trim().split('\n').at(-1) || (error instanceof Error ? error.message : String(error));
  }
}
