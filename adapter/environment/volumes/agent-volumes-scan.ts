/** The state of a copied volume on this computer, to see by it what the program changed. */
import { lstat, readdir, readlink } from 'node:fs/promises';
import { asBytes } from '../../tunnel/remote-files.ts';
import { localPathOf } from './agent-volumes-copy.ts';

/** Two writes that are closer than this can leave the same time behind. Milliseconds. */
const settledAfter = 100;

export interface LocalEntry {
  readonly kind: 'file' | 'directory' | 'symlink';
  /** The same as long as nobody changed it. */
  readonly token: string;
  readonly size: number;
  readonly mode: number;
  /** Changed a moment ago, perhaps again since. */
  readonly unsettled: boolean;
  readonly target?: string;
}

/**
 * All files, folders and links beneath `folder`, by path of one character a byte; the folder itself is "". What vanishes
 * meanwhile is not in it. Nothing beneath the paths in `without` is read.
 */
export async function scan(
  folder: string,
  without: ReadonlySet<string>,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, LocalEntry>> {
  const found = new Map<string, LocalEntry>();
  const waiting = [''];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    signal?.throwIfAborted();
    const entry = without.has(path) ? undefined : await read(folder, path);
    if (entry === undefined) continue;
    found.set(path, entry);
    if (entry.kind !== 'directory') continue;
    for (const name of await namesIn(folder, path)) waiting.push(path === '' ? name : `${path}/${name}`);
  }
  return found;
}

async function read(folder: string, path: string): Promise<LocalEntry | undefined> {
  const local = localPathOf(folder, path);
  if (local === undefined) return undefined;
  try {
    const stats = await lstat(local, { bigint: true });
    const mode = Number(stats.mode) & 0o777;
    const own = { size: 0, mode, unsettled: false };
    if (stats.isDirectory()) return { ...own, kind: 'directory', token: 'directory' };
    if (stats.isSymbolicLink()) {
      const target = (await readlink(local, 'buffer')).toString('latin1');
      return { ...own, kind: 'symlink', token: `symlink ${target}`, target };
    }
    if (!stats.isFile()) return undefined;
    const age = Math.abs(Date.now() - Number(stats.mtimeMs));
    const token = `file ${stats.size} ${stats.mtimeNs} ${stats.ino}`;
    return { ...own, kind: 'file', token, size: Number(stats.size), unsettled: age < settledAfter };
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

async function namesIn(folder: string, path: string): Promise<readonly string[]> {
  const local = localPathOf(folder, path);
  if (local === undefined) return [];
  try {
    if (process.platform !== 'linux') return (await readdir(local)).map(asBytes);
    return (await readdir(local, 'buffer')).map((name) => name.toString('latin1'));
  } catch (error) {
    if (isGone(error)) return [];
    throw error;
  }
}

function isGone(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}
