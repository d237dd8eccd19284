/**
 * Sends to the pod what the program changes in its copy of a volume. What somebody changed in the pod meanwhile is never
 * overwritten: the copy from here is then kept aside, and the user is told where.
 */
import { createReadStream } from 'node:fs';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../diagnostics/log.ts';
import { asBytes, asText, RemoteFileError, type RemoteFiles } from '../../tunnel/remote-files.ts';
import { localPathOf } from './agent-volumes-copy.ts';
import { linksInside } from './agent-volumes-links.ts';
import { type LocalEntry, scan } from './agent-volumes-scan.ts';
import { FolderWatch } from './agent-volumes-watch.ts';

/** Changes come in bursts: it starts when there was none for this long. Milliseconds. */
const quietFor = 200;
/** After a failure it is tried again, in milliseconds. */
const againAfter = 5_000;
/** A file that is written all the time is sent as it is in the end, after so many looks. */
const lastLooks = 4;
/** How long the end of a session may wait for the last changes, in milliseconds. */
const lastLimit = 30_000;

export interface WriteBackOptions {
  readonly files: RemoteFiles;
  readonly volume: string;
  /** The mount path in the pod. */
  readonly root: string;
  readonly localPath: string;
  /** Path → the version in the pod that the local one was made from. */
  readonly versions: ReadonlyMap<string, string>;
  /** Where something else is mounted. */
  readonly mounted: ReadonlySet<string>;
  /** A folder that outlives the session; made when it is needed. */
  readonly aside: string;
  notice(text: string): void;
  readonly log: Log;
}

interface Base {
  /** What is in the pod, as far as it is known here. */
  readonly version: string;
  readonly kind: LocalEntry['kind'];
  /** What is here since then. */
  readonly token: string;
}

interface Differences {
  /** Must be out of the way before something else can be made there. */
  readonly first: readonly string[];
  readonly made: readonly [string, LocalEntry][];
  readonly gone: readonly string[];
}

/** The connection is gone, not one file refused. */
const isLost = (error: unknown): boolean =>
  error instanceof RemoteFileError && ['ENOTCONN', 'ECONNRESET', 'ENOSYS'].includes(error.code);

const depth = (path: string): number => path.split('/').length;

export class WriteBack implements AsyncDisposable {
  readonly #options: WriteBackOptions;
  readonly #base = new Map<string, Base>();
  /** Path → the local state that was refused; it is not tried again before it changes. */
  readonly #refused = new Map<string, string>();
  readonly #told = new Set<string>();
  readonly #ended = new AbortController();
  readonly #watch: FolderWatch;
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> = Promise.resolve();

  private constructor(options: WriteBackOptions) {
    this.#options = options;
    this.#watch = new FolderWatch(options.localPath, () => this.#schedule(quietFor));
  }

  /** Starts to watch a fresh copy. */
  static async open(options: WriteBackOptions, signal: AbortSignal): Promise<WriteBack> {
    const opened = new WriteBack(options);
    const state = await scan(options.localPath, options.mounted, signal);
    for (const [path, { kind, token }] of state) {
      const version = options.versions.get(path);
      if (version !== undefined) opened.#base.set(path, { version, kind, token });
    }
    opened.#follow(state);
    return opened;
  }

  /** Sends what has changed until now. Never rejects: what cannot be sent is kept aside and told. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ended.signal.aborted) return this.#working;
    this.#ended.abort();
    clearTimeout(this.#timer);
    this.#watch[Symbol.dispose]();
    await this.#working;
    this.#working = this.#finish();
    await this.#working;
  }

  async #finish(): Promise<void> {
    const signal = AbortSignal.timeout(lastLimit);
    try {
      for (let look = 1; await this.#send(signal, look >= lastLooks); look += 1) await delay(quietFor);
    } catch (error) {
      this.#options.log.write('warn', 'the last changes of a volume could not be sent', {
        volume: this.#options.volume,
        error,
      });
      await this.#keepAll();
    }
  }

  #follow(state: ReadonlyMap<string, LocalEntry>): void {
    const folders = [...state].filter(([, { kind }]) => kind === 'directory').map(([path]) => path);
    // What was made in a new folder before it was watched is seen by looking once more.
    if (this.#watch.follow(folders)) this.#schedule(quietFor);
  }

  #schedule(after: number): void {
    if (this.#ended.signal.aborted) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#working = this.#working.then(() => this.#work());
    }, after).unref();
  }

  async #work(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    try {
      // Not aborted by the end: a half-sent change would only be sent again.
      if (await this.#send(AbortSignal.timeout(lastLimit), false)) this.#schedule(quietFor);
    } catch (error) {
      this.#options.log.write('warn', 'changes of a volume could not be sent; it is tried again', {
        volume: this.#options.volume,
        error,
      });
      this.#schedule(againAfter);
    }
  }

  /** One look at all, and what has changed is sent. Resolves with whether something is being written just now. */
  async #send(signal: AbortSignal, unsettledToo: boolean): Promise<boolean> {
    const { localPath, mounted, root } = this.#options;
    const state = await scan(localPath, mounted, signal);
    if (!this.#ended.signal.aborted) this.#follow(state);
    const { first, made, gone } = this.#differences(state);
    for (const path of first) await this.#remove(path, signal);
    const links = new Map([...state].flatMap(([path, { target }]) => (target === undefined ? [] : [[path, target]])));
    const inside = linksInside(links, asBytes(root));
    let unsettled = false;
    for (const [path, entry] of made) {
      if (entry.unsettled && !unsettledToo) unsettled = true;
      else if (entry.kind === 'symlink' && inside.get(path) === undefined) {
        this.#refuse(path, entry, 'it leads out of the volume');
      } else await this.#make(path, entry, signal);
    }
    // Last, so that what was only renamed is never missing.
    if (!unsettled) for (const path of gone) await this.#remove(path, signal);
    return unsettled;
  }

