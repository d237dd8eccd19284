/** The editors for which files can be written, and how a folder tells which one is used in it. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export const editors = [
  'vscode',
  'neovim',
  'emacs',
  'dape',
  'helix',
  'kate',
  'sublime',
  'zed',
  'eclipse',
  'intellij',
  'visual-studio',
  'plain',
] as const;

export type Editor = (typeof editors)[number];

/** As they are called on a screen. */
export const editorNames: Readonly<Record<Editor, string>> = {
  vscode: 'VS Code',
  neovim: 'Neovim (nvim-dap)',
  emacs: 'Emacs (dap-mode)',
  dape: 'Emacs (dape)',
  helix: 'Helix',
  kate: 'Kate',
  sublime: 'Sublime Text (Debugger)',
  zed: 'Zed',
  eclipse: 'Eclipse (LSP4E)',
  intellij: 'IntelliJ and its relatives (LSP4IJ)',
  'visual-studio': 'Visual Studio',
  plain: 'Another one: only show the configuration',
};

/** What only one editor puts into a folder. */
const traces: readonly (readonly [name: string | RegExp, editor: Editor])[] = [
  ['.zed', 'zed'],
  ['.helix', 'helix'],
  [/\.sublime-project$/, 'sublime'],
  ['.kateproject', 'kate'],
  ['.nvim.lua', 'neovim'],
  ['.nvimrc', 'neovim'],
  ['.exrc', 'neovim'],
  ['.idea', 'intellij'],
  ['.project', 'eclipse'],
  ['.vs', 'visual-studio'],
  ['.vscode', 'vscode'],
  [/\.code-workspace$/, 'vscode'],
];

/** The editor that the folder is used with, if it tells of exactly one. */
export function detectEditor(folder: string): Editor | undefined {
  if (!existsSync(folder)) return undefined;
  const names = readdirSync(folder);
  const found = traces.filter(([trace]) =>
    names.some((name) => (typeof trace === 'string' ? name === trace : trace.test(name))),
  );
  const [only, ...others] = new Set(found.map(([, editor]) => editor));
  return others.length === 0 ? only : undefined;
}

/** The file by this name in a folder, if there is exactly one. */
export function onlyFile(folder: string, pattern: RegExp): string | undefined {
  const [only, ...others] = existsSync(folder) ? readdirSync(folder).filter((name) => pattern.test(name)) : [];
  return only === undefined || others.length > 0 ? undefined : join(folder, only);
}
