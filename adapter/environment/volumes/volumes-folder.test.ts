import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeVolumesFolder, removeVolumesFolder, volumesFolderPath } from './volumes-folder.ts';

let place: string;
let folder: string;
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'kubernetes-local-folder-'));
  folder = join(place, 'kubernetes-local-volumes-s1');
});
afterEach(() => rmSync(place, { recursive: true, force: true }));

const mode = (path: string) => (lstatSync(path).mode & 0o7777).toString(8);

describe('where it is', () => {
  it('makes nothing, and needs memory that is the user’s', () => {
    // The temporary folder is on a disk, or others may write to it without a sticky bit.
    chmodSync(place, 0o777);
    const elsewhere = join(place, 'fallback');
    expect(volumesFolderPath('s1', elsewhere, [join(place, 'none'), place])).toBe(
      join(elsewhere, 'kubernetes-local-volumes-s1'),
    );
    expect(readdirSync(place)).toEqual([]);
  });

  it.runIf(existsSync('/dev/shm') && process.platform === 'linux')('is in memory where there is some', () => {
    expect(volumesFolderPath('s1', place, ['/dev/shm'])).toBe('/dev/shm/kubernetes-local-volumes-s1');
  });
});

describe('making it', () => {
  it('makes it private, whatever the umask, and again', async () => {
    const umask = process.umask(0);
    try {
      await makeVolumesFolder(join(folder));
      await makeVolumesFolder(join(folder));
    } finally {
      process.umask(umask);
    }
    expect(mode(folder)).toBe('700');
    expect(readdirSync(folder).sort()).toEqual(['.kubernetes-local-volumes', 'mounts', 'subpaths', 'volumes']);
  });

  it('refuses a folder, a file or a link of somebody else', async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'theirs'), '');
    await expect(makeVolumesFolder(folder)).rejects.toMatchObject({ code: 'state-unwritable' });
    rmSync(folder, { recursive: true });
    mkdirSync(join(place, 'target'));
    symlinkSync('target', folder);
    await expect(makeVolumesFolder(folder)).rejects.toMatchObject({ code: 'state-unwritable' });
    expect(readdirSync(join(place, 'target'))).toEqual([]);
    rmSync(folder);
    writeFileSync(folder, 'file');
    await expect(makeVolumesFolder(folder)).rejects.toMatchObject({ code: 'state-unwritable' });
  });
});

describe('removing it', () => {
  it('removes all, also what is not writable, follows no link, and may be repeated', async () => {
    await makeVolumesFolder(folder);
    const outside = join(place, 'outside');
    mkdirSync(outside);
    writeFileSync(join(outside, 'kept'), 'x');
    symlinkSync(outside, join(folder, 'volumes', 'link'));
    mkdirSync(join(folder, 'volumes', 'closed', 'deep'), { recursive: true });
    writeFileSync(join(folder, 'volumes', 'closed', 'deep', 'f'), 'x');
    chmodSync(join(folder, 'volumes', 'closed', 'deep'), 0o500);
    chmodSync(join(folder, 'volumes', 'closed'), 0o000);
    await removeVolumesFolder(folder);
    expect(existsSync(folder)).toBe(false);
    expect(readFileSync(join(outside, 'kept'), 'utf8')).toBe('x');
    await removeVolumesFolder(folder);
    await removeVolumesFolder(join(place, 'never', 'was'));
  });

  it('refuses what is not ours', async () => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'theirs'), '');
    await expect(removeVolumesFolder(folder)).rejects.toMatchObject({ code: 'undo-incomplete' });
    expect(readdirSync(folder)).toEqual(['theirs']);
    await expect(removeVolumesFolder(place)).rejects.toMatchObject({ code: 'undo-incomplete' });
    mkdirSync(join(place, 'empty'));
    await expect(removeVolumesFolder(join(place, 'empty'))).rejects.toMatchObject({ code: 'undo-incomplete' });
  });

  it('refuses a link to one of ours', async () => {
    await makeVolumesFolder(folder);
    const link = join(place, 'kubernetes-local-volumes-link');
    symlinkSync(folder, link);
    await expect(removeVolumesFolder(link)).rejects.toMatchObject({ code: 'undo-incomplete' });
    expect(existsSync(join(folder, 'volumes'))).toBe(true);
  });

  it('removes one that was only begun, or only half removed', async () => {
    mkdirSync(folder);
    await removeVolumesFolder(folder);
    await makeVolumesFolder(folder);
    rmSync(join(folder, 'volumes'), { recursive: true });
    await removeVolumesFolder(folder);
    expect(readdirSync(place)).toEqual([]);
  });
});
