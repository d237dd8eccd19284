/**
 * Puts a folder of memory (tmpfs) over one of the computer's, for the programs of this mount namespace only. All entries are
 * there as before, each mounted from its place, and new ones can be made that the computer never has: as bubblewrap does it.
 */
import {
  chmodSync,
  type Dirent,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  rmdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { mustRun, runTool } from './tools.ts';

export interface CoverOptions {
  /** Absolute, no symbolic link. */
  readonly folder: string;
  /** A path that does not exist yet, in a folder of ours; used meanwhile. Nobody may delete it recursively. */
  readonly stage: string;
  readonly tools: { readonly mount: string; readonly umount: string; readonly pivotRoot?: string | undefined };
}

/** More mounts than this take seconds. */
const mostEntries = 2_000;
/** Pairs of arguments: what is mounted, and where. One that vanished or is closed to this user is no reason to fail. */
const bindAll = 'mount=$1; shift; while [ $# -gt 1 ]; do "$mount" --rbind "$1" "$2" || :; shift 2; done';
/** pivot_root(2): the old root is then stacked on the new one at the same place. */
const turn = 'cd "$1" && "$2" . . && exec "$3" --lazy .';

/**
 * Covers `folder`; resolves with the device number of the folder of memory. Programs that run already see it too. Where the
 * folder is `/`, the root of the mount namespace and of all its processes is changed. Rejects with the reason; then
 * everything is as it was.
 */
export async function coverFolder({ folder, stage, tools }: CoverOptions): Promise<number> {
  const { mount, umount, pivotRoot } = tools;
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.length > mostEntries) throw new Error(`${folder} has ${entries.length} entries, too many to mount each`);
  if (folder === '/' && pivotRoot === undefined) throw new Error('pivot_root (package util-linux) is not installed');
  mkdirSync(stage, { mode: 0o700 });
  try {
    await mustRun(mount, ['-t', 'tmpfs', '-o', 'mode=0755,nosuid,nodev', 'kubernetes-local', stage]);
    // The copy of /tmp must not hold the stage with all that is in it.
    await mustRun(mount, ['--make-unbindable', stage]);
    const { dev } = statSync(stage);
    const pairs = entries.flatMap((entry) => standIn(folder, stage, entry));
    await mustRun('/bin/sh', ['-c', bindAll, 'sh', mount, ...pairs]);
    await mustRun(mount, ['--make-private', stage]);
    chmodSync(stage, lstatSync(folder).mode & 0o7777);
    if (folder === '/') await mustRun('/bin/sh', ['-c', turn, 'sh', stage, String(pivotRoot), umount]);
    // Without --no-mtab it fails behind the move, where this user may not write /run/mount/utab.
    else await mustRun(mount, ['--no-mtab', '--move', stage, folder]);
    return dev;
  } catch (error) {
    await runTool(umount, ['--recursive', '--lazy', stage]);
    throw error;
  } finally {
    rmdirSync(stage);
  }
}

/** Makes what the entry is mounted on; a symbolic link is made anew and needs no mount. */
function standIn(folder: string, stage: string, entry: Dirent): readonly string[] {
  const from = join(folder, entry.name);
  const to = join(stage, entry.name);
  if (entry.isSymbolicLink()) {
    symlinkSync(readlinkSync(from), to);
    return [];
  }
  if (entry.isDirectory()) mkdirSync(to);
  else writeFileSync(to, '');
  return [from, to];
}
