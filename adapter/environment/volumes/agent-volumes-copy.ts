/** Copies one part of a volume from the pod to this computer: its size is known before anything is copied. */
import { createWriteStream } from 'node:fs';
import { chmod, mkdir, symlink, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { temporaryPrefix } from '../../../agent/protocol.ts';
import {
  asBytes,
  asText,
  type FileEntry,
  fileVersion,
  parallelReads,
  RemoteFileError,
  type RemoteFiles,
} from '../../tunnel/remote-files.ts';
import { linksInside } from './agent-volumes-links.ts';

/** More files than this are a data store, and nobody waits for them. */
export const mostEntries = 50_000;
/** How long nothing is said, in milliseconds. */
const quietFor = 1_000;
/** How much a file may have grown since the survey; more would make the limit worthless. Bytes. */
const growth = 1024 * 1024;

/** What is in the pod. */
export interface Survey {
  readonly entries: readonly FileEntry[];
  /** Bytes of all files that were seen. */
  readonly size: number;
  /** There are more entries than were read. */
  readonly endless: boolean;
}

export interface Copied {
  /** Path in the volume → the version in the pod that the local one was made from. */
  readonly versions: ReadonlyMap<string, string>;
  /** The links that were made here with another target than the pod's: path → the target here. */
  readonly rewritten: ReadonlyMap<string, string>;
  /** Where something else is mounted; never sent back. */
  readonly mounted: ReadonlySet<string>;
  /** What is not there, in words. */
  readonly notes: readonly string[];
}

/** Lists all that is beneath a root, up to 50,000 entries. */
export async function survey(files: Pick<RemoteFiles, 'list'>, root: string, signal: AbortSignal): Promise<Survey> {
  const entries: FileEntry[] = [];
  let size = 0;
  for await (const entry of files.list(root, signal)) {
    if (entry.path.split('/').at(-1)?.startsWith(temporaryPrefix) === true) continue;
    if (entries.length > mostEntries) return { entries, size, endless: true };
    entries.push(entry);
    if (entry.mount !== true) size += entry.size;
  }
  return { entries, size, endless: false };
}

/** Counts what is left out, by reason, and names the first of each. */
class LeftOut {
  readonly #reasons = new Map<string, string[]>();

  add(reason: string, path: string): void {
    const paths = this.#reasons.get(reason) ?? [];
    paths.push(asText(path));
    this.#reasons.set(reason, paths);
  }

  get notes(): readonly string[] {
    return [...this.#reasons].map(([reason, paths]) => {
      const shown = paths.slice(0, 3).join(', ');
      return `${paths.length === 1 ? shown : `${paths.length} entries (${shown}${paths.length > 3 ? ' …' : ''})`}: ${reason}.`;
    });
  }
}

