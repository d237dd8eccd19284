/** One archive for a bug report: text files in a .tar.gz that only its owner may read. What is in them is the caller's. */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import { Problem } from '../problem.ts';

/** A file of the bundle. */
export interface BundledFile {
  /** With forward slashes, below the bundle's own folder. */
  readonly name: string;
  readonly text: string;
}

/** Writes the archive, mode 0600, all files in one folder. Problem bad-value if the path exists or cannot be written. */
export async function writeBundle(path: string, folder: string, files: readonly BundledFile[]): Promise<void> {
  const archive = pack();
  // Never over something that is there, nor through a link.
  const target = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  const gzip = createGzip();
  const made = new Promise<boolean>((resolve) =>
    target.once('open', () => resolve(true)).once('close', () => resolve(false)),
  );
  try {
    const written = finished(archive.pipe(gzip).pipe(target));
    for (const { name, text } of files) archive.entry({ name: `${folder}/${name}`, mode: 0o600 }, text);
    archive.finalize();
    await written;
  } catch (error) {
    archive.destroy();
    gzip.destroy();
    target.destroy();
    if (await made) await rm(path, { force: true });
    throw new Problem(
      {
        code: 'bad-value',
        what: `The bundle cannot be written to ${path}.`,
        why: error instanceof Error ? error.message : String(error),
        remedy: 'Name another file with "--bundle FILE".',
      },
      { cause: error },
    );
  }
}
