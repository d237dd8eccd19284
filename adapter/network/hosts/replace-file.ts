/**
 * Replaces a file's content so that a reader sees the old or the new one, whole, also after a power failure.
 * Where the file cannot be replaced (a bind mount, as /etc/hosts is in containers) it is written in place.
 */
import { existsSync, fstatSync, readFileSync, readSync, renameSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { finishWrites, hasSavedWrites, syncFolder, writeInPlace } from './write-in-place.ts';

/** rename(2), open(2): a mount point; another file system; a directory that may not be written; a read-only one. */
const notReplaceable = new Set(['EBUSY', 'EXDEV', 'EACCES', 'EPERM', 'EROFS']);
/** Who opened the file to append to it before it was replaced writes within this time, if the disk is busy. */
const appendMilliseconds = 20;
/** Antivirus and indexers hold files on Windows for a moment. Not tried. */
const windowsAttempts = 10;

/** How it went. An editor knows nothing of our lock: if it was there between reading and writing, its content is still to be edited. */
export type Replacement =
  | { readonly kind: 'renamed' | 'in place' }
  /** Nothing was written: the file is not what was expected. */
  | { readonly kind: 'changed' }
  /** It was written, but over this, which somebody had written into the file in the last moment. */
  | { readonly kind: 'overtook'; readonly content: Buffer };

/**
 * Writes `content` where `expected` is; mode and owner stay. `path` is no symbolic link, and the caller holds its lock.
 * Errors of the file system as they are.
 */
export async function replaceFile(path: string, content: Uint8Array, expected: Buffer): Promise<Replacement> {
  try {
    return await replaceByRename(path, content, expected);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // A full disk stops a new file but not a shorter one, and undoing makes it shorter.
    if (!notReplaceable.has(code) && !(code === 'ENOSPC' || code === 'EDQUOT')) throw error;
    const isWritten = await writeInPlace(path, content, { mayGrow: notReplaceable.has(code), expected });
    return { kind: isWritten ? 'in place' : 'changed' };
  }
}

/** Repairs and removes what a process left that was killed in `replaceFile`. The caller holds the file's lock. */
export async function repairFile(path: string): Promise<void> {
  await removeDraft(path);
  await finishWrites(path);
}

/** Whether a killed process may have left something for `repairFile`. */
export function needsRepair(path: string): boolean {
  return existsSync(draftOf(path)) || hasSavedWrites(path);
}

/** One name for all, so that what a killed process left is found; the lock lets only one write it. */
const draftOf = (path: string) => `${path}.kubernetes-local.new`;

async function replaceByRename(path: string, content: Uint8Array, expected: Buffer): Promise<Replacement> {
  const draft = draftOf(path);
  await using original = await open(path, 'r');
  try {
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
    if (!(await renameWithPatience(draft, path, expected))) {
      await removeDraft(path);
      return { kind: 'changed' };
    }
  } catch (error) {
    await removeDraft(path);
    throw error;
  }
  const atOnce = contentOf(original.fd);
  if (!atOnce.equals(expected)) return { kind: 'overtook', content: atOnce };
  await syncFolder(dirname(path));
  await delay(appendMilliseconds);
  const replaced = contentOf(original.fd);
  return replaced.equals(expected) ? { kind: 'renamed' } : { kind: 'overtook', content: replaced };
}

/** What was replaced can be read as long as it is open. */
function contentOf(descriptor: number): Buffer {
  const content = Buffer.alloc(fstatSync(descriptor).size);
  return content.subarray(0, readSync(descriptor, content, 0, content.length, 0));
}

/**
 * Tells whether `to` was what was expected. Both at once: who renames a file of his own in between, which takes some
 * microseconds, loses it; only renameat2(RENAME_EXCHANGE), which Node does not have, would bring it back.
 */
async function renameWithPatience(from: string, to: string, expected: Buffer): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      if (!readFileSync(to).equals(expected)) return false;
      renameSync(from, to);
      return true;
    } catch (error) {
      if (process.platform !== 'win32' || attempt === windowsAttempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20 * attempt));
    }
  }
}

/** Where nothing may be written, none can be. */
async function removeDraft(path: string): Promise<void> {
  try {
    await rm(draftOf(path), { force: true });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && notReplaceable.has(String(error.code)))) throw error;
  }
}
