/**
 * A file of ours that programs of this mount namespace see in place of one of the computer's.
 *
 * Neither a rename (the mount stays with the old file) nor a write in place (a reader in between sees half of both) would
 * change it cleanly. So a second file with the new content is mounted over the first, which is then rewritten where nobody
 * can open it, and uncovered again: whoever opens the path sees the old or the new content, whole.
 */
import { open, stat } from 'node:fs/promises';
import { mustRun } from './tools.ts';

export interface BoundFileOptions {
  /** The computer's file, no symbolic link. */
  readonly target: string;
  /** Where our two files go: this and a letter. */
  readonly source: string;
  readonly mount: string;
  readonly umount: string;
}

/** Whoever replaces the target by a rename detaches our mount (detach_mounts in Linux), maybe just when we mount. */
const attempts = 5;

export class BoundFile {
  readonly #options: BoundFileOptions;
  readonly #first: string;
  readonly #second: string;

  constructor(options: BoundFileOptions) {
    this.#options = options;
    this.#first = `${options.source}.a`;
    this.#second = `${options.source}.b`;
  }

  /** Shows this content from now on. Call it again after somebody replaced the target. */
  async show(content: Uint8Array): Promise<void> {
    const { target, mount, umount } = this.#options;
    for (let attempt = 1; attempt <= attempts; attempt++) {
      if (await isSameFile(target, this.#first)) {
        await overwrite(this.#second, content);
        await mustRun(mount, ['--bind', this.#second, target]);
        await overwrite(this.#first, content);
        // Lazily, for somebody may read the second one just now. Its failure shows below.
        await mustRun(umount, ['--lazy', target]).catch(() => {});
      } else {
        await overwrite(this.#first, content);
        await mustRun(mount, ['--bind', this.#first, target]);
      }
      if (await isSameFile(target, this.#first)) return;
    }
    throw new Error(`${target} cannot be covered: somebody replaces it all the time`);
  }
}

async function isSameFile(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([a, b].map((path) => stat(path, { bigint: true }).catch(() => undefined)));
  return one !== undefined && other !== undefined && one.dev === other.dev && one.ino === other.ino;
}

/** Shortened last, so that who still reads the earlier content does not find it empty. */
async function overwrite(path: string, content: Uint8Array): Promise<void> {
  await using file = await open(path, 'a').then(async (made) => {
    await made.close();
    return open(path, 'r+');
  });
  for (let done = 0; done < content.length; ) {
    done += (await file.write(content, done, content.length - done, done)).bytesWritten;
  }
  await file.truncate(content.length);
  // Whatever user a program inside has changed to.
  await file.chmod(0o644);
}
