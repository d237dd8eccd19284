/**
 * Opening what lies beneath a root, and nothing else. Node has no `openat`; `/proc/self/fd/N/NAME` is the same: the folder
 * is the open one, whatever its path leads to by now. Each name is opened by itself and no link is followed, so that there is
 * no moment in which somebody could exchange a folder for a link.
 */
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, readFile, readlink } from 'node:fs/promises';
import { type FileEntry, type FileKind, fileVersion } from './protocol.ts';

/** Linux's O_PATH, which Node does not name: a handle that says what something is, without opening it. */
const pathOnly = 0o10000000;

/** An error with the code that the daemon is told. */
export class FileError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The system's code of an error, EIO for one without. */
export function errorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^E[A-Z0-9]+$/.test(code) ? code : 'EIO';
}

/** The bytes of a text that has one character a byte. */
export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');

/** The path of an open file or folder itself. */
export const pathOf = (place: FileHandle): string => `/proc/self/fd/${place.fd}`;

/** The path of a name in an open folder. */
export const childOf = (folder: FileHandle, name: string): Buffer =>
  Buffer.concat([Buffer.from(`${pathOf(folder)}/`), bytesOf(name)]);

/**
 * Opens what the names lead to, from `/` on, as a handle that can be asked and reopened but not read. `folder`: it must be
 * one. Rejects with the system's error: ENOTDIR where a link or a file stands in the way. The caller closes the handle.
 */
export async function openPlace(names: readonly string[], folder = false): Promise<FileHandle> {
  const { O_DIRECTORY, O_NOFOLLOW } = constants;
  let place = await open('/', pathOnly | O_DIRECTORY);
  for (const [index, name] of names.entries()) {
    const mustBeFolder = folder || index < names.length - 1;
    try {
      const next = await open(childOf(place, name), pathOnly | O_NOFOLLOW | (mustBeFolder ? O_DIRECTORY : 0));
      await place.close();
      place = next;
    } catch (error) {
      await place.close();
      throw error;
    }
  }
  return place;
}

function kindOf(stats: BigIntStats): FileKind {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  if (stats.isSymbolicLink()) return 'symlink';
  if (stats.isFIFO()) return 'fifo';
  return stats.isSocket() ? 'socket' : 'device';
}

/** A file's state as an entry of a listing. */
export function entryOf(path: string, stats: BigIntStats, target?: string): FileEntry {
  return {
    path,
    kind: kindOf(stats),
    size: stats.isFile() ? Number(stats.size) : 0,
    mode: Number(stats.mode) & 0o7777,
    mtime: String(stats.mtimeNs),
    ...(target !== undefined && { target }),
  };
}

/** The entry of a name in an open folder; undefined if there is none. */
export async function entryIn(folder: FileHandle, name: string, path: string): Promise<FileEntry | undefined> {
  try {
    const stats = await lstat(childOf(folder, name), { bigint: true });
    const target = stats.isSymbolicLink() ? await readlink(childOf(folder, name), 'latin1') : undefined;
    return entryOf(path, stats, target);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The version of a name in an open folder. */
export async function versionIn(folder: FileHandle, name: string): Promise<string> {
  return fileVersion(await entryIn(folder, name, name));
}

/** Where something is mounted in this container, one character a byte. */
export async function mountPoints(): Promise<ReadonlySet<string>> {
  const table = await readFile('/proc/self/mountinfo', 'latin1');
  const points = table.split('\n').flatMap((line) => line.split(' ')[4] ?? []);
  return new Set(
    points.map((point) =>
      point.replace(/\\([0-7]{3})/g, (_, byte: string) => String.fromCharCode(Number.parseInt(byte, 8))),
    ),
  );
}
