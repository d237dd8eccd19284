import { chmod, chown, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ownIdentity } from '../../processes/identity.ts';
import { withBlock } from './hosts-file.ts';
import { assertWritable, isFreeOf, listBlocks, removeBlock, removeDeadBlocks, setBlock } from './hosts-writer.ts';

const never = new AbortController().signal;
const original = '127.0.0.1\tlocalhost # mine\n\n1.2.3.4  PRICES old.example';
const entries = [{ address: '127.64.0.1', names: ['cart', 'cart.shop'] }];
let folder = '';
let path = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hosts-'));
  path = join(folder, 'hosts');
  await writeFile(path, original);
});
afterEach(() => rm(folder, { recursive: true }));

const content = () => readFile(path, 'utf8');

describe('a hosts file', () => {
  it('is free of a session that has no line in it, unless somebody was killed while he wrote', async () => {
    expect(await isFreeOf(path, 's1')).toBe(true);
    await setBlock(path, 's1', entries, never);
    expect(await isFreeOf(path, 's1')).toBe(false);
    expect(await isFreeOf(path, 's2')).toBe(true);
    await writeFile(`${path}.kubernetes-local.new`, 'half');
    expect(await isFreeOf(path, 's2')).toBe(false);
    expect(await isFreeOf(join(folder, 'none'), 's2')).toBe(false);
  });

  it('that can be written passes the check, untouched', async () => {
    const before = await stat(path, { bigint: true });
    await assertWritable(path);
    const { mtimeNs, ino } = await stat(path, { bigint: true });
    expect({ mtimeNs, ino }).toEqual({ mtimeNs: before.mtimeNs, ino: before.ino });
    expect(await readdir(folder)).toEqual(['hosts']);
  });

  it('that is gone does not pass it, and has nothing left to remove', async () => {
    await rm(path);
    await expect(assertWritable(path)).rejects.toMatchObject({ code: 'hosts-unwritable', why: 'ENOENT' });
    await removeBlock(path, 's1', never);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('setBlock and removeBlock', () => {
  it('keep bytes, mode and owner, and leave no other file', async () => {
    await chmod(path, 0o664);
    if (process.getuid?.() === 0) await chown(path, 12, 34);
    const before = await stat(path);
    await setBlock(path, 's1', entries, never);
    expect(await content()).toContain('127.64.0.1 cart cart.shop # kubernetes-local session=s1');
    expect(await listBlocks(path)).toEqual([{ session: 's1', owner: ownIdentity(), entries, alive: true }]);
    await removeBlock(path, 's1', never);
    expect(await content()).toBe(original);
    const { mode, uid, gid } = await stat(path);
    expect({ mode, uid, gid }).toEqual({ mode: before.mode, uid: before.uid, gid: before.gid });
    expect(await readdir(folder)).toEqual(['hosts']);
  });

  it('put the block first and say so where the user maps a name', async () => {
    const mine = [{ address: '127.64.0.2', names: ['prices', 'prices.shop'] }];
    expect(await setBlock(path, 's1', mine, never)).toEqual([{ name: 'prices', address: '1.2.3.4' }]);
    expect(await content()).toMatch(/^# BEGIN kubernetes-local session=s1 /);
    // The block of another session is no line of the user's.
    await removeBlock(path, 's1', never);
    await writeFile(path, '127.0.0.1 localhost\n');
    await setBlock(path, 's1', mine, never);
    expect(await setBlock(path, 's2', mine, never)).toEqual([]);
  });

  it('lose nothing when many work at once', async () => {
    const sessions = Array.from({ length: 8 }, (_, index) => `s${index}`);
    await Promise.all(sessions.map((session) => setBlock(path, session, entries, never)));
    expect((await listBlocks(path)).map((block) => block.session).sort()).toEqual(sessions);
    await Promise.all(sessions.map((session) => removeBlock(path, session, never)));
    expect(await content()).toBe(original);
  });

  it('write through a symbolic link', async () => {
    const link = join(folder, 'link');
    await symlink(path, link);
    await setBlock(link, 's1', entries, never);
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await content()).toContain('cart.shop');
  });

  it('do not write at all where nothing changes', async () => {
    const before = await stat(path);
    await removeBlock(path, 's1', never);
    await removeDeadBlocks(path, never);
    expect((await stat(path)).ino).toBe(before.ino);
  });

  it('say which file cannot be used', async () => {
    await expect(setBlock(join(folder, 'none'), 's1', entries, never)).rejects.toMatchObject({
      code: 'hosts-unwritable',
      what: expect.stringContaining(join(folder, 'none')),
      why: 'ENOENT',
    });
  });
});

describe('blocks of others', () => {
  const other = (owner: { pid: number; start: string }) =>
    writeFile(path, withBlock(Buffer.from(original), { session: 'other', owner, entries }, 'last'));

  it('are removed with the next change when their process is gone', async () => {
    await other({ ...ownIdentity(), start: '1-00000000' });
    expect(await listBlocks(path)).toMatchObject([{ session: 'other', alive: false }]);
    await setBlock(path, 's1', entries, never);
    expect((await listBlocks(path)).map((block) => block.session)).toEqual(['s1']);
  });

  it('can be removed alone when their process is gone', async () => {
    await other({ ...ownIdentity(), start: '1-00000000' });
    await setBlock(path, 's1', entries, never);
    await other({ ...ownIdentity(), start: '1-00000000' });
    await removeDeadBlocks(path, never);
    expect(await content()).toBe(original);
  });

  it('are not touched while their process lives', async () => {
    const parent = Number((await readFile(`/proc/${process.ppid}/stat`, 'utf8')).split(' ')[0]);
    const ticks = (await readFile(`/proc/${parent}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ')[19];
    const { start } = ownIdentity();
    await other({ pid: parent, start: start.replace(/^\d+/, ticks ?? '') });
    const before = await content();
    await expect(setBlock(path, 'other', entries, never)).rejects.toMatchObject({ code: 'hosts-unwritable' });
    await expect(removeBlock(path, 'other', never)).rejects.toMatchObject({ code: 'hosts-unwritable' });
    await removeDeadBlocks(path, never);
    expect(await content()).toBe(before);
  });
});
