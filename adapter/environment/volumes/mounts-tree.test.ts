import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { linkMounts } from './mounts-tree.ts';
import { makeVolumesFolder, mountsFolder } from './volumes-folder.ts';

let folder: string;
beforeEach(async () => {
  folder = join(mkdtempSync(join(tmpdir(), 'kubernetes-local-tree-')), 'kubernetes-local-volumes-s');
  await makeVolumesFolder(folder);
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

/** A volume with these files; its path. */
function volume(name: string, entries: Readonly<Record<string, string>>): string {
  const path = join(folder, 'volumes', name);
  mkdirSync(path, { recursive: true });
  for (const [file, text] of Object.entries(entries)) {
    mkdirSync(join(path, file, '..'), { recursive: true });
    writeFileSync(join(path, file), text);
  }
  return path;
}
const read = (path: string) => readFileSync(join(mountsFolder(folder), path), 'utf8');
const names = (path: string) => readdirSync(join(mountsFolder(folder), path)).sort();

it('leads to folders and files by their mount paths', async () => {
  const app = volume('app', { 'a.conf': 'a' });
  await linkMounts(folder, [
    { mountPath: '/etc/app', localPath: app },
    { mountPath: '/srv/one.conf', localPath: join(app, 'a.conf') },
    { mountPath: '/left/out', localPath: undefined },
  ]);
  expect(read('etc/app/a.conf')).toBe('a');
  expect(read('srv/one.conf')).toBe('a');
  expect(readlinkSync(join(mountsFolder(folder), 'etc/app'))).toBe(app);
  expect(names('.')).toEqual(['etc', 'srv']);
});

it('leads to mounts inside others, and follows the outer one', async () => {
  const mounts = [
    { mountPath: '/etc/app/tls', localPath: volume('tls', { 'tls.key': 'key' }) },
    { mountPath: '/etc/app', localPath: volume('app', { 'a.conf': 'a', 'deep/b.conf': 'b', 'deep/own/x': 'hidden' }) },
    { mountPath: '/etc/app/deep/own', localPath: volume('own', { c: 'c' }) },
  ];
  await linkMounts(folder, mounts.slice(1, 2));
  await linkMounts(folder, mounts);
  expect(names('etc/app')).toEqual(['a.conf', 'deep', 'tls']);
  expect(names('etc/app/deep')).toEqual(['b.conf', 'own']);
  expect([read('etc/app/a.conf'), read('etc/app/deep/b.conf'), read('etc/app/tls/tls.key')]).toEqual(['a', 'b', 'key']);
  expect(names('etc/app/deep/own')).toEqual(['c']);
  rmSync(join(folder, 'volumes/app/a.conf'));
  volume('app', { new: 'new' });
  await linkMounts(folder, mounts);
  expect(names('etc/app')).toEqual(['deep', 'new', 'tls']);
  expect(readFileSync(join(folder, 'volumes/app/deep/own/x'), 'utf8')).toBe('hidden');
});

it('keeps an inner mount whose outer one is left out', async () => {
  await linkMounts(folder, [
    { mountPath: '/data', localPath: undefined },
    { mountPath: '/data/in', localPath: volume('in', { x: '1' }) },
  ]);
  expect(read('data/in/x')).toBe('1');
});
