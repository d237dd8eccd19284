/** Programs are started from lists of arguments; where a shell is needed, its text is our own and all else its arguments. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const sources = globSync(['adapter/**/*.ts', 'agent/**/*.ts'], { cwd: root })
  .filter((path) => !/\.test\.ts$|\/test-|\/fixtures\//.test(path))
  .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
const where = (pattern: RegExp) => sources.filter(({ text }) => pattern.test(text)).map(({ path }) => path);

/** What of child_process takes a line for a shell. */
const lines = /import\s*\{[^}]*\b(exec|execSync)\b[^}]*\}\s*from 'node:child_process'|child_process'\)\.exec/;
const startsPrograms = /from 'node:child_process'/;

test('no program is started by a line of text', () => {
  expect(sources.length).toBeGreaterThan(300);
  expect(where(startsPrograms).length).toBeGreaterThan(10);
  expect(where(lines)).toEqual([]);
  expect(
    sources.filter(({ text }) => startsPrograms.test(text) && /\bshell:/.test(text)).map(({ path }) => path),
  ).toEqual([]);
  expect("import { exec, spawn } from 'node:child_process'").toMatch(lines);
});

test('a shell runs only what stands here, and never a text from elsewhere', () => {
  expect(where(/'(?:\/bin\/)?(?:sh|bash)'|'cmd\.exe'|'powershell\.exe'|'pwsh'/).sort()).toEqual([
    // The name of a tool that is looked for, and what is said of it.
    ...['adapter/network/namespace/cover.ts', 'adapter/network/namespace/obstacle.ts'],
    ...['adapter/network/namespace/prefix.ts', 'adapter/network/namespace/tools.ts'],
    // A constant, and one with process numbers in it.
    ...['adapter/network/ports/process-table-windows.ts', 'adapter/processes/tree.ts'],
  ]);
});

test('the one line that goes through shells is made of words that none of them reads otherwise', () => {
  expect(where(/import\('sudo-prompt'\)|from 'sudo-prompt'/)).toEqual(['adapter/network/helper/graphical-prompt.ts']);
  expect(where(/from '\.\/shell-words\.ts'/).sort()).toEqual([
    'adapter/network/helper/elevation.ts',
    'adapter/network/helper/graphical-prompt.ts',
  ]);
});

test('no text becomes program', () => {
  expect(where(/\beval\(|\bnew Function\(|\bvm\.run|from 'node:vm'/)).toEqual([]);
});
