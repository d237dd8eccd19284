/**
 * Mounts of a part of a volume (`subPath`): a copy of the file or folder as it is when the session connects. Kubelet's
 * mount of a part is never updated either.
 */
import { chmod, copyFile, lstat, mkdir, readdir, readlink, realpath, rm, symlink } from 'node:fs/promises';
import { basename, isAbsolute, join, relative } from 'node:path';
import { cleanPath } from './payload.ts';

export interface CopiedPart {
  /** Undefined: it could not be had. */
  readonly localPath: string | undefined;
  /** Why it could not, or what is missing, as a sentence. */
  readonly note?: string;
}

/**
 * Copies the part into `place`, a folder that is made here, under the name that the mount path ends with.
 * A part that is not there is an empty folder, as it is in the cluster. Rejects with the system's error.
 */
export async function copyPart(volume: string, subPath: string, place: string, mountPath: string): Promise<CopiedPart> {
  if (isAbsolute(subPath) || subPath.split('/').includes('..')) {
    return { localPath: undefined, note: `Its subPath "${subPath}" leads out of the volume.` };
  }
  const localPath = join(place, basename(mountPath));
  // A session that is opened again begins anew.
  await rm(place, { recursive: true, force: true });
  await mkdir(place, { recursive: true, mode: 0o700 });
  const source = await sourceOf(volume, cleanPath(subPath));
  if (source === 'missing') {
    await mkdir(localPath);
    await chmod(localPath, 0o755);
    return { localPath, note: `The volume has no "${subPath}": it is an empty folder, as in the cluster.` };
  }
  if (source === 'impossible') {
    return { localPath: undefined, note: `Its subPath "${subPath}" leads through a file or out of the volume.` };
  }
  await copy(source.path, localPath);
  return { localPath };
}

async function sourceOf(volume: string, subPath: string): Promise<{ path: string } | 'missing' | 'impossible'> {
  try {
    const root = await realpath(volume);
    const path = await realpath(join(volume, subPath));
    const way = relative(root, path);
    const escapes = way === '..' || way.startsWith('../') || isAbsolute(way);
    return escapes ? 'impossible' : { path };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT') return 'missing';
    if (code === 'ENOTDIR' || code === 'ELOOP') return 'impossible';
    throw error;
  }
}

/** Links are copied as links: what they lead to is copied beside them. */
async function copy(from: string, to: string): Promise<void> {
  const found = await lstat(from);
  if (found.isSymbolicLink()) return symlink(await readlink(from), to);
  if (found.isDirectory()) {
    await mkdir(to, { mode: 0o700 });
    for (const name of await readdir(from)) await copy(join(from, name), join(to, name));
  } else {
    await copyFile(from, to);
  }
  await chmod(to, found.mode & 0o7777);
}
