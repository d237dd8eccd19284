/** Collects what belongs into the extension, and makes the VSIX of it. */
import { globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundlePrograms } from '../../bundle.ts';
import { extensionManifest } from '../manifest/manifest.ts';
import { bundleExtension, extensionEntry } from './bundle.ts';
import { thirdPartyNotices } from './notices.ts';
import { type VsixFile, writeVsix } from './vsix.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const commandLine = join(root, 'adapter', 'cli', 'main.ts');

/** Writes `kubernetes-local-VERSION.vsix` into `folder`; resolves with its path. */
export async function packageExtension(folder: string): Promise<string> {
  const manifest = extensionManifest();
  const path = join(folder, `${manifest.name}-${manifest.version}.vsix`);
  mkdirSync(folder, { recursive: true });
  await writeVsix(path, manifest, await extensionFiles());
  return path;
}

/** All files of the extension, the programs bundled anew. */
async function extensionFiles(): Promise<readonly VsixFile[]> {
  const bundles = mkdtempSync(join(tmpdir(), 'kubernetes-local-package-'));
  try {
    const [notices] = await Promise.all([
      thirdPartyNotices([commandLine, extensionEntry]),
      bundlePrograms({ 'kubernetes-local': commandLine }, bundles),
      bundleExtension(bundles),
    ]);
    const read = (path: string, ...parts: readonly string[]): VsixFile => ({
      path,
      content: readFileSync(join(root, ...parts)),
    });
    return [
      { path: 'package.json', content: json(extensionManifest()) },
      // The command line is a module, which the extension is not.
      { path: 'dist/package.json', content: json({ type: 'module' }) },
      ...readdirSync(bundles).map((name) => ({ path: `dist/${name}`, content: readFileSync(join(bundles, name)) })),
      read('launch.schema.json', 'adapter', 'launch', 'launch.schema.json'),
      read('icon.png', 'adapter', 'vscode', 'icon.png'),
      read('icon.svg', 'adapter', 'vscode', 'icon.svg'),
      { path: 'README.md', content: Buffer.from(readme()) },
      read('CHANGELOG.md', 'CHANGELOG.md'),
      read('LICENSE.txt', 'LICENSE'),
      { path: 'ThirdPartyNotices.txt', content: Buffer.from(notices) },
      ...pages().map((name) => read(`docs/${name}`, 'docs', name)),
    ];
  } finally {
    rmSync(bundles, { recursive: true, force: true });
  }
}

/** The page about the extension, as it stands above the folder that it is in here. */
function readme(): string {
  const page = readFileSync(join(root, 'docs', 'vscode.md'), 'utf8');
  return page.replace(/\]\((?!#|[a-z]+:)/g, '](docs/');
}

/** The pages that buttons of error messages open, those to which they lead, and the pictures of the extension. */
function pages(): readonly string[] {
  const docs = join(root, 'docs');
  return [...globSync('*.md', { cwd: docs }), ...globSync('images/vscode-*', { cwd: docs })].map((name) =>
    name.replaceAll('\\', '/'),
  );
}

function json(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
}
