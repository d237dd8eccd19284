import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { editorExtensions, masonPackage, nodePackage } from './places.ts';

let home = '';
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'places-'));
  vi.stubEnv('HOME', home);
  vi.stubEnv('XDG_DATA_HOME', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true });
});

function folder(path: string): string {
  const full = join(home, path);
  mkdirSync(full, { recursive: true });
  return full;
}

test('extensions of all editors are found, the newest version first', () => {
  const old = folder('.vscode/extensions/some.debugger-1.9.2');
  const newest = folder('.vscode-server/extensions/some.debugger-1.11.0-linux-x64');
  const middle = folder('.cursor/extensions/Some.Debugger-1.10.0');
  folder('.vscode/extensions/some.debugger-extras-9.0.0');
  folder('.vscode/extensions/other.debugger-2.0.0');
  expect(editorExtensions('some.debugger')).toEqual([newest, middle, old]);
  expect(editorExtensions('no.such')).toEqual([]);
});

test('packages of Mason are found in the data folder of Neovim', () => {
  expect(masonPackage('delve')).toBeUndefined();
  const usual = folder('.local/share/nvim/mason/packages/delve');
  expect(masonPackage('delve')).toBe(usual);
  const other = folder('data/nvim/mason/packages/delve');
  vi.stubEnv('XDG_DATA_HOME', join(home, 'data'));
  expect(masonPackage('delve')).toBe(other);
});

test('packages of npm are found in the folder or the nearest one above', () => {
  const project = folder('work/project/src');
  expect(nodePackage('adapter', [project])).toBeUndefined();
  const above = folder('work/node_modules/adapter');
  expect(nodePackage('adapter', [project])).toBe(above);
  const near = folder('work/project/node_modules/adapter');
  expect(nodePackage('adapter', [project])).toBe(near);
  expect(nodePackage('adapter', [folder('elsewhere'), project])).toBe(near);
});
