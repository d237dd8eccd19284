import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ImageArchive, writeImageArchive, writeLayer } from './archive.ts';
import { cachedImage, cachedLayer } from './cache.ts';

const run = promisify(execFile);

let scratch = '';
beforeEach(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'images-'));
});
afterEach(() => rm(scratch, { recursive: true, force: true }));

/** The same tree, made in an order and at a time of its own. */
async function makeTree(name: string, order: readonly string[]): Promise<string> {
  const root = join(scratch, name);
  await mkdir(join(root, 'bin'), { recursive: true });
  await mkdir(join(root, 'tmp'));
  await chmod(join(root, 'tmp'), 0o1777);
  for (const file of order) {
    await writeFile(join(root, 'bin', file), `program ${file}\n`);
    await chmod(join(root, 'bin', file), 0o755);
    await utimes(join(root, 'bin', file), order.indexOf(file) * 1000, order.indexOf(file) * 1000);
  }
  return root;
}

async function listing(tar: string): Promise<string[]> {
  const { stdout } = await run('tar', ['--numeric-owner', '--utc', '-tvf', tar]);
  return stdout.trimEnd().split('\n');
}

async function sha256(file: string): Promise<string> {
  return `sha256:${createHash('sha256')
    .update(await readFile(file))
    .digest('hex')}`;
}

async function member(archive: string, name: string): Promise<unknown> {
  return JSON.parse((await run('tar', ['-xOf', archive, name])).stdout);
}

test('a layer holds every file with its mode, owned by root, without the time it was made', async () => {
  const layer = await writeLayer(await makeTree('root', ['b', 'a']), join(scratch, 'layer.tar'));
  expect((await listing(layer.file)).map((line) => line.replace(/ +/g, ' '))).toEqual([
    expect.stringMatching(/^drwxr-xr-x 0\/0 0 1970-01-01 00:00 \.\/$/),
    'drwxr-xr-x 0/0 0 1970-01-01 00:00 ./bin/',
    '-rwxr-xr-x 0/0 10 1970-01-01 00:00 ./bin/a',
    '-rwxr-xr-x 0/0 10 1970-01-01 00:00 ./bin/b',
    'drwxrwxrwt 0/0 0 1970-01-01 00:00 ./tmp/',
  ]);
  expect(layer.digest).toBe(await sha256(layer.file));
});

test('the same files give the same image, byte for byte; another file gives another', async () => {
  const digests: string[] = [];
  const bytes: Buffer[] = [];
  for (const [name, order] of Object.entries({ one: ['a', 'b'], two: ['b', 'a'], three: ['a', 'b', 'c'] })) {
    const layer = await writeLayer(await makeTree(name, order), join(scratch, `${name}.layer`));
    const image = await writeImageArchive(
      { name: 'kubernetes-local.test/it:1', layers: [layer], entrypoint: ['/bin/a'] },
      join(scratch, `${name}.tar`),
    );
    digests.push(image.digest);
    bytes.push(await readFile(image.archive));
  }
  expect(digests[0]).toBe(digests[1]);
  expect(bytes[0]?.equals(bytes[1] ?? Buffer.alloc(0))).toBe(true);
  expect(digests[2]).not.toBe(digests[0]);
});

test('an archive has manifest, configuration and layers that fit each other', async () => {
  const lower = await writeLayer(await makeTree('lower', ['a']), join(scratch, 'lower.layer'));
  const upper = await writeLayer(await makeTree('upper', ['b']), join(scratch, 'upper.layer'));
  const image = await writeImageArchive(
    {
      name: 'kubernetes-local.test/it:1',
      layers: [lower, upper],
      entrypoint: ['/bin/a', '--flag'],
      env: { LANG: 'C.UTF-8' },
      user: '65532:65532',
      workingDirectory: '/tmp',
    },
    join(scratch, 'it.tar'),
  );
  const configurationFile = `${image.digest.slice('sha256:'.length)}.json`;
  const layerFiles = [lower, upper].map((layer) => `${layer.digest.slice('sha256:'.length)}.tar`);
  expect(await member(image.archive, 'manifest.json')).toEqual([
    { Config: configurationFile, RepoTags: ['kubernetes-local.test/it:1'], Layers: layerFiles },
  ]);
  expect(await member(image.archive, configurationFile)).toMatchObject({
    os: 'linux',
    config: {
      Entrypoint: ['/bin/a', '--flag'],
      Env: ['PATH=/bin', 'LANG=C.UTF-8'],
      User: '65532:65532',
      WorkingDir: '/tmp',
    },
    rootfs: { type: 'layers', diff_ids: [lower.digest, upper.digest] },
  });
  await run('tar', ['-xf', image.archive, '-C', scratch]);
  expect(await sha256(join(scratch, configurationFile))).toBe(image.digest);
  expect(await Promise.all(layerFiles.map((file) => sha256(join(scratch, file))))).toEqual([
    lower.digest,
    upper.digest,
  ]);
});

/** Builds a one-file image in a cache below the scratch directory; `built` counts how often the layer was made. */
async function build(content: string, built: string[]): Promise<ImageArchive> {
  const cache = join(scratch, 'cache');
  const layer = await cachedLayer(
    cache,
    { name: 'it', source: import.meta.filename, inputs: [content] },
    async (root) => {
      built.push(content);
      await root.write('/it/content', content);
    },
  );
  return cachedImage(cache, { name: 'kubernetes-local.test/it:1', layers: [layer], entrypoint: ['/it/content'] });
}

test('what is in the cache is not built again, what changed is', async () => {
  const built: string[] = [];
  const first = await build('one', built);
  const { ino } = await stat(first.archive);
  const again = await build('one', built);
  const changed = await build('two', built);
  expect(built).toEqual(['one', 'two']);
  expect(again).toEqual(first);
  expect((await stat(again.archive)).ino).toBe(ino);
  expect(changed.digest).not.toBe(first.digest);
});

test('a cached file that was removed is built again, and no build leaves scratch files', async () => {
  const built: string[] = [];
  const first = await build('one', built);
  await rm(first.archive);
  const again = await build('one', built);
  expect(again).toEqual(first);
  expect((await readdir(join(scratch, 'cache'))).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('a failed build leaves nothing that looks like a result', async () => {
  const cache = join(scratch, 'cache');
  const layer = { name: 'it', source: import.meta.filename, inputs: [] };
  await expect(
    cachedLayer(cache, layer, async () => {
      throw new Error('no such library');
    }),
  ).rejects.toThrow('no such library');
  expect(await readdir(cache)).toEqual([]);
});

test('old builds of the same thing are removed, those of others are not', async () => {
  const other = await cachedLayer(
    join(scratch, 'cache'),
    { name: 'it-too', source: import.meta.filename, inputs: [] },
    (root) => root.write('/x', 'x'),
  );
  for (const content of ['one', 'two', 'three', 'four', 'five']) await build(content, []);
  const images = (await readdir(join(scratch, 'cache'))).filter((name) => /^image-it-1-.*\.tar$/.test(name));
  expect(images).toHaveLength(2);
  expect((await stat(other.file)).isFile()).toBe(true);
});
