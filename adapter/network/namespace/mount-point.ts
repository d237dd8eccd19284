/** Where a mount path leads in the program's file system, and whether the pod's files may be shown there. */
import { lstatSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A path followed through symbolic links as far as it exists. */
export interface MountPoint {
  /** Without symbolic links, also where nothing is yet. */
  readonly path: string;
  /** The deepest part of it that exists. */
  readonly existing: string;
  /** What is missing below that, outermost first; empty if the path exists. */
  readonly missing: readonly string[];
}

/** As in Linux. */
const mostLinks = 40;

/** Follows an absolute path. Rejects with the system's error for what this user may not look into, and loops. */
export function findMountPoint(path: string): MountPoint {
  const names = split(path);
  let existing = '/';
  for (let links = 0; names.length > 0; ) {
    const [name = ''] = names;
    const next = name === '..' ? dirname(existing) : join(existing, name);
    const found = lstatSync(next, { throwIfNoEntry: false });
    if (found === undefined) {
      const whole = join(existing, ...names);
      // What is missing may be left again by "..".
      const missing = whole.startsWith(within(existing)) ? split(whole.slice(existing.length)) : names;
      return { path: whole, existing, missing };
    }
    names.shift();
    if (!found.isSymbolicLink()) {
      existing = next;
      continue;
    }
    if (++links > mostLinks) throw new Error(`${path} leads through too many symbolic links`);
    const target = readlinkSync(next);
    if (target.startsWith('/')) existing = '/';
    names.unshift(...split(target));
  }
  return { path: existing, existing, missing: [] };
}

/** What every program on this computer needs as it is. */
const needed: ReadonlySet<string> = new Set([
  ...['/', '/bin', '/boot', '/dev', '/etc', '/home', '/lib', '/lib32', '/lib64', '/libx32', '/proc', '/run', '/sbin'],
  ...['/sys', '/usr', '/usr/bin', '/usr/lib', '/usr/lib32', '/usr/lib64', '/usr/libexec', '/usr/local', '/usr/sbin'],
  ...['/usr/local/bin', '/usr/local/lib', '/var', '/etc/hosts', '/etc/resolv.conf', '/etc/passwd', '/etc/group'],
]);

/** File systems in which nothing can stand but what the kernel puts there. */
const ofTheKernel = ['/proc', '/sys'];

/**
 * Why nothing of the pod may be shown at `path`, a sentence; undefined if it may.
 * @param keep paths of this computer that have to stay visible
 */
export function shadowRefusal(path: string, keep: readonly string[]): string | undefined {
  if (needed.has(path) || ofTheKernel.some((folder) => isWithin(path, folder))) {
    return `Your program needs ${path} of this computer.`;
  }
  const hidden = keep.find((kept) => isWithin(kept, path));
  return hidden === undefined ? undefined : `It would hide ${hidden} of this computer, which is needed here.`;
}

/**
 * Why there can be no new entry in `folder`, a sentence; undefined if there can. A new entry takes a copy of the folder whose
 * entries are the same, but in which nothing new is seen or kept: no place where programs meet or leave their work.
 * @param folder what is known of it
 */
export function coverRefusal(
  folder: { readonly path: string; readonly mode: number; readonly isOwn: boolean },
  keep: readonly string[],
): string | undefined {
  const { path, mode, isOwn } = folder;
  const isShared = (mode & 0o1002) === 0o1002;
  const isKept = keep.some((kept) => kept !== '/' && isWithin(path, kept));
  if (isWithin(path, '/dev')) return `Nothing can be added to ${path} of this computer.`;
  if (!isShared && !isKept && !isOwn) return undefined;
  return `It does not exist on this computer, and without making it there it can only be shown where programs write nothing, which they do in ${path}.`;
}

/** Whether `path` is `folder` or stands in it. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(within(folder));
}

function within(folder: string): string {
  return folder === '/' ? '/' : `${folder}/`;
}

function split(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}
