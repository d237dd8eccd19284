/**
 * The tree of mounts by their paths in the container, for programs that look there with KUBERNETES_LOCAL_MOUNTS. Each mount
 * is a link to its folder or file. One in which other mounts stand is a folder of links, to all that the volume has and to those.
 */
import { chmod, copyFile, lstat, mkdir, readdir, readlink, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { LocalMount } from './local-mount.ts';
import { mountsFolder } from './volumes-folder.ts';

/** A folder of the tree. */
interface Place {
  readonly children: Map<string, Place>;
  mount?: string;
}

/**
 * Makes the tree in the session's folder lead to these mounts; those that are left out are not in it. May be called again,
 * with more mounts or after a volume has changed; calls must not overlap. Rejects with the system's error.
 */
export async function linkMounts(
  folder: string,
  mounts: readonly Pick<LocalMount, 'mountPath' | 'localPath'>[],
): Promise<void> {
  const root: Place = { children: new Map() };
  for (const { mountPath, localPath } of mounts) {
    if (localPath === undefined) continue;
    let place = root;
    for (const part of mountPath.split('/').filter(Boolean)) {
      const next = place.children.get(part) ?? { children: new Map() };
      place.children.set(part, next);
      place = next;
    }
    place.mount = localPath;
  }
  await show(root, mountsFolder(folder), undefined);
}

/** `source`: the folder of an outer mount that shows through here. */
async function show(place: Place, path: string, source: string | undefined): Promise<void> {
  const shown = place.mount ?? source;
  if (place.children.size === 0) {
    if (shown !== undefined) await link(shown, path);
    return;
  }
  await makeFolder(path);
  const inner = shown === undefined ? [] : await entriesOf(shown);
  for (const name of await readdir(path)) {
    // Of a key that the volume no longer has.
    if (!inner.includes(name) && !place.children.has(name)) await rm(join(path, name), { recursive: true });
  }
  for (const name of inner) if (!place.children.has(name)) await link(join(shown ?? '', name), join(path, name));
  for (const [name, child] of place.children) {
    await show(child, join(path, name), inner.includes(name) ? join(shown ?? '', name) : undefined);
  }
}

async function makeFolder(path: string): Promise<void> {
  const found = await lstat(path).catch(ignoreMissing);
  if (found?.isDirectory()) return;
  if (found) await rm(path);
  await mkdir(path, { recursive: true });
  await chmod(path, 0o700);
}

async function link(target: string, path: string): Promise<void> {
  const found = await lstat(path).catch(ignoreMissing);
  if (found?.isSymbolicLink() && (await readlink(path)) === target) return;
  if (found) await rm(path, { recursive: true });
  try {
    // Windows allows a junction, which is a folder's, to everybody; elsewhere the kind means nothing.
    await symlink(target, path, 'junction');
  } catch (error) {
    const isFile = (await stat(target)).isFile();
    if (!isFile || !(error instanceof Error && 'code' in error && error.code === 'EPERM')) throw error;
    await copyFile(target, path);
  }
}

async function entriesOf(path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(ignoreMissing);
  return found?.isDirectory() ? readdir(path) : [];
}

function ignoreMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
    return undefined;
  throw error;
}
