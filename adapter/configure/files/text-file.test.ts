import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readTextFile, writeTextFile } from './text-file.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'text-file-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a file that is not there is made, with its folder', async () => {
  const path = join(folder, '.vscode', 'launch.json');
  const file = readTextFile(path);
  expect(file.text).toBeUndefined();
  expect(await writeTextFile(file, 'new\n')).toEqual({ path, created: true });
  expect(readFileSync(path, 'utf8')).toBe('new\n');
  expect(readdirSync(join(folder, '.vscode'))).toEqual(['launch.json']);
});

test('mode and byte order mark stay', async () => {
  const path = join(folder, 'launch.json');
  writeFileSync(path, '\uFEFFold\r\n');
  chmodSync(path, 0o640);
  const file = readTextFile(path);
  expect(file.text).toBe('old\r\n');
  expect(await writeTextFile(file, 'new\r\n')).toEqual({ path, created: false });
  expect(readFileSync(path).toString('hex')).toBe(Buffer.from('\uFEFFnew\r\n').toString('hex'));
  expect(statSync(path).mode & 0o7777).toBe(0o640);
  expect(readdirSync(folder)).toEqual(['launch.json']);
});

test('a link stays a link', async () => {
  const path = join(folder, 'launch.json');
  mkdirSync(join(folder, 'shared'));
  writeFileSync(join(folder, 'shared', 'launch.json'), 'old');
  symlinkSync(join('shared', 'launch.json'), path);
  await writeTextFile(readTextFile(path), 'new');
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect(readFileSync(join(folder, 'shared', 'launch.json'), 'utf8')).toBe('new');
});

test.each([undefined, 'old'])('what another program wrote meanwhile is kept (before: %s)', async (before) => {
  const path = join(folder, 'launch.json');
  if (before !== undefined) writeFileSync(path, before);
  const file = readTextFile(path);
  writeFileSync(path, 'theirs');
  await expect(writeTextFile(file, 'ours')).rejects.toMatchObject({
    code: 'bad-value',
    why: 'Another program has changed it since it was read.',
  });
  expect(readFileSync(path, 'utf8')).toBe('theirs');
  expect(readdirSync(folder)).toEqual(['launch.json']);
});

test('what is not UTF-8, or no file, is refused', () => {
  const path = join(folder, 'launch.json');
  writeFileSync(path, Buffer.from([0x7b, 0xff, 0x7d]));
  expect(() => readTextFile(path)).toThrow(expect.objectContaining({ why: 'It is not UTF-8 text.' }));
  expect(() => readTextFile(folder)).toThrow(expect.objectContaining({ what: `${folder} cannot be read.` }));
});

test('a folder that cannot be made is told', async () => {
  writeFileSync(join(folder, '.vscode'), '');
  const file = readTextFile(join(folder, '.vscode', 'launch.json'));
  await expect(writeTextFile(file, 'new')).rejects.toMatchObject({
    code: 'bad-value',
    what: `${file.path} cannot be written.`,
  });
});