/** A path here for one of the pod. Where names are text, those that are none have no path: undefined. */
export function localPathOf(folder: string, path: string): Buffer | string | undefined {
  if (process.platform === 'linux') {
    return Buffer.concat([Buffer.from(folder), Buffer.from(path === '' ? '' : `/${path}`, 'latin1')]);
  }
  const text = asText(path);
  if (asBytes(text) !== path) return undefined;
  if (process.platform === 'win32' && /[<>:"\\|?*\p{Cc}]|[. ](\/|$)/u.test(text)) return undefined;
  return join(folder, text);
}

const reasonOf = (error: unknown): string => {
  if (error instanceof RemoteFileError && error.code === 'EACCES') return 'the agent may not read it (EACCES)';
  if (error instanceof RemoteFileError && error.code === 'EFBIG') return 'it grew a lot while the volume was copied';
  if (error instanceof RemoteFileError) return `cannot be read in the pod (${error.code})`;
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return `cannot be made on this computer (${code})`;
};

/** Errors that end the copy; all others are of one file. */
const ends = (error: unknown): boolean =>
  error instanceof RemoteFileError
    ? ['ENOTCONN', 'ECONNRESET', 'EPROTO', 'ENOSYS'].includes(error.code)
    : error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');

export interface CopyOptions {
  readonly files: RemoteFiles;
  /** The mount path in the pod. */
  readonly root: string;
  readonly survey: Survey;
  /** The folder or file here; its parent must be there, itself not. */
  readonly localPath: string;
  /** Called after each file, not more often than once a second, and not in the first. */
  progress(files: number, bytes: number): void;
}

/** Copies what was surveyed. Rejects if the connection ends or the disk is full, or with the signal's reason. */
export async function copy(options: CopyOptions, signal: AbortSignal): Promise<Copied> {
  const { entries } = options.survey;
  const leftOut = new LeftOut();
  const versions = new Map<string, string>();
  const unreadable = new Map(entries.flatMap(({ path, error }) => (error === undefined ? [] : [[path, error]])));
  for (const [path, code] of unreadable) leftOut.add(reasonOf(new RemoteFileError(code, path)), path);
  const mounted = new Set(entries.filter(({ mount }) => mount === true).map(({ path }) => path));
  const each = async (entry: FileEntry, make: (local: Buffer | string) => Promise<void>): Promise<void> => {
    const local = localPathOf(options.localPath, entry.path);
    if (local === undefined) return leftOut.add('such a name cannot be had on this computer', entry.path);
    try {
      await make(local);
    } catch (error) {
      signal.throwIfAborted();
      if (ends(error)) throw error;
      leftOut.add(reasonOf(error), entry.path);
    }
  };
  const of = (kind: FileEntry['kind']): FileEntry[] => {
    const found = new Map<string, FileEntry>();
    for (const entry of entries) {
      // A folder that could not be read has a second line, which knows nothing else of it.
      if (entry.kind === kind && !(kind !== 'directory' && entry.error !== undefined) && !found.has(entry.path)) {
        found.set(entry.path, entry);
      }
    }
    return [...found.values()];
  };

  for (const entry of of('directory')) {
    signal.throwIfAborted();
    await each(entry, async (local) => {
      await mkdir(local, { mode: 0o700 });
      versions.set(entry.path, fileVersion(entry));
    });
  }
  const contents = of('file').filter(({ mount }) => mount !== true);
  const count = counter(options);
  await inParallel(contents, parallelReads, async (entry) => {
    await each(entry, async (local) => {
      const { version, changing } = await fetchTo(options, entry, local, signal);
      versions.set(entry.path, version);
      if (changing) leftOut.add('it changed while it was copied', entry.path);
    });
    count(entry.size);
  });
  // Last of all: nothing is ever written through one.
  const targets = new Map(of('symlink').map(({ path, target = '' }) => [path, target]));
  const inside = linksInside(targets, asBytes(options.root));
  const rewritten = new Map<string, string>();
  for (const entry of of('symlink')) {
    const target = inside.get(entry.path);
    if (target === undefined) leftOut.add('this link leads out of the volume', entry.path);
    else {
      await each(entry, async (local) => {
        await symlink(Buffer.from(target, 'latin1'), local);
        versions.set(entry.path, fileVersion(entry));
        if (target !== entry.target) rewritten.set(entry.path, target);
      });
    }
  }
  for (const kind of ['fifo', 'socket', 'device'] as const) {
    for (const { path } of of(kind)) leftOut.add(`a ${kind} cannot be copied`, path);
  }
  return { versions, rewritten, mounted, notes: leftOut.notes };
}

async function fetchTo(
  { files, root }: CopyOptions,
  entry: FileEntry,
  local: Buffer | string,
  signal: AbortSignal,
): Promise<{ version: string; changing: boolean }> {
  let made = false;
  const fetched = await files
    .fetch(
      root,
      entry.path,
      async (content) => {
        // Only what was made here is ever overwritten.
        const file = createWriteStream(local, { flags: made ? 'w' : 'wx', mode: 0o600 });
        file.once('open', () => {
          made = true;
        });
        await pipeline(content, file, { signal });
      },
      signal,
      { start: 0, end: entry.size + growth },
    )
    .then((read) => {
      if (sizeIn(read.version) <= entry.size + growth) return read;
      throw new RemoteFileError('EFBIG', asText(entry.path));
    })
    .catch(async (error: unknown) => {
      if (made) await unlink(local).catch(() => {});
      throw error;
    });
  await chmod(local, (entry.mode & 0o700) | 0o600);
  const seconds = Number(entry.mtime) / 1e9;
  await utimes(local, seconds, seconds);
  return fetched;
}

/** The size that a file's version names. */
function sizeIn(version: string): number {
  return Number(version.split(' ')[1]);
}

function counter({ progress }: CopyOptions): (bytes: number) => void {
  let [files, bytes, said] = [0, 0, performance.now()];
  return (more) => {
    files += 1;
    bytes += more;
    if (performance.now() - said < quietFor) return;
    said = performance.now();
    progress(files, bytes);
  };
}

/** Calls `work` for each element, so many at a time; the first failure ends it when those under way have settled. */
async function inParallel<T>(elements: readonly T[], most: number, work: (element: T) => Promise<void>): Promise<void> {
  const waiting = elements.values();
  let failed = false;
  const worker = async (): Promise<void> => {
    for (const element of waiting) {
      if (failed) return;
      try {
        await work(element);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: most }, worker));
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
