/** Removes a folder of ours from inside a namespace, where the computer's own folders may be mounted in it for a moment. */
import { type Dirent, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Removes a folder that holds files and empty folders only; anything else stays, for it may be somebody else's. */
export function removeFlatFolder(path: string): void {
  let entries: readonly Dirent[] = [];
  try {
    entries = readdirSync(path, { withFileTypes: true });
  } catch (error) {
    if (isSystemError(error)) return;
    throw error;
  }
  for (const entry of entries) unlessRefused(() => remove(join(path, entry.name), entry.isDirectory()));
  unlessRefused(() => rmdirSync(path));
}

function remove(path: string, isFolder: boolean): void {
  if (isFolder) rmdirSync(path);
  else unlinkSync(path);
}

/** Gone already, or a mount: the daemon removes it from outside. */
function unlessRefused(act: () => void): void {
  try {
    act();
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}
