/**
 * Says when something changes beneath a folder. On Linux there is one watch for each folder: Node's own recursive one takes
 * one for each file, of which the system has few. What cannot be watched is looked at from time to time.
 */
import { type FSWatcher, watch } from 'node:fs';
import { localPathOf } from './agent-volumes-copy.ts';

/** How often a folder is looked at that cannot be watched, in milliseconds. */
const lookEvery = 5_000;

export class FolderWatch implements Disposable {
  readonly #root: string;
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(root: string, onChange: () => void) {
    this.#root = root;
    this.#onChange = onChange;
  }

  /** Watches these folders and no others. True if there are new ones, in which something may have been missed. */
  follow(folders: Iterable<string>): boolean {
    const wanted = new Set(process.platform === 'linux' ? folders : ['']);
    for (const [path, watcher] of this.#watchers) {
      if (!wanted.has(path)) this.#drop(path, watcher);
    }
    const fresh = [...wanted].filter((path) => !this.#watchers.has(path));
    for (const path of fresh) this.#watch(path);
    return fresh.length > 0;
  }

  [Symbol.dispose](): void {
    this.#ended = true;
    clearInterval(this.#timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  #watch(path: string): void {
    const local = localPathOf(this.#root, path);
    if (this.#ended || local === undefined) return;
    try {
      const watcher = watch(local, { persistent: false, recursive: process.platform !== 'linux', encoding: 'latin1' });
      watcher.on('change', (event, name) => {
        if (event === 'rename' && name !== null) this.#forgetBeneath(path === '' ? `${name}` : `${path}/${name}`);
        this.#onChange();
      });
      watcher.on('error', () => this.#forget(path, watcher));
      this.#watchers.set(path, watcher);
    } catch {
      this.#look();
    }
  }

  /** A folder that is gone is no loss; one that is not is found again by the next look. */
  #forget(path: string, watcher: FSWatcher): void {
    this.#drop(path, watcher);
    this.#look();
    this.#onChange();
  }

  /** A folder that came or went: if there is one of this name it may be another, which the watch does not see. */
  #forgetBeneath(path: string): void {
    if (process.platform !== 'linux') return;
    for (const [watched, watcher] of this.#watchers) {
      if (watched === path || watched.startsWith(`${path}/`)) this.#drop(watched, watcher);
    }
  }

  #drop(path: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(path) === watcher) this.#watchers.delete(path);
  }

  #look(): void {
    if (this.#ended) return;
    this.#timer ??= setInterval(() => this.#onChange(), lookEvery).unref();
  }
}
