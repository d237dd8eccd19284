import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { coverRefusal, findMountPoint, isWithin, shadowRefusal } from './mount-point.ts';

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'mount-point-')));
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  writeFileSync(join(folder, 'file'), '');
});
afterEach(() => rm(folder, { recursive: true }));

describe('a mount point', () => {
  it('is found through links, also where it does not exist', () => {
    symlinkSync('a', join(folder, 'relative'));
    symlinkSync(join(folder, 'a/missing'), join(folder, 'dangling'));
    expect(findMountPoint(join(folder, 'relative/b'))).toEqual({
      path: join(folder, 'a/b'),
      existing: join(folder, 'a/b'),
      missing: [],
    });
    const at = { existing: join(folder, 'a'), path: join(folder, 'a/missing/deep') };
    expect(findMountPoint(join(folder, 'dangling/deep'))).toEqual({ ...at, missing: ['missing', 'deep'] });
    expect(findMountPoint(`${folder}//a/./missing/other/../deep/`)).toEqual({ ...at, missing: ['missing', 'deep'] });
  });

  it('does not lead in circles', () => {
    symlinkSync('circle', join(folder, 'circle'));
    expect(() => findMountPoint(join(folder, 'circle/x'))).toThrow('too many symbolic links');
  });
});

describe('what may be hidden', () => {
  it.each(['/', '/usr', '/etc', '/proc', '/proc/1', '/sys/fs', '/dev', '/run', '/etc/hosts'])('not %s', (path) => {
    expect(shadowRefusal(path, [])).toContain(path);
  });

  it.each(['/etc/ssl', '/usr/share/app', '/dev/shm', '/procedure', '/data'])('%s', (path) => {
    expect(shadowRefusal(path, [])).toBeUndefined();
  });

  it('not what is kept, nor what it stands in', () => {
    const keep = ['/work/shop/cart'];
    expect(shadowRefusal('/work', keep)).toContain('/work/shop/cart');
    expect(shadowRefusal('/work/shop/cart', keep)).toContain('/work/shop/cart');
    expect(shadowRefusal('/work/shop/cart/config', keep)).toBeUndefined();
    expect(shadowRefusal('/work/shop/car', keep)).toBeUndefined();
  });
});

describe('where something new may be shown', () => {
  it('is not where programs write', () => {
    const folderOf = (path: string, mode = 0o40755, isOwn = false) => ({ path, mode, isOwn });
    expect(coverRefusal(folderOf('/etc'), ['/home/anna'])).toBeUndefined();
    expect(coverRefusal(folderOf('/'), ['/', '/home/anna'])).toBeUndefined();
    expect(coverRefusal(folderOf('/tmp', 0o41777), [])).toContain('/tmp');
    expect(coverRefusal(folderOf('/home/anna/shop'), ['/home/anna'])).toContain('/home/anna/shop');
    expect(coverRefusal(folderOf('/srv/anna', 0o40755, true), [])).toContain('/srv/anna');
    expect(coverRefusal(folderOf('/dev'), [])).toContain('/dev');
  });
});

it('a folder stands in itself, but not in one whose name goes on', () => {
  expect(isWithin('/a', '/a')).toBe(true);
  expect(isWithin('/a/b', '/')).toBe(true);
  expect(isWithin('/ab', '/a')).toBe(false);
});
