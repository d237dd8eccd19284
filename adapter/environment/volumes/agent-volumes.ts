/** Volumes that only the pod has (emptyDir, claims, host paths …): copied to this computer, on demand written back. */
import { access, mkdir, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Log } from '../../diagnostics/log.ts';
import { RemoteFileError, type RemoteFiles } from '../../tunnel/remote-files.ts';
import { type Copied, copy, mostEntries, type Survey, survey } from './agent-volumes-copy.ts';
import { type Source, sourcesOf } from './agent-volumes-plan.ts';
import { WriteBack } from './agent-volumes-write-back.ts';
import type { LocalMount } from './local-mount.ts';
import type { PlannedVolume } from './plan.ts';

export { agentFiles } from './agent-volumes-plan.ts';

export interface AgentVolumesOptions {
  /** Those that are not `from: 'agent'` are left to others. */
  readonly volumes: readonly PlannedVolume[];
  readonly files: RemoteFiles;
  /** The session's private folder; the volumes go into `<folder>/volumes/<volume>`. */
  readonly folder: string;
  /** Where files are kept that could not be sent back; outlives the session. Made when it is needed. */
  readonly aside: string;
  /** Bytes of one volume. */
  readonly limit: number;
  /** Mount paths whose changes go back to the pod. */
  readonly writeBack: readonly string[];
  notice(text: string): void;
  progress?(text: string): void;
  readonly log: Log;
}

export class AgentVolumes implements AsyncDisposable {
  readonly mounts: readonly LocalMount[];
  readonly #writeBacks: readonly WriteBack[];

  private constructor(mounts: readonly LocalMount[], writeBacks: readonly WriteBack[]) {
    this.mounts = mounts;
    this.#writeBacks = writeBacks;
  }

  /**
   * Copies the volumes. One that is too large or cannot be read is left out, with the reason in its mounts' notes. Rejects
   * with the signal's reason; then nothing of them is left.
   */
  static async open(options: AgentVolumesOptions, signal: AbortSignal): Promise<AgentVolumes> {
    const mounts: LocalMount[] = [];
    const writeBacks: WriteBack[] = [];
    try {
      for (const volume of options.volumes) {
        if (volume.from !== 'agent') continue;
        const opened = await openVolume(volume, options, signal);
        mounts.push(...opened.mounts);
        writeBacks.push(...opened.writeBacks);
      }
    } catch (error) {
      for (const writeBack of writeBacks) await writeBack[Symbol.asyncDispose]();
      for (const { localPath } of mounts) {
        if (localPath !== undefined) await rm(localPath, { recursive: true, force: true });
      }
      throw error;
    }
    const paths = new Set(options.volumes.flatMap((volume) => volume.mounts.map(({ mountPath }) => mountPath)));
    for (const path of options.writeBack) {
      if (!paths.has(path.replace(/(?<=.)\/+$/, ''))) {
        options.notice(`Nothing is written back to ${path}: the container has no volume of its own there.`);
      }
    }
    return new AgentVolumes(mounts, writeBacks);
  }

