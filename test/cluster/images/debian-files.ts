/**
 * Files of Debian packages that must not be installed on this computer, because they would start a service: the package is
 * fetched and unpacked, and only the libraries it is linked with are installed.
 */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ensurePackages } from '../packages.ts';
import { privileged } from '../privileges.ts';
import { run } from '../run.ts';

/** The folder with the files of the package as they would be installed. Fetched once for each version of it. */
export async function unpackedPackage(
  cacheDirectory: string,
  name: string,
  onProgress: (text: string) => void = () => {},
): Promise<string> {
  const version = await candidateOf(name);
  const folder = join(cacheDirectory, `package-${name}-${version.replaceAll(/[^\w.+~-]/g, '_')}`);
  if (await exists(folder)) return folder;
  onProgress(`fetching the package ${name}`);
  const scratch = `${folder}.${process.pid}`;
  await mkdir(join(scratch, 'files'), { recursive: true });
  try {
    await run(['apt-get', '-q', 'download', name], { cwd: scratch });
    const archive = (await readdir(scratch)).find((file) => file.endsWith('.deb'));
    if (archive === undefined) throw new Error(`apt-get fetched nothing for ${name}`);
    const path = join(scratch, archive);
    const { stdout } = await run(['dpkg-deb', '--field', path, 'Depends']);
    await ensurePackages(librariesIn(stdout), onProgress);
    await run(['dpkg-deb', '--extract', path, join(scratch, 'files')]);
    // Another process may have been faster.
    await rename(join(scratch, 'files'), folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return folder;
}

/** The packages of shared libraries among those that a package depends on. */
export function librariesIn(depends: string): string[] {
  return depends
    .split(',')
    .map((one) => one.trim().split(/[ (:|]/)[0] ?? '')
    .filter((name) => /^lib|^zlib/.test(name));
}

/** The package that a metapackage such as `postgresql` stands for today: the first it depends on that begins with its name. */
export async function currentPackage(name: string): Promise<string> {
  const { stdout } = await run(['apt-cache', 'depends', name]);
  const found = new RegExp(`Depends: (${name}-[\\d.]+)$`, 'm').exec(stdout)?.[1];
  if (found === undefined) throw new Error(`apt-cache knows no package that "${name}" stands for`);
  return found;
}

/** Renews the lists of packages if they do not have the package yet. */
async function candidateOf(name: string): Promise<string> {
  const ask = async () => {
    const { stdout } = await run(['apt-cache', 'policy', name]);
    return /Candidate: (\S+)/.exec(stdout)?.[1];
  };
  const known = await ask();
  if (known !== undefined && known !== '(none)') return known;
  await run(privileged(['apt-get', '-q', 'update']));
  const renewed = await ask();
  if (renewed === undefined || renewed === '(none)') throw new Error(`there is no package ${name}`);
  return renewed;
}

async function exists(folder: string): Promise<boolean> {
  return readdir(folder).then(
    () => true,
    () => false,
  );
}
