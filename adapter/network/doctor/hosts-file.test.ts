import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { withBlock } from '../hosts/hosts-file.ts';
import type { RunCommand } from '../platform/run-command.ts';
import { hostsFileFinding, leftoversFinding } from './hosts-file.ts';

const { signal } = new AbortController();
const noLsattr: RunCommand = async () => ({ code: undefined, stdout: '', stderr: 'spawn lsattr ENOENT' });
const lsattr =
  (letters: string): RunCommand =>
  async () => ({ code: 0, stdout: `${letters} /etc/hosts\n`, stderr: '' });

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kubernetes-local-doctor-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe('hostsFileFinding', () => {
  it('finds a plain file, also behind a link, and leaves it as it is', async () => {
    const path = await file('plain', '127.0.0.1 localhost\n');
    await symlink(path, join(folder, 'link'));
    for (const each of [path, join(folder, 'link')]) {
      expect(await hostsFileFinding(each, noLsattr, signal)).toMatchObject({
        outcome: 'ok',
        text: `${each}: You may write it. It is replaced as a whole.`,
      });
    }
    expect(await readFile(path, 'utf8')).toBe('127.0.0.1 localhost\n');
  });

  it.each([
    ['----i---------e-------', 'immutable', 'chattr -i'],
    ['-----a--------e-------', 'append only', 'chattr -a'],
  ])('finds the attribute in %s', async (letters, name, remedy) => {
    const path = await file('attribute', '');
    const finding = await hostsFileFinding(path, lsattr(letters), signal);
    expect(finding).toMatchObject({ outcome: 'not possible', text: expect.stringContaining(`"${name}"`) });
    expect(finding.remedy).toContain(remedy);
    expect((await hostsFileFinding(path, lsattr('--------------e-------'), signal)).outcome).toBe('ok');
  });

  it.each([
    ['little', Buffer.from([0xff, 0xfe, 0x31, 0])],
    ['big', Buffer.from([0xfe, 0xff, 0, 0x31])],
  ])('finds UTF-16 (%s-endian)', async (name, content) => {
    const finding = await hostsFileFinding(await file(name, content), noLsattr, signal);
    expect(finding).toMatchObject({ outcome: 'not possible', text: expect.stringContaining('UTF-16') });
  });

  it('finds that there is none', async () => {
    const finding = await hostsFileFinding(join(folder, 'none'), noLsattr, signal);
    expect(finding).toMatchObject({ outcome: 'not possible', text: expect.stringContaining('ENOENT') });
  });
});

describe('leftoversFinding', () => {
  it('names dead sessions', async () => {
    const block = { session: 's1', owner: { pid: 1, start: 'long-ago' }, entries: [] };
    const path = await file('left', withBlock(Buffer.from('1.2.3.4 a\n'), block, 'last'));
    expect(await leftoversFinding(path)).toMatchObject({
      outcome: 'limited',
      text: expect.stringContaining('s1'),
      remedy: expect.stringContaining('restore'),
    });
    expect((await leftoversFinding(await file('clean', 'x')))?.outcome).toBe('ok');
    expect(await leftoversFinding(join(folder, 'none'))).toBeUndefined();
  });
});
