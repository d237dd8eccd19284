import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeArchive } from './image-store.ts';
import { run } from './run.ts';

const hash = 'ab'.repeat(32);
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'archive-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function archiveWith(manifest: unknown): Promise<string> {
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(folder, 'image.tar');
  await run(['tar', '--create', '--file', archive, '--directory', folder, 'manifest.json']);
  return archive;
}

it.each([
  ['docker', `${hash}.json`],
  ['an OCI layout', `blobs/sha256/${hash}`],
])('reads name and id of an image archive as %s writes it', async (_writer, config) => {
  const archive = await archiveWith([{ Config: config, RepoTags: ['shop.test/cart:1'], Layers: [] }]);
  expect(await describeArchive(archive)).toEqual({ name: 'shop.test/cart:1', archive, digest: `sha256:${hash}` });
});

it.each([
  ['several images', [1, 2].map((tag) => ({ Config: hash, RepoTags: [`x:${tag}`], Layers: [] }))],
  ['no name', [{ Config: hash, RepoTags: null, Layers: [] }]],
  ['no id', [{ Config: 'config.json', RepoTags: ['x:1'], Layers: [] }]],
])('refuses an archive with %s', async (_what, manifest) => {
  const archive = await archiveWith(manifest);
  await expect(describeArchive(archive)).rejects.toThrow(/docker-archive of one named image/);
});

it('says that a file is no archive', async () => {
  const file = join(folder, 'words');
  await writeFile(file, 'words');
  await expect(describeArchive(file)).rejects.toThrow(/tar/);
});