  #differences(state: ReadonlyMap<string, LocalEntry>): Differences {
    const exchanged = [...this.#base].flatMap(([path, { kind }]) => {
      const now = state.get(path)?.kind;
      return now !== undefined && now !== kind ? [path] : [];
    });
    const inTheWay = (path: string): boolean =>
      exchanged.some((other) => path === other || path.startsWith(`${other}/`));
    const missing = [...this.#base.keys()]
      .filter((path) => path !== '' && (!state.has(path) || exchanged.includes(path)))
      .sort((a, b) => depth(b) - depth(a));
    const made = [...state]
      .filter(([path, { kind, token }]) => {
        const base = this.#base.get(path);
        const changed = base === undefined || base.kind !== kind || base.token !== token;
        return path !== '' && changed && this.#refused.get(path) !== token;
      })
      .sort(([a], [b]) => depth(a) - depth(b));
    const first = missing.filter(inTheWay);
    return { first, made, gone: missing.filter((path) => !first.includes(path)) };
  }

  async #make(path: string, entry: LocalEntry, signal: AbortSignal): Promise<void> {
    try {
      const version = await this.#put(path, entry, signal);
      this.#base.set(path, { version, kind: entry.kind, token: entry.token });
      this.#refused.delete(path);
    } catch (error) {
      signal.throwIfAborted();
      if (isLost(error)) throw error;
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      if (!(error instanceof RemoteFileError)) {
        // A file that vanished before it could be read is no news.
        if (code !== 'ENOENT') this.#refuse(path, entry, `it cannot be read on this computer (${code})`);
        return;
      }
      const changed = code === 'ESTALE' || code === 'EEXIST';
      const reason = changed ? 'it was changed in the pod meanwhile' : `the pod refused it (${code})`;
      const kept = entry.kind === 'file' ? await this.#keep(path) : undefined;
      this.#refuse(path, entry, reason, kept);
    }
  }

  async #put(path: string, entry: LocalEntry, signal: AbortSignal): Promise<string> {
    const { files, root, localPath } = this.#options;
    const expected = this.#base.get(path)?.version ?? 'absent';
    if (entry.kind === 'symlink') {
      return files.writeLink(root, path, { target: entry.target ?? '', expected }, signal);
    }
    if (entry.kind === 'directory') {
      try {
        await files.makeFolder(root, path, entry.mode, signal);
      } catch (error) {
        // Somebody made the same folder: what is to be in it finds out whether it is one.
        if (!(error instanceof RemoteFileError && error.code === 'EEXIST')) throw error;
      }
      return 'directory';
    }
    const local = localPathOf(localPath, path);
    if (local === undefined) throw new RemoteFileError('EINVAL', asText(path));
    const content =
      entry.size === 0 ? Readable.from([]) : createReadStream(local, { start: 0, end: entry.size - 1, signal });
    return files.write(root, path, { content, size: entry.size, mode: entry.mode, expected }, signal);
  }

  async #remove(path: string, signal: AbortSignal): Promise<void> {
    const { files, root } = this.#options;
    const base = this.#base.get(path);
    if (base === undefined) return;
    try {
      await files.remove(root, path, base.version, signal);
    } catch (error) {
      signal.throwIfAborted();
      if (isLost(error) || !(error instanceof RemoteFileError)) throw error;
      const changed = error.code === 'ESTALE' || error.code === 'ENOTEMPTY';
      const reason = changed ? 'it was changed there meanwhile' : `the pod refused it (${error.code})`;
      this.#tell(path, `${this.#name(path)} was removed here but stays in the pod: ${reason}.`);
    }
    this.#base.delete(path);
  }

  #refuse(path: string, entry: LocalEntry, reason: string, kept?: string): void {
    this.#refused.set(path, entry.token);
    const where = kept === undefined ? '' : ` Your file is kept as ${kept}.`;
    this.#tell(path, `The change of ${this.#name(path)} was not sent to the pod: ${reason}.${where}`);
  }

  #tell(path: string, text: string): void {
    if (this.#told.has(path)) return;
    this.#told.add(path);
    this.#options.notice(text);
  }

  #name(path: string): string {
    return join(this.#options.root, asText(path));
  }

  /** Copies a file to where it outlives the session; undefined if it is gone. */
  async #keep(path: string): Promise<string | undefined> {
    const { aside, volume, localPath, log } = this.#options;
    const folder = join(aside, volume);
    const [from, to] = [localPathOf(localPath, path), localPathOf(folder, path)];
    if (from === undefined || to === undefined) return undefined;
    try {
      await mkdir(dirname(join(folder, asText(path))), { recursive: true, mode: 0o700 });
      await copyFile(from, to);
      return join(folder, asText(path));
    } catch (error) {
      log.write('warn', 'a changed file could not be kept aside', { path: asText(path), error });
      return undefined;
    }
  }

  /** Without a connection all that is not in the pod yet is kept. */
  async #keepAll(): Promise<void> {
    const { localPath, mounted, notice, root, aside, volume, log } = this.#options;
    try {
      const { made, gone } = this.#differences(await scan(localPath, mounted));
      let kept = 0;
      for (const [path, { kind }] of made) if (kind === 'file' && (await this.#keep(path)) !== undefined) kept += 1;
      if (kept + gone.length === 0) return;
      notice(
        `${kept} changed and ${gone.length} removed files of ${root} could not be sent to the pod. ` +
          `The changed ones are kept in ${join(aside, volume)}.`,
      );
    } catch (error) {
      log.write('error', 'the changes of a volume are lost', { volume, error });
      notice(`The last changes of ${root} could not be sent to the pod and could not be kept.`);
    }
  }
}
