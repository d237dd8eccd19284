/** One volume that is made from the API, on disk: its folder, its files, and the mounts that show it. */
import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Problem } from '../../problem.ts';
import type { Pod, Volume } from '../pod.ts';
import { AtomicWriter, type LinkOperations } from './atomic-writer.ts';
import type { LocalMount } from './local-mount.ts';
import { modesOf } from './modes.ts';
import { nestedMountPoints } from './nested-mounts.ts';
import type { PlannedVolume } from './plan.ts';
import type { Projection } from './projection.ts';
import { copyPart } from './sub-path.ts';
import { volumeFolder } from './volumes-folder.ts';

export class ApiVolume {
  readonly planned: PlannedVolume;
  readonly volume: Volume;
  readonly #folder: string;
  readonly #path: string;
  readonly #writer: AtomicWriter;
  #missing: ReadonlySet<string> = new Set();

  /** `folder`: the session's. */
  constructor(
    planned: PlannedVolume,
    volume: Volume,
    pod: Pod,
    folder: string,
    operations: LinkOperations | undefined,
  ) {
    this.planned = planned;
    this.volume = volume;
    this.#folder = folder;
    this.#path = volumeFolder(folder, planned.name);
    this.#writer = new AtomicWriter(this.#path, modesOf(pod, volume), operations);
  }

  /** Whether this computer has no links for us, so that files are replaced one by one. */
  get isPlain(): boolean {
    return this.#writer.isPlain;
  }

  /** Makes the folder, the files and the mounts. Problem state-unwritable if that cannot be. */
  async make(pod: Pod, projection: Projection): Promise<readonly LocalMount[]> {
    const { files, missing, notes } = projection;
    const reasons = [...missing, ...notes];
    if (files.size === 0 && missing.length > 0) {
      return this.planned.mounts.map((mount) => this.#describe(mount, undefined, reasons));
    }
    this.#missing = new Set(missing);
    try {
      await mkdir(this.#path, { recursive: true });
      await chmod(this.#path, modesOf(pod, this.volume).root);
      for (const path of nestedMountPoints(pod, this.volume))
        await this.#makeMountPoint(path, modesOf(pod, this.volume).folder);
      await this.#writer.write(files);
      return await this.#mounts(reasons);
    } catch (error) {
      throw unwritable(this.planned.name, error);
    }
  }

  /**
   * Writes the files anew if they have changed; whether they had. What kubelet would not write is not written either: then
   * `kept` says why the old files stay. @throws Problem state-unwritable.
   */
  async update(projection: Projection): Promise<{ readonly changed: boolean; readonly kept?: string }> {
    const missing = projection.missing.filter((text) => !this.#missing.has(text));
    if (missing.length > 0) return { changed: false, kept: missing.join(' ') };
    try {
      return { changed: await this.#writer.write(projection.files) };
    } catch (error) {
      throw unwritable(this.planned.name, error);
    }
  }

  async #mounts(reasons: readonly string[]): Promise<readonly LocalMount[]> {
    const mounts: LocalMount[] = [];
    for (const [index, mount] of this.planned.mounts.entries()) {
      const { subPath, fault, mountPath } = mount;
      if (fault !== undefined) mounts.push(this.#describe(mount, undefined, [fault]));
      else if (subPath === '') mounts.push(this.#describe(mount, this.#path, reasons));
      else {
        const place = join(this.#folder, 'subpaths', this.planned.name, String(index));
        const { localPath, note } = await copyPart(this.#path, subPath, place, mountPath);
        mounts.push(this.#describe(mount, localPath, note === undefined ? reasons : [...reasons, note]));
      }
    }
    return mounts;
  }

  #describe(
    { mountPath, readOnly }: PlannedVolume['mounts'][number],
    localPath: string | undefined,
    reasons: readonly string[],
  ): LocalMount {
    const { name, kind } = this.planned;
    const note = reasons.join(' ');
    return { mountPath, volume: name, kind, localPath, readOnly, ...(note !== '' && { note }) };
  }

  /** Each folder on the way is made with kubelet's mode, whatever the umask. */
  async #makeMountPoint(path: string, mode: number): Promise<void> {
    let folder = this.#path;
    for (const part of path.split('/')) {
      folder = join(folder, part);
      if ((await mkdir(folder, { recursive: true })) !== undefined) await chmod(folder, mode);
    }
  }
}

function unwritable(volume: string, error: unknown): Problem {
  return new Problem(
    {
      code: 'state-unwritable',
      what: `The files of volume ${volume} cannot be written.`,
      why: error instanceof Error ? error.message : String(error),
      remedy: 'Make room on that disk, or give the session another one.',
    },
    { cause: error },
  );
}
