/**
 * The private folder of one session that holds the volumes: where it is, how it is made, and how it is removed again.
 * Inside: `volumes/<volume>/` in kubelet's layout, `subpaths/…` for mounts of a part of one, `mounts/<mount path>`, which leads to them.
 */
import { accessSync, constants, lstatSync, statfsSync } from 'node:fs';
import { chmod, lstat, mkdir, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Problem } from '../../problem.ts';

const marker = '.kubernetes-local-volumes';
const prefix = 'kubernetes-local-volumes-';
/** `f_type` of tmpfs. */
const tmpfs = 0x01021994;

/** The places in memory that this computer may have, the best first. XDG_RUNTIME_DIR is the user's own and ends with the login. */
function placesInMemory(): readonly string[] {
  if (process.platform !== 'linux') return [];
  return [process.env.XDG_RUNTIME_DIR, '/dev/shm'].flatMap((place) => (place?.startsWith('/') ? [place] : []));
}

/**
 * Where the session's volumes belong: in memory where there is such a place that the user may write to, else in `fallback`.
 * Makes nothing, so that the path can be in the journal before it is made. `session` is the session's id.
 */
export function volumesFolderPath(session: string, fallback: string, places = placesInMemory()): string {
  return join(places.find(isUsable) ?? fallback, `${prefix}${session}`);
}

/** Where the mounts are beneath the folder, by their paths: the value of KUBERNETES_LOCAL_MOUNTS. */
export function mountsFolder(folder: string): string {
  return join(folder, 'mounts');
}

/** The folder of one volume beneath the session's folder. A volume's name is a DNS label. */
export function volumeFolder(folder: string, volume: string): string {
  return join(folder, 'volumes', volume);
}

/**
 * Makes the folder, 0700 and the user's own. One of ours that is there already is taken.
 * @throws Problem state-unwritable if the place cannot be written to, or somebody else's is in the way.
 */
export async function makeVolumesFolder(path: string): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await mkdir(path, { mode: 0o700 }).catch(async (error: unknown) => {
      // In a place that everybody may write to, somebody may have been there first.
      if (!hasCode(error, 'EEXIST') || !(await isOurs(path))) throw error;
    });
    await chmod(path, 0o700);
    await writeFile(
      join(path, marker),
      'Made by kubernetes-local. It removes this folder at the end of the session.\n',
      {
        mode: 0o600,
      },
    );
    for (const part of ['volumes', 'subpaths', 'mounts']) {
      await mkdir(join(path, part), { recursive: true, mode: 0o700 });
      await chmod(join(path, part), 0o700);
    }
  } catch (error) {
    throw new Problem(
      {
        code: 'state-unwritable',
        what: `The folder ${path} for the pod’s volumes cannot be made.`,
        why: error instanceof Error ? error.message : String(error),
        remedy: 'Make room or remove what is in the way; KUBERNETES_LOCAL_STATE names another folder for the state.',
      },
      { cause: error },
    );
  }
}

/**
 * Removes the folder with all that is in it; links are removed, never followed. Nothing to do if it is not there.
 * @throws Problem undo-incomplete if it is none of ours (a link, no marker), or something in it resists.
 */
export async function removeVolumesFolder(path: string): Promise<void> {
  try {
    const state = await stateOf(path);
    if (state === 'gone') return;
    if (state === 'foreign') throw new Error('it is not a folder that kubernetes-local made');
    // The marker goes last: what an interrupted removal leaves is still known as ours.
    const parts = (await readdir(path)).filter((name) => name !== marker);
    for (const part of parts) await removeTree(join(path, part));
    await rm(join(path, marker), { force: true });
    await rmdir(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return;
    throw new Problem(
      {
        code: 'undo-incomplete',
        what: `The folder ${path} with copies of the pod’s volumes could not be removed.`,
        why: error instanceof Error ? error.message : String(error),
        remedy: 'Remove it by hand; it may hold secrets.',
      },
      { cause: error },
    );
  }
}

async function stateOf(path: string): Promise<'gone' | 'ours' | 'foreign'> {
  const found = await lstat(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  });
  if (found === undefined) return 'gone';
  return (await isOurs(path)) ? 'ours' : 'foreign';
}

/** A folder of this user with our marker; or one with our name that is still, or already, empty. */
async function isOurs(path: string): Promise<boolean> {
  const found = await lstat(path);
  if (!found.isDirectory() || !isOwn(found.uid)) return false;
  const names = await readdir(path);
  if (names.length === 0) return basename(path).startsWith(prefix);
  return names.includes(marker) && (await lstat(join(path, marker))).isFile();
}

/** A copied folder may be one that not even its owner may write to; then its modes are changed first. */
async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    if (!hasCode(error, 'EACCES', 'EPERM', 'ENOTEMPTY')) throw error;
    await unlock(path);
    await rm(path, { recursive: true, force: true });
  }
}

async function unlock(path: string): Promise<void> {
  if (!(await lstat(path)).isDirectory()) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path)) await unlock(join(path, name));
}

function isUsable(place: string): boolean {
  try {
    accessSync(place, constants.W_OK | constants.X_OK);
    const { uid, mode } = lstatSync(place);
    // Where everybody may write, only the sticky bit keeps others from exchanging the folder.
    const isSafe = isOwn(uid) ? (mode & 0o022) === 0 || (mode & 0o1000) !== 0 : (mode & 0o1000) !== 0;
    return isSafe && statfsSync(place).type === tmpfs;
  } catch {
    return false;
  }
}

function isOwn(uid: number): boolean {
  return process.getuid === undefined || process.getuid() === uid;
}

function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => code === error.code);
}
