import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import yauzl from 'yauzl';
import packageFile from '../../../package.json' with { type: 'json' };
import { extensionManifest } from '../manifest/manifest.ts';
import { packageExtension } from './package.ts';

const run = promisify(execFile);

let folder: string;
let path: string;
let files: ReadonlyMap<string, Buffer>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-vsix-'));
  path = await packageExtension(folder);
  files = await unzipped(path);
});
afterAll(() => rmSync(folder, { recursive: true }));

async function unzipped(zip: string): Promise<ReadonlyMap<string, Buffer>> {
  const found = new Map<string, Buffer>();
  const opened = await yauzl.openPromise(zip);
  for await (const entry of opened.eachEntry()) {
    found.set(entry.fileName, await buffer(await opened.openReadStreamPromise(entry)));
  }
  return found;
}

const text = (name: string) => files.get(name)?.toString() ?? '';

describe('the VSIX', () => {
  it('is named by the version', () => {
    expect(path).toBe(join(folder, `kubernetes-local-${packageFile.version}.vsix`));
  });

  it('has the manifest', () => {
    expect(JSON.parse(text('extension/package.json'))).toEqual(extensionManifest());
  });

  it('has all files that the manifest names', () => {
    const { main, icon, contributes } = extensionManifest();
    const named = [main, icon, ...Object.values(contributes.views).flatMap((views) => views.map((view) => view.icon))];
    const missing = named.map((name) => join('extension', name)).filter((name) => !files.has(name));
    expect(missing).toEqual([]);
  });

  it('says what it is, as VS Code reads it when it is installed', () => {
    const manifest = text('extension.vsixmanifest');
    expect(manifest).toContain(
      `<Identity Language="en-US" Id="kubernetes-local" Version="${packageFile.version}" Publisher="kubernetes-local" />`,
    );
    const assets = [...manifest.matchAll(/<Asset [^>]*Path="([^"]+)"/g)].map(([, asset = '']) => asset);
    expect(assets).toContain('extension/package.json');
    expect(assets.filter((asset) => !files.has(asset))).toEqual([]);
  });

  it('has a content type for each kind of file', () => {
    const kinds = new Set([...files.keys()].map((name) => /\.[a-z]+$/.exec(name)?.[0]).filter(Boolean));
    kinds.delete('.xml');
    const types = text('[Content_Types].xml');
    expect([...kinds].filter((kind) => !types.includes(`Extension="${kind}"`))).toEqual([]);
  });

  it('has the command line, which runs as it is unpacked', async () => {
    const unpacked = mkdtempSync(join(folder, 'unpacked-'));
    mkdirSync(join(unpacked, 'dist'));
    for (const [name, content] of files) {
      if (name.startsWith('extension/dist/')) writeFileSync(join(unpacked, relative('extension', name)), content);
    }
    const { stdout } = await run(process.execPath, [join(unpacked, 'dist', 'kubernetes-local.js'), '--version']);
    expect(stdout.trim()).toBe(packageFile.version);
  });

  it('shows a page whose links lead to files of it', () => {
    const links = [...text('extension/README.md').matchAll(/\]\(([^)#\s]+)/g)].map(([, link = '']) => link);
    const inside = links.filter((link) => !/^[a-z]+:/.test(link));
    expect(inside).toContain('docs/launch-configuration.md');
    expect(inside.filter((link) => !files.has(join('extension', link)))).toEqual([]);
  });

  it('has the licences of all that is bundled', () => {
    expect(text('extension/LICENSE.txt')).toBe(readFileSync(join(import.meta.dirname, '../../../LICENSE'), 'utf8'));
    const notices = text('extension/ThirdPartyNotices.txt');
    for (const name of ['@kubernetes/client-node', 'zod', 'ws', 'vscode-jsonrpc', 'undici']) {
      expect(notices).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
    expect(notices).not.toContain('esbuild');
    expect(notices).toContain('Permission is hereby granted');
  });

  it('has no path of this computer', () => {
    const root = join(import.meta.dirname, '..', '..', '..');
    const leaking = [...files].filter(([, content]) => content.includes(root)).map(([name]) => name);
    expect(leaking).toEqual([]);
  });

  it('is the same, byte by byte, when it is made again', async () => {
    const again = mkdtempSync(join(folder, 'again-'));
    expect(readFileSync(await packageExtension(again)).equals(readFileSync(path))).toBe(true);
  });
});