  /** Sends the last changes, for at most 30 s. Must come before the tunnels are closed and the folder is removed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#writeBacks.map((writeBack) => writeBack[Symbol.asyncDispose]()));
  }
}

interface OpenedVolume {
  readonly mounts: readonly LocalMount[];
  readonly writeBacks: readonly WriteBack[];
}

async function openVolume(
  planned: PlannedVolume,
  options: AgentVolumesOptions,
  signal: AbortSignal,
): Promise<OpenedVolume> {
  const volume = { ...planned, mounts: planned.mounts.filter(({ fault }) => fault === undefined) };
  const faulty = planned.mounts.flatMap((mount): LocalMount[] =>
    mount.fault === undefined ? [] : [{ ...described(planned, mount), localPath: undefined, note: mount.fault }],
  );
  const files = volume.kind === 'persistentVolumeClaim' ? options.files.shared : options.files;
  const home = join(options.folder, 'volumes', volume.name);
  const leftOut = (note: string): OpenedVolume => ({
    mounts: [...faulty, ...volume.mounts.map((mount) => ({ ...described(volume, mount), localPath: undefined, note }))],
    writeBacks: [],
  });
  const writeBacks: WriteBack[] = [];
  try {
    const sources = sourcesOf(volume, options.folder, options.writeBack);
    const surveys: Survey[] = [];
    for (const { mount } of sources) surveys.push(await survey(files, mount.mountPath, signal));
    const tooLarge = overLimit(volume, surveys, options.limit);
    if (tooLarge !== undefined) return leftOut(tooLarge);
    const noSpace = await overSpace(volume, surveys, options.folder);
    if (noSpace !== undefined) return leftOut(noSpace);

    const mounts: LocalMount[] = [...faulty];
    for (const [index, source] of sources.entries()) {
      const seen = surveys[index];
      if (seen === undefined) throw new Error('a source without a survey');
      await mkdir(dirname(source.localPath), { recursive: true, mode: 0o700 });
      const copied = await copy(
        {
          files,
          root: source.mount.mountPath,
          survey: seen,
          localPath: source.localPath,
          progress: (done, bytes) => {
            const all = `${seen.entries.length} entries, ${sizeText(seen.size)}`;
            options.progress?.(`Copying ${source.mount.mountPath}: ${done} files, ${sizeText(bytes)} of ${all}`);
          },
        },
        signal,
      );
      const notes = [...replicaNotes(volume, files), ...copied.notes];
      const isFolder = copied.versions.get('') === 'directory';
      if (source.writeBack && !isFolder) notes.push('Changes are not written back: a single file is mounted there.');
      if (source.writeBack && isFolder)
        writeBacks.push(await startWriteBack(volume, source, copied, files, options, signal));
      mounts.push(...(await localMounts(volume, source, notes)));
    }
    return { mounts, writeBacks };
  } catch (error) {
    for (const writeBack of writeBacks) await writeBack[Symbol.asyncDispose]();
    await rm(home, { recursive: true, force: true });
    signal.throwIfAborted();
    options.log.write('warn', 'a volume could not be copied', { volume: volume.name, error });
    return leftOut(`Volume ${volume.name} could not be copied from the pod ${files.pod}: ${reasonOf(error)}`);
  }
}

function startWriteBack(
  volume: PlannedVolume,
  source: Source,
  copied: Copied,
  files: RemoteFiles,
  { aside, notice, log }: AgentVolumesOptions,
  signal: AbortSignal,
): Promise<WriteBack> {
  const { versions, mounted } = copied;
  const { localPath, mount } = source;
  const given = { versions, mounted, localPath, root: mount.mountPath, volume: volume.name };
  return WriteBack.open({ ...given, files, aside, notice, log }, signal);
}

function described(volume: PlannedVolume, mount: PlannedVolume['mounts'][number]) {
  const { mountPath, readOnly } = mount;
  return { mountPath, volume: volume.name, kind: volume.kind, readOnly };
}

async function localMounts(
  volume: PlannedVolume,
  source: Source,
  notes: readonly string[],
): Promise<readonly LocalMount[]> {
  return Promise.all(
    source.mounts.map(async ({ mount, localPath }): Promise<LocalMount> => {
      const isThere = await access(localPath).then(
        () => true,
        () => false,
      );
      if (!isThere) {
        const note = [...notes, `${mount.subPath || 'It'} is not in what could be copied.`].join(' ');
        return { ...described(volume, mount), localPath: undefined, note };
      }
      return { ...described(volume, mount), localPath, ...(notes.length > 0 && { note: notes.join(' ') }) };
    }),
  );
}

function overLimit(volume: PlannedVolume, surveys: readonly Survey[], limit: number): string | undefined {
  const size = surveys.reduce((sum, each) => sum + each.size, 0);
  const entries = surveys.reduce((sum, each) => sum + each.entries.length, 0);
  if (surveys.some(({ endless }) => endless) || entries > mostEntries) {
    return (
      `Volume ${volume.name} is not copied: it has more than ${mostEntries} entries, which is the limit.` +
      ' To use files of your own instead, set "volumes": {"localPaths": …}.'
    );
  }
  if (size <= limit) return undefined;
  return (
    `Volume ${volume.name} is not copied: it has ${sizeText(size)}, and the limit is ${sizeText(limit)}. ` +
    `To copy it all the same, set "volumes": {"limit": "${roundedUp(size)}"}.`
  );
}

/** The folder may be in memory: to fill it would harm more than the session. */
async function overSpace(
  volume: PlannedVolume,
  surveys: readonly Survey[],
  folder: string,
): Promise<string | undefined> {
  const size = surveys.reduce((sum, each) => sum + each.size, 0);
  const { bavail, bsize } = await statfs(folder);
  if (size <= bavail * bsize) return undefined;
  return `Volume ${volume.name} is not copied: it has ${sizeText(size)}, and ${folder} has only ${sizeText(bavail * bsize)} left.`;
}

function replicaNotes(volume: PlannedVolume, files: RemoteFiles): readonly string[] {
  if (files.pods < 2 || volume.kind === 'persistentVolumeClaim') return [];
  const own = volume.kind === 'emptyDir' ? 'each of' : 'perhaps each of';
  return [`These are the files of pod ${files.pod}; ${own} the ${files.pods} pods has others.`];
}

function reasonOf(error: unknown): string {
  if (error instanceof RemoteFileError && error.code === 'ENOENT') return 'it is not mounted there.';
  const text = error instanceof Error ? error.message : String(error);
  return text.endsWith('.') ? text : `${text}.`;
}

const units = ['Gi', 'Mi', 'Ki'] as const;
const factors = { Gi: 2 ** 30, Mi: 2 ** 20, Ki: 2 ** 10 };

function sizeText(bytes: number): string {
  const unit = units.find((each) => bytes >= factors[each]);
  if (unit === undefined) return `${bytes} bytes`;
  return `${Math.round((bytes / factors[unit]) * 10) / 10} ${unit}B`;
}

/** A limit, as one writes it, that is enough for this size. */
function roundedUp(bytes: number): string {
  const unit = units.find((each) => bytes >= 2 * factors[each]) ?? 'Ki';
  return `${Math.ceil(bytes / factors[unit])}${unit}`;
}
