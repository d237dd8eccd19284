/** The listing of all that is beneath a root, as it is found: a volume may hold more names than the agent has memory. */
import { opendir } from 'node:fs/promises';
import { entryIn, entryOf, errorCode, FileError, openPlace, pathOf } from './files-beneath.ts';
import type { FileEntry } from './protocol.ts';

/** Names of one folder that are asked for together. */
const together = 64;
/** Deeper folders cannot be named in one request. */
const deepest = 200;

const below = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/** The entries beneath `root` (names from `/` on), the root itself first; nothing beneath one of the `mounts`. Throws the system's error for the root only. */
export async function* listBeneath(root: readonly string[], mounts: ReadonlySet<string>): AsyncGenerator<FileEntry> {
  const isMount = (path: string): boolean => mounts.has(`/${root.join('/')}/${path}`);
  const top = await openPlace(root);
  try {
    const stats = await top.stat({ bigint: true });
    yield entryOf('', stats);
    if (!stats.isDirectory()) return;
  } finally {
    await top.close();
  }
  const waiting = [''];
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    try {
      for await (const found of listFolder(root, folder)) {
        if (isMount(found.path)) yield { ...found, mount: true };
        else {
          yield found;
          if (found.kind === 'directory') waiting.push(found.path);
        }
      }
    } catch (error) {
      yield { path: folder, kind: 'directory', size: 0, mode: 0, mtime: '0', error: errorCode(error) };
    }
  }
}

async function* listFolder(root: readonly string[], folder: string): AsyncGenerator<FileEntry> {
  const names = folder === '' ? [] : folder.split('/');
  if (names.length > deepest) throw new FileError('ENAMETOOLONG', 'too many folders in one another');
  const place = await openPlace([...root, ...names], true);
  try {
    // Typed for text alone, but names are bytes: with 'buffer' they come as such.
    const options = { encoding: 'buffer' as BufferEncoding, bufferSize: together };
    let batch: string[] = [];
    const entries = async (): Promise<FileEntry[]> => {
      const found = await Promise.all(
        batch.map(async (name): Promise<FileEntry | undefined> => {
          const path = below(folder, name);
          return entryIn(place, name, path).catch((error: unknown) => ({
            ...{ path, kind: 'file' as const, size: 0, mode: 0, mtime: '0', error: errorCode(error) },
          }));
        }),
      );
      batch = [];
      return found.filter((entry) => entry !== undefined);
    };
    for await (const { name } of await opendir(pathOf(place), options)) {
      batch.push(Buffer.from(name as unknown as Uint8Array).toString('latin1'));
      if (batch.length === together) yield* await entries();
    }
    yield* await entries();
  } finally {
    await place.close();
  }
}
