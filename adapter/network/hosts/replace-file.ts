/**
 * Replaces a file's content so that a reader sees the old or the new one, whole, also after a power failure.
 * Where the file cannot be replaced (a bind mount, as /etc/hosts is in containers) it is written in place.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** rename(2), open(2): a mount point; another file system; a directory that may not be written; a read-only one. */
const notReplaceable = new Set(['EBUSY', 'EXDEV', 'EACCES', 'EPERM', 'EROFS']);
/** Antivirus and indexers hold files on Windows for a moment. Not tried. */
const windowsAttempts = 10;

/** Writes `content`; mode and owner stay. `path` is no symbolic link. Returns how. Errors of the file system as they are. */
export async function replaceFile(path: string, content: Uint8Array): Promise<'renamed' | 'in place'> {
  try {
    await replaceByRename(path, content);
    return 'renamed';
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // A full disk stops a new file but not a shorter one, and undoing makes it shorter.
    if (!notReplaceable.has(code) && !(code === 'ENOSPC' || code === 'EDQUOT')) throw error;
    await writeInPlace(path, content, notReplaceable.has(code));
    return 'in place';
  }
}

async function replaceByRename(path: string, content: Uint8Array): Promise<void> {
  const draft = join(dirname(path), `.kubernetes-local-${randomUUID()}`);
  try {
    await using original = await open(path, 'r');
    const { mode, uid, gid } = await original.stat();
    {
      await using file = await open(draft, 'wx', 0o600);
      await file.writeFile(content);
      if (process.platform !== 'win32') {
        await file.chown(uid, gid);
        await file.chmod(mode & 0o7777);
      }
      await file.sync();
    }
    await renameWithPatience(draft, path);
  } catch (error) {
    await rm(draft, { force: true }).catch(() => {});
    throw error;
  }
  if (process.platform !== 'win32') {
    await using directory = await open(dirname(path), 'r');
    await directory.sync();
  }
}

async function renameWithPatience(from: string, to: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await rename(from, to);
    } catch (error) {
      if (process.platform !== 'win32' || attempt === windowsAttempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 * attempt));
    }
  }
}

async function writeInPlace(path: string, content: Uint8Array, mayGrow: boolean): Promise<void> {
  await using file = await open(path, 'r+');
  const original = await file.readFile();
  if (!mayGrow && content.length > original.length) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  try {
    await overwrite(file, content);
  } catch (error) {
    // What was there fits again: its blocks are still the file's.
    await overwrite(file, original);
    throw error;
  }
}

async function overwrite(file: FileHandle, content: Uint8Array): Promise<void> {
  for (let done = 0; done < content.length; ) {
    done += (await file.write(content, done, content.length - done, done)).bytesWritten;
  }
  await file.truncate(content.length);
  await file.sync();
}
