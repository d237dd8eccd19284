/** Where IDEs and package managers keep debug adapters, for those that are not on PATH. */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { compareVersions } from './versions.ts';

/** VS Code and its kin keep extensions in `~/NAME/extensions`; the last is code-server's. */
const editors = [
  '.vscode',
  '.vscode-server',
  '.vscode-insiders',
  '.vscode-server-insiders',
  '.vscode-oss',
  '.vscodium-server',
  '.cursor',
  '.cursor-server',
  '.windsurf',
  '.windsurf-server',
  '.local/share/code-server',
];

/** The folders of an installed VS Code extension (`publisher.name`), the newest version first. */
export function editorExtensions(id: string): readonly string[] {
  return editors
    .flatMap((editor) => {
      const folder = join(homedir(), editor, 'extensions');
      return versionsOf(folder, `${id}-`);
    })
    .sort((a, b) => compareVersions(b.version, a.version))
    .map(({ path }) => path);
}

/** Where Mason, the package manager of Neovim, keeps a package. Undefined if it has none of this name. */
export function masonPackage(name: string): string | undefined {
  const { LOCALAPPDATA, XDG_DATA_HOME } = process.env;
  const data =
    process.platform === 'win32'
      ? join(LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'nvim-data')
      : join(XDG_DATA_HOME || join(homedir(), '.local', 'share'), 'nvim');
  const folder = join(data, 'mason', 'packages', name);
  return existsSync(folder) ? folder : undefined;
}

/** The nearest `node_modules/NAME` of these folders and those above them. */
export function nodePackage(name: string, folders: readonly string[]): string | undefined {
  return folders
    .flatMap((folder) => ancestors(folder))
    .map((folder) => join(folder, 'node_modules', name))
    .find((candidate) => existsSync(candidate));
}

function ancestors(folder: string): readonly string[] {
  const parent = dirname(folder);
  return parent === folder ? [folder] : [folder, ...ancestors(parent)];
}

function versionsOf(folder: string, prefix: string): readonly { path: string; version: readonly number[] }[] {
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    // publisher.name-1.2.3, for extensions with binaries publisher.name-1.2.3-linux-x64.
    const [, version] = name.toLowerCase().startsWith(prefix)
      ? (/^(\d+(?:\.\d+)*)/.exec(name.slice(prefix.length)) ?? [])
      : [];
    return version === undefined ? [] : [{ path: join(folder, name), version: version.split('.').map(Number) }];
  });
}
