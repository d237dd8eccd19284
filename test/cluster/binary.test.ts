import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { hashSources } from './binary.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sources-'));
  await writeFile(join(folder, 'main.go'), 'package main');
  await writeFile(join(folder, 'go.mod'), 'module x');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

it('is the same for the same sources', async () => {
  expect(await hashSources(folder, ['go1'])).toBe(await hashSources(folder, ['go1']));
  expect(await hashSources(folder, ['go1'])).toMatch(/^[0-9a-f]{16}$/);
});

it.each([
  ['a changed source', 'main.go', 'package other'],
  ['a new source', 'new.go', 'package main'],
  ['a changed module', 'go.mod', 'module y'],
  ['a changed checksum', 'go.sum', 'x v1 h1:…'],
])('is another for %s', async (_what, file, content) => {
  const before = await hashSources(folder, ['go1']);
  await writeFile(join(folder, file), content);
  expect(await hashSources(folder, ['go1'])).not.toBe(before);
});

it('is another for another compiler or other flags', async () => {
  expect(await hashSources(folder, ['go2'])).not.toBe(await hashSources(folder, ['go1']));
  expect(await hashSources(folder, ['go1', '-race'])).not.toBe(await hashSources(folder, ['go1']));
});

it('does not mind documents and tests', async () => {
  const before = await hashSources(folder, ['go1']);
  await writeFile(join(folder, 'README.md'), 'words');
  await writeFile(join(folder, 'main_test.go'), 'package main');
  expect(await hashSources(folder, ['go1'])).toBe(before);
});
