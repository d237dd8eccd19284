/** What is unpacked or installed once into the user's cache folder, whoever comes first. */
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from '../cluster/folders.ts';

/**
 * The folder of this name, which `build` fills if it does not work (any more). It is built aside and then moved, so that
 * nobody sees half of it.
 */
export async function cachedFolder(
  name: string,
  works: (folder: string) => Promise<boolean>,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  const all = join(cacheFolder(), 'debuggers');
  const folder = join(all, name);
  if (await works(folder)) return folder;
  await mkdir(all, { recursive: true });
  const building = await mkdtemp(join(all, '.building-'));
  try {
    await build(building);
    await rename(building, folder).catch(async (error: unknown) => {
      // Another process was quicker with the same; or there is one that does not work any more.
      if (await works(folder)) return;
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOTEMPTY')) throw error;
      await rm(folder, { recursive: true, force: true });
      await rename(building, folder);
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return folder;
}
