import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { detectEditor, onlyFile } from './editor.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'editor-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each([
  ['.vscode', 'vscode'],
  ['.zed', 'zed'],
  ['.helix', 'helix'],
  ['.idea', 'intellij'],
  ['.vs', 'visual-studio'],
  ['.project', 'eclipse'],
  ['.kateproject', 'kate'],
  ['.nvim.lua', 'neovim'],
  ['cart.sublime-project', 'sublime'],
])('%s is of %s', (name, editor) => {
  mkdirSync(join(folder, name));
  expect(detectEditor(folder)).toBe(editor);
});

test('nothing, and several, tell nothing', () => {
  expect(detectEditor(folder)).toBeUndefined();
  expect(detectEditor(join(folder, 'gone'))).toBeUndefined();
  mkdirSync(join(folder, '.vscode'));
  mkdirSync(join(folder, '.idea'));
  expect(detectEditor(folder)).toBeUndefined();
});

test('the only file of a kind', () => {
  expect(onlyFile(folder, /x$/)).toBeUndefined();
  writeFileSync(join(folder, 'a.x'), '');
  expect(onlyFile(folder, /x$/)).toBe(join(folder, 'a.x'));
  writeFileSync(join(folder, 'b.x'), '');
  expect(onlyFile(folder, /x$/)).toBeUndefined();
});
