/** The licences of the packages that are bundled: each wants its text to go with its code. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { build } from 'esbuild';
import { z } from 'zod';
import { alias } from '../../bundle.ts';

const packageSchema = z.object({ name: z.string(), version: z.string(), license: z.string().optional() });

/** One text with name, version and licence of every package of which something is in the bundles of these programs. */
export async function thirdPartyNotices(entryPoints: readonly string[]): Promise<string> {
  const { metafile } = await build({
    entryPoints: [...entryPoints],
    outdir: 'nowhere',
    write: false,
    metafile: true,
    bundle: true,
    platform: 'node',
    format: 'esm',
    alias,
    external: ['vscode', 'bufferutil', 'utf-8-validate'],
    logLevel: 'error',
    absWorkingDir: process.cwd(),
  });
  const used = Object.values(metafile.outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  const folders = new Set(
    used.map((file) => packageFolder(join(process.cwd(), file))).filter((each) => each !== undefined),
  );
  const notices = [...folders].map(noticeOf).sort();
  return `This extension contains the following packages.\n\n${notices.join('\n')}`;
}

/** The folder of the package to which a file belongs; undefined for a file of our own. */
function packageFolder(file: string): string | undefined {
  if (!file.includes(`${sep}node_modules${sep}`)) return undefined;
  let folder = dirname(file);
  // Folders inside a package may have a package.json that only says how its modules are to be loaded.
  while (!existsSync(join(folder, 'package.json')) || !packageSchema.safeParse(readPackage(folder)).success) {
    folder = dirname(folder);
  }
  return folder;
}

function readPackage(folder: string): unknown {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

function noticeOf(folder: string): string {
  const { name, version, license = 'unknown' } = packageSchema.parse(readPackage(folder));
  const texts = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|notice|copying)(\.|-|$)/i.test(file))
    .sort()
    .map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
  const text = texts.length === 0 ? `Its licence is ${license}; the package has no text of it.` : texts.join('\n\n');
  return `${'='.repeat(80)}\n${name} ${version} (${license})\n\n${text}\n`;
}
