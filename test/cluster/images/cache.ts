/** Files that are made once for the same inputs: layers and images, in one directory, named by a hash of what they are made of. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type ImageArchive, type ImageDescription, type Layer, writeImageArchive, writeLayer } from './archive.ts';
import { RootFilesystem } from './root-filesystem.ts';

/** How many builds of the same thing are kept, so that two worktrees can share the directory. */
const kept = 2;

/** Where images are kept if nothing else is wanted: `$XDG_CACHE_HOME/kubernetes-local/images`. */
export function defaultCacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'kubernetes-local', 'images');
}

/** What changes when the contents of a file of this computer change, without reading it. */
export async function fileStamp(path: string): Promise<string> {
  const { size, mtimeMs } = await stat(path);
  return `${path} ${size} ${mtimeMs}`;
}

/**
 * A layer out of the cache, or built by `fill` if one of `inputs` (stamps, contents, names) is new.
 * `source` is the module that says how the layer is made: a changed recipe is a new layer.
 */
export async function cachedLayer(
  cacheDirectory: string,
  layer: { name: string; source: string; inputs: readonly string[] },
  fill: (root: RootFilesystem) => Promise<void>,
): Promise<Layer> {
  const inputs = [await recipe(layer.source), ...layer.inputs];
  const found = await cached(cacheDirectory, `layer-${layer.name}`, inputs, async (file, scratch) => {
    const root = new RootFilesystem(join(scratch, 'root'));
    await root.makeDirectory('/');
    await fill(root);
    return (await writeLayer(root.directory, file)).digest;
  });
  return { file: found.file, digest: found.digest };
}

/** An image out of the cache, or written if it is new. */
export async function cachedImage(cacheDirectory: string, image: ImageDescription): Promise<ImageArchive> {
  const { layers, ...description } = image;
  const inputs = [
    JSON.stringify(description),
    ...layers.map((layer) => layer.digest),
    await recipe(import.meta.filename),
  ];
  const stem = image.name.slice(image.name.lastIndexOf('/') + 1).replace(':', '-');
  const found = await cached(cacheDirectory, `image-${stem}`, inputs, async (file) => {
    return (await writeImageArchive(image, file)).digest;
  });
  return { name: image.name, archive: found.file, digest: found.digest };
}

async function recipe(source: string): Promise<string> {
  const files = [source, join(import.meta.dirname, 'archive.ts'), join(import.meta.dirname, 'root-filesystem.ts')];
  return (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('\n');
}

/** `build` writes the file it is given and answers its digest; it may use the scratch directory, which is removed. */
async function cached(
  cacheDirectory: string,
  stem: string,
  inputs: readonly string[],
  build: (file: string, scratch: string) => Promise<string>,
): Promise<{ file: string; digest: string }> {
  const key = createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16);
  const file = join(cacheDirectory, `${stem}-${key}.tar`);
  const digestFile = `${file}.digest`;
  const known = await readFile(digestFile, 'utf8').catch(() => undefined);
  if (known !== undefined) {
    const now = new Date();
    const present = await utimes(file, now, now).then(
      () => true,
      () => false,
    );
    if (present) return { file, digest: known };
  }
  await mkdir(cacheDirectory, { recursive: true });
  const scratch = await mkdtemp(join(cacheDirectory, '.building-'));
  try {
    const digest = await build(join(scratch, 'out.tar'), scratch);
    await rename(join(scratch, 'out.tar'), file);
    // The digest comes last and by rename: who finds it finds a whole file.
    await writeFile(join(scratch, 'digest'), digest);
    await rename(join(scratch, 'digest'), digestFile);
    await removeOld(cacheDirectory, stem, file);
    return { file, digest };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function removeOld(cacheDirectory: string, stem: string, newest: string): Promise<void> {
  const isBuild = (name: string) => name.startsWith(`${stem}-`) && /^-[0-9a-f]{16}\.tar$/.test(name.slice(stem.length));
  const builds = await Promise.all(
    (await readdir(cacheDirectory)).filter(isBuild).map(async (name) => {
      const path = join(cacheDirectory, name);
      return { path, used: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0 };
    }),
  );
  builds.sort((a, b) => b.used - a.used);
  for (const { path } of builds.filter((build) => build.path !== newest).slice(kept - 1)) {
    await rm(`${path}.digest`, { force: true });
    await rm(path, { force: true });
  }
}
