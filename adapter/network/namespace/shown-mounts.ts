/** Shows files and folders of this computer at other paths to the programs of this mount namespace: the pod's volumes. */
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { coverFolder } from './cover.ts';
import { flagsToKeep } from './mount-flags.ts';
import { coverRefusal, findMountPoint, isWithin, type MountPoint, shadowRefusal } from './mount-point.ts';
import { mustRun } from './tools.ts';

/** What is shown. */
export interface ProgramMount {
  /** Absolute path in the program's file system. */
  readonly mountPath: string;
  /** Absolute path of a file or folder of this computer. */
  readonly localPath: string;
  readonly readOnly: boolean;
}

/** What the user has to know about one of them. */
export interface MountRemark {
  readonly mountPath: string;
  /** In full sentences. */
  readonly why: string;
  /** Whether it is shown nevertheless. */
  readonly shown: boolean;
}

export interface ShownMountsOptions {
  /** A folder of ours in which nothing is deleted recursively. */
  readonly folder: string;
  readonly tools: { readonly mount: string; readonly umount: string; readonly pivotRoot?: string | undefined };
}

/** Its message is a sentence for the user. */
class Unshowable extends Error {}

export class ShownMounts {
  readonly #options: ShownMountsOptions;
  /** By their real path. */
  readonly #shown = new Map<string, ProgramMount>();
  /** The devices of the folders of memory, in which entries can be made freely. */
  readonly #ours = new Set<number>();
  #stages = 0;

  constructor(options: ShownMountsOptions) {
    this.#options = options;
  }

  /**
   * Shows these besides the earlier ones. What cannot be shown is left out, with a remark.
   * @param keep paths of this computer that have to stay visible
   */
  async show(mounts: readonly ProgramMount[], keep: readonly string[]): Promise<readonly MountRemark[]> {
    const kept = [...keep, ...mounts.map(({ localPath }) => localPath)].flatMap(realPaths);
    const remarks: MountRemark[] = [];
    // Outer ones first, for they would hide the inner ones.
    for (const mount of mounts.toSorted((a, b) => depth(a.mountPath) - depth(b.mountPath))) {
      try {
        const note = await this.#showOne(mount, kept);
        if (note !== undefined) remarks.push({ mountPath: mount.mountPath, why: note, shown: true });
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        const why = error instanceof Unshowable ? message : `The system refuses it: ${message.replace(/\.$/, '')}.`;
        remarks.push({ mountPath: mount.mountPath, why, shown: false });
      }
    }
    return remarks;
  }

  /** Unshowable; else the system's errors. */
  async #showOne(mount: ProgramMount, keep: readonly string[]): Promise<string | undefined> {
    const { mountPath, localPath, readOnly } = mount;
    const source = statSync(localPath, { throwIfNoEntry: false });
    if (source === undefined) throw new Unshowable(`${localPath} does not exist.`);
    const point = findMountPoint(mountPath);
    const { path } = point;
    const refusal = shadowRefusal(path, keep);
    if (refusal !== undefined) throw new Unshowable(refusal);
    const earlier = this.#shown.get(path);
    if (earlier?.localPath === localPath && earlier.readOnly === readOnly) return undefined;
    if (point.missing.length > 0) await this.#make(point, source, keep);
    const target = statSync(path);
    if (target.isDirectory() !== source.isDirectory()) {
      const kind = (stats: Stats) => (stats.isDirectory() ? 'a folder' : 'a file');
      throw new Unshowable(`It is ${kind(source)} in the pod, and ${kind(target)} on this computer.`);
    }
    const hides = earlier === undefined && point.missing.length === 0 && !this.#ours.has(target.dev) && isFilled(path);
    await this.#bind(mount, path);
    this.#shown.set(path, mount);
    return hides
      ? `Your program sees the pod's files there, instead of those that ${path} has on this computer.`
      : undefined;
  }

  async #bind({ localPath, readOnly }: ProgramMount, path: string): Promise<void> {
    const { mount, umount } = this.#options.tools;
    await mustRun(mount, ['--bind', localPath, path]);
    if (!readOnly) return;
    try {
      await mustRun(mount, ['-o', ['remount', 'bind', 'ro', ...flagsToKeep(path)].join(','), path]);
    } catch (error) {
      await mustRun(umount, ['--lazy', path]);
      throw error;
    }
  }

  /** Makes the mount point where the computer never has it. */
  async #make({ path, existing, missing }: MountPoint, source: Stats, keep: readonly string[]): Promise<void> {
    const base = statSync(existing);
    if (!base.isDirectory()) throw new Unshowable(`${existing} is a file on this computer.`);
    const outer = this.#ours.has(base.dev) ? undefined : this.#outer(existing);
    if (outer !== undefined && existsSync(join(outer.localPath, '..data'))) {
      // A volume that follows its links; container runtimes make the mount point in it too.
      const inside = join(outer.localPath, existing.slice(findMountPoint(outer.mountPath).path.length));
      return makeEntry(join(inside, ...missing), inside, source);
    }
    if (!this.#ours.has(base.dev)) {
      if (outer !== undefined && !outer.readOnly) {
        throw new Unshowable(`There is no such path in ${outer.mountPath}, which your program may change.`);
      }
      const isOwn = process.getuid?.() !== 0 && isWritable(existing);
      const refusal = coverRefusal({ path: existing, mode: base.mode, isOwn }, keep);
      if (refusal !== undefined) throw new Unshowable(refusal);
      const { folder, tools } = this.#options;
      const stage = join(folder, `stage-${this.#stages++}`);
      this.#ours.add(await coverFolder({ folder: existing, stage, tools }));
    }
    makeEntry(path, existing, source);
  }

  /** The innermost of ours that this path stands in. */
  #outer(path: string): ProgramMount | undefined {
    return [...this.#shown]
      .filter(([shown]) => isWithin(path, shown))
      .toSorted(([a], [b]) => b.length - a.length)
      .at(0)?.[1];
  }
}

/** A folder, or an empty file, and the folders above it as far as `base`. */
function makeEntry(path: string, base: string, source: Stats): void {
  const above = dirname(path);
  if (above !== base && !existsSync(above)) makeFolder(above, base);
  if (source.isDirectory()) makeFolder(path, base);
  else writeFileSync(path, '', { mode: 0o644 });
}

function makeFolder(path: string, base: string): void {
  mkdirSync(path, { recursive: true });
  // Whatever umask this process has, a program that changes its user has to get there.
  for (let each = path; each !== base; each = dirname(each)) chmodSync(each, 0o755);
}

/** Not by its owner: in a user namespace strangers' files may look like one's own. */
function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function isFilled(path: string): boolean {
  const stats = statSync(path);
  return stats.isDirectory() ? readdirSync(path).length > 0 : stats.size > 0;
}

/** As it is written, and without symbolic links. */
function realPaths(path: string): readonly string[] {
  return existsSync(path) ? [path, realpathSync(path)] : [path];
}

function depth(path: string): number {
  return path.split('/').filter(Boolean).length;
}
