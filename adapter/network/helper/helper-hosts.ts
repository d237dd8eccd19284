/** The hosts file as the helper changes it: one change after the other, and a memory of what to undo. */
import type { HostsEntry } from '../hosts/hosts-file.ts';
import { assertWritable, removeBlock, setBlock } from '../hosts/hosts-writer.ts';
import type { ShadowedName } from '../hosts/user-entries.ts';
import { systemHostsFile } from '../platform/platform-commands.ts';
import { flushResolverCaches } from '../platform/resolver-cache.ts';

export class HelperHosts {
  readonly #file: string;
  readonly #sessions = new Set<string>();
  #queue: Promise<unknown> = Promise.resolve();

  constructor(file: string) {
    this.#file = file;
  }

  /** How many sessions have names in the file by this process. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Problem hosts-unwritable. */
  check(): Promise<void> {
    return assertWritable(this.#file);
  }

  /** Problem hosts-unwritable. */
  set(session: string, lines: readonly HostsEntry[], signal: AbortSignal): Promise<readonly ShadowedName[]> {
    return this.#enqueue(async () => {
      signal.throwIfAborted();
      this.#sessions.add(session);
      const shadowed = await setBlock(this.#file, session, lines, signal);
      await this.#flush(signal);
      return shadowed;
    });
  }

  /** Problem hosts-unwritable. */
  clear(session: string, signal: AbortSignal): Promise<void> {
    return this.#enqueue(async () => {
      await removeBlock(this.#file, session, signal);
      this.#sessions.delete(session);
      await this.#flush(signal);
    });
  }

  /** Removes every block that this process wrote. Problem hosts-unwritable. */
  async clearAll(signal: AbortSignal): Promise<void> {
    // A change under way belongs to them.
    await this.#queue;
    const results = await Promise.allSettled([...this.#sessions].map((session) => this.clear(session, signal)));
    const failure = results.find((result) => result.status === 'rejected');
    if (failure) throw failure.reason;
  }

  #enqueue<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(act);
    this.#queue = result.catch(() => {});
    return result;
  }

  async #flush(signal: AbortSignal): Promise<void> {
    if (this.#file === systemHostsFile()) await flushResolverCaches(signal);
  }
}
