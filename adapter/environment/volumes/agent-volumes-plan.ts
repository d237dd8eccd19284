/** Which folders of the pod are asked for, and where each of them goes here. */
import { join, posix } from 'node:path';
import type { FilesConfiguration } from '../../../agent/protocol.ts';
import type { PlannedMount, PlannedVolume } from './plan.ts';

/** One part of a volume that is copied as a whole: all of it, or what one `subPath` shows of it. */
export interface Source {
  /** Where the agent finds it. */
  readonly mount: PlannedMount;
  /** Its folder or file on this computer. */
  readonly localPath: string;
  /** The mounts that show it, or something in it. */
  readonly mounts: readonly { readonly mount: PlannedMount; readonly localPath: string }[];
  /** Changes made here go back. */
  readonly writeBack: boolean;
}

const namesOf = (subPath: string): string[] => subPath.split('/').filter((name) => name !== '' && name !== '.');

const same = (a: string, b: string): boolean => clean(a) === clean(b);
const clean = (path: string): string => posix.normalize(path).replace(/(?<=.)\/$/, '');

const wantsWriteBack = (mount: PlannedMount, writeBack: readonly string[]): boolean =>
  !mount.readOnly && writeBack.some((path) => same(path, mount.mountPath));

/** What the agent must be told for these volumes: its configuration's `files`. Undefined: it serves none. */
export function agentFiles(
  volumes: readonly PlannedVolume[],
  writeBack: readonly string[],
): FilesConfiguration | undefined {
  const mounts = volumes
    .filter(({ from }) => from === 'agent')
    .flatMap((volume) => volume.mounts)
    .filter(({ fault }) => fault === undefined);
  if (mounts.length === 0) return undefined;
  return {
    roots: [...new Set(mounts.map(({ mountPath }) => mountPath))],
    writable: [
      ...new Set(mounts.filter((mount) => wantsWriteBack(mount, writeBack)).map(({ mountPath }) => mountPath)),
    ],
  };
}

/** The parts of a volume, none within another. Throws an Error for names that could lead out of `folder`. */
export function sourcesOf(volume: PlannedVolume, folder: string, writeBack: readonly string[]): readonly Source[] {
  if (!/^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(volume.name)) throw new Error(`${volume.name} is not the name of a volume`);
  const home = join(folder, 'volumes', volume.name);
  const parts = volume.mounts
    .map((mount) => ({ mount, names: namesOf(mount.subPath) }))
    // Of two mounts of the same the one that can be written back, so that it is.
    .sort(
      (a, b) =>
        a.names.length - b.names.length ||
        Number(wantsWriteBack(b.mount, writeBack)) - Number(wantsWriteBack(a.mount, writeBack)),
    );
  const sources: (Source & { readonly names: readonly string[]; readonly mounts: Source['mounts'][number][] })[] = [];
  for (const { mount, names } of parts) {
    if (names.includes('..')) throw new Error(`subPath ${mount.subPath} leads out of the volume`);
    const localPath = join(home, ...names);
    const around = sources.find((source) => source.names.every((name, index) => names[index] === name));
    if (around !== undefined) around.mounts.push({ mount, localPath });
    else {
      const mounts = [{ mount, localPath }];
      sources.push({ mount, names, localPath, mounts, writeBack: wantsWriteBack(mount, writeBack) });
    }
  }
  return sources;
}
