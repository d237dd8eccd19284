/**
 * Writes a file that cannot be replaced, as a bind mount, in place, so that a kill at any moment can be repaired: what is
 * there and what is to be there are saved first, and whoever comes next finishes the write.
 */
import { createHash } from 'node:crypto';
import { constants, existsSync } from 'node:fs';
import { type FileHandle, lstat, open, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { decodeOverwriting, encodeOverwriting, firstDifference, mend } from './torn-file.ts';

/** The next place is tried when one of these forbids it: not allowed; read-only; full; no such folder. */
const elsewhere = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT', 'ENOENT', 'ENOTDIR']);

/**
 * Overwrites the file; tells whether it was what was expected, else nothing is written. `mayGrow`: there is room for more than
 * there was. Errors of the file system as they are; the old content is back then.
 */
export async function writeInPlace(
  path: string,
  content: Uint8Array,
  { mayGrow, expected }: { mayGrow: boolean; expected: Buffer },
): Promise<boolean> {
  await using file = await open(path, 'r+');
  const before = await file.readFile();
  if (!before.equals(expected)) return false;
  const after = Buffer.from(content);
  if (!mayGrow && after.length > before.length) throw Object.assign(new Error('no space left'), { code: 'ENOSPC' });
  const difference = firstDifference(before, after);
  // Cutting off is one step, which either happened or not.
  const isCut = difference === after.length;
  const saved = isCut ? undefined : await save(path, encodeOverwriting({ before, after }));
  try {
    await overwrite(file, after, difference);
  } catch (error) {
    // What was there fits again: its blocks are still the file's.
    await overwrite(file, before, 0);
    throw error;
  } finally {
    if (saved !== undefined) await rm(saved, { force: true });
  }
  return true;
}

/** Finishes what a killed process began, and removes what it saved. The caller holds the file's lock. Errors of the file system as they are. */
export async function finishWrites(path: string): Promise<void> {
  for (const place of placesOf(path)) {
    await rm(draftOf(place), { force: true }).catch(ignoreForbidden);
    const bytes = await readOwn(place);
    if (bytes === undefined) continue;
    const overwriting = decodeOverwriting(bytes);
    const current = await readFile(path);
    const mended = overwriting && mend(current, overwriting);
    // Saves anew, over what was saved: it may be killed as well.
    if (mended !== undefined) await writeInPlace(path, mended, { mayGrow: true, expected: current });
    await rm(place, { force: true });
  }
}

/** Whether a write that was saved may not have come to its end. */
export function hasSavedWrites(path: string): boolean {
  return placesOf(path).some((place) => existsSync(place));
}

/** Where it is saved: beside the file; else, in a container with read-only /etc, where only root may write, or anybody. */
function placesOf(path: string): readonly string[] {
  const name = `kubernetes-local-hosts-${createHash('sha256').update(path).digest('hex').slice(0, 16)}.saved`;
  return [`${path}.kubernetes-local.saved`, join('/run', name), join(tmpdir(), name)];
}

const draftOf = (place: string) => `${place}.new`;

async function save(path: string, bytes: Buffer): Promise<string> {
  const refusals: unknown[] = [];
  for (const place of placesOf(path)) {
    try {
      // In a folder for all, somebody else's file of this name is no reason to do without.
      await rm(draftOf(place), { force: true });
      {
        await using draft = await open(draftOf(place), 'wx', 0o600);
        await draft.writeFile(bytes);
        await draft.sync();
      }
      await rename(draftOf(place), place);
      await syncFolder(dirname(place));
      return place;
    } catch (error) {
      await rm(draftOf(place), { force: true }).catch(ignoreForbidden);
      if (!elsewhere.has(codeOf(error))) throw error;
      refusals.push(error);
    }
  }
  throw refusals[0];
}

/** Only what we, or root, saved ourselves, for it decides what is written. */
async function readOwn(place: string): Promise<Buffer | undefined> {
  try {
    const { uid, mode } = await lstat(place);
    const isOurs = process.platform === 'win32' || ((uid === process.getuid?.() || uid === 0) && (mode & 0o022) === 0);
    if (!isOurs) return undefined;
    await using file = await open(place, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    const opened = await file.stat();
    return opened.isFile() && opened.uid === uid ? await file.readFile() : undefined;
  } catch (error) {
    ignoreForbidden(error);
    return undefined;
  }
}

async function overwrite(file: FileHandle, content: Buffer, from: number): Promise<void> {
  for (let done = from; done < content.length; ) {
    done += (await file.write(content, done, content.length - done, done)).bytesWritten;
  }
  await file.truncate(content.length);
  await file.sync();
}

/** A name is on the disk only when its folder is. Windows does not open folders. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  await using folder = await open(path, 'r');
  await folder.sync();
}

function ignoreForbidden(error: unknown): void {
  if (!elsewhere.has(codeOf(error)) && codeOf(error) !== 'ELOOP') throw error;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
