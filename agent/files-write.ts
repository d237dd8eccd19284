/** Changes to the files beneath a writable root. Nothing is touched that is not as the daemon last saw it. */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, link, mkdir, open, rename, rmdir, symlink, unlink } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { bytesOf, childOf, entryIn, entryOf, errorCode, FileError, versionIn } from './files-beneath.ts';
import { fileVersion, temporaryPrefix } from './protocol.ts';

/** File systems that cannot give a file a second name. */
const linkless = new Set(['EPERM', 'EOPNOTSUPP', 'ENOTSUP', 'ENOSYS', 'EMLINK']);

const stale = (): FileError => new FileError('ESTALE', 'it was changed in the pod meanwhile');

/** Gives a finished temporary name its place, if what is there is what was expected. */
async function take(folder: FileHandle, temporary: string, name: string, expected: string): Promise<void> {
  const [from, to] = [childOf(folder, temporary), childOf(folder, name)];
  if (expected === 'absent') {
    try {
      // Unlike a rename, a second name never replaces what came there meanwhile.
      await link(from, to);
      await unlink(from);
      return;
    } catch (error) {
      if (errorCode(error) === 'EEXIST') throw stale();
      if (!linkless.has(errorCode(error))) throw error;
    }
  }
  if ((await versionIn(folder, name)) !== expected) throw stale();
  await rename(from, to);
}

/** Makes something under a temporary name with `make`, then gives it its place; what fails leaves nothing behind. */
async function place<T>(
  folder: FileHandle,
  name: string,
  expected: string,
  make: (temporary: Buffer) => Promise<T>,
): Promise<T> {
  const temporary = `${temporaryPrefix}${randomBytes(8).toString('hex')}`;
  try {
    const made = await make(childOf(folder, temporary));
    await take(folder, temporary, name, expected);
    return made;
  } catch (error) {
    await unlink(childOf(folder, temporary)).catch(() => {});
    throw error;
  }
}

/**
 * Writes a file of exactly `size` bytes. Resolves with its version. FileError ESTALE: what is there is not `expected`;
 * EIO: `content` ended too early.
 */
export async function writeFile(
  folder: FileHandle,
  name: string,
  request: { readonly content: Readable; readonly size: number; readonly mode: number; readonly expected: string },
): Promise<string> {
  const before = await entryIn(folder, name, name);
  if (fileVersion(before) !== request.expected) throw stale();
  return place(folder, name, request.expected, async (temporary) => {
    const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
    const file = await open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    try {
      // Not a pipeline: the content's stream is to stay open, for the answer goes over it.
      for await (const chunk of request.content.iterator({ destroyOnReturn: false })) await file.writeFile(chunk);
      await file.chmod(before?.kind === 'file' ? before.mode & 0o777 : request.mode & 0o777);
      await file.datasync();
      const stats = await file.stat({ bigint: true });
      if (Number(stats.size) !== request.size) throw new FileError('EIO', 'the content ended too early');
      return fileVersion(entryOf(name, stats));
    } finally {
      await file.close();
    }
  });
}

/** Makes a symbolic link, or exchanges one. Resolves with its version. */
export async function writeLink(folder: FileHandle, name: string, target: string, expected: string): Promise<string> {
  if ((await versionIn(folder, name)) !== expected) throw stale();
  await place(folder, name, expected, (temporary) => symlink(bytesOf(target), temporary));
  return versionIn(folder, name);
}

/** Makes a folder. Resolves with its version; rejects with EEXIST where something is. */
export async function makeFolder(folder: FileHandle, name: string, mode: number): Promise<string> {
  await mkdir(childOf(folder, name), mode & 0o777);
  return 'directory';
}

/** Removes a file, a link or an empty folder that is as expected. What is gone already is no error. */
export async function remove(folder: FileHandle, name: string, expected: string): Promise<string> {
  const version = await versionIn(folder, name);
  if (version === 'absent') return version;
  if (version !== expected) throw stale();
  if (version === 'directory') await rmdir(childOf(folder, name));
  else await unlink(childOf(folder, name));
  return 'absent';
}
