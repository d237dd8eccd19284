/**
 * Writes a volume's files as kubelet's AtomicWriter does: the files lie in a folder named by the time, the link `..data`
 * leads to it and is replaced by a rename, and what the program opens are links through `..data`. So a program sees either
 * all old files or all new ones, and one that watches `..data` works as in the pod.
 */
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cleanPath, type Payload, pathFault, type VolumeFile } from './payload.ts';

/** What a system may not let its users do: Windows without developer mode refuses links. */
export interface LinkOperations {
  symlink(target: string, path: string): Promise<void>;
}

export interface WriterModes {
  /** Of the folders inside. */
  readonly folder: number;
  file(mode: number): number;
}

const dataLink = '..data';
const newDataLink = '..data_tmp';

export class AtomicWriter {
  readonly #folder: string;
  readonly #modes: WriterModes;
  readonly #operations: LinkOperations;
  #plain = false;

  /** `folder` exists. Writes to it must not overlap. */
  constructor(folder: string, modes: WriterModes, operations: LinkOperations = { symlink }) {
    this.#folder = folder;
    this.#modes = modes;
    this.#operations = operations;
  }

  /** Whether this system has no links for us, and the files stand in the folder themselves, each replaced on its own. */
  get isPlain(): boolean {
    return this.#plain;
  }

  /**
   * Makes the folder hold these files and no others; whether anything had to be changed. Only names and contents count.
   * Throws the system's error, or an Error if a path is one that kubelet refuses; then the old files stay.
   */
  async write(payload: Payload): Promise<boolean> {
    const files = new Map<string, VolumeFile>();
    for (const [path, file] of payload) {
      const fault = pathFault(path);
      if (fault !== undefined) throw new Error(`the path "${path}" cannot be used: ${fault}`);
      files.set(cleanPath(path), file);
    }
    if (this.#plain) return this.#writePlain(files);
    const old = await orIfMissing(readlink(join(this.#folder, dataLink)), undefined);
    const stale = old === undefined ? [] : await this.#staleNames(old, files);
    if (old === undefined || stale.length > 0 || (await this.#differs(old, files))) {
      if (!(await this.#publish(files))) return this.#writePlain(files);
      await this.#showFiles(files);
      for (const name of stale) if (!name.includes('/')) await rm(join(this.#folder, name), { force: true });
      if (old !== undefined) await rm(join(this.#folder, old), { recursive: true, force: true });
      return true;
    }
    // A writer that was interrupted may have left some out.
    await this.#showFiles(files);
    return false;
  }

  /** Writes a new folder and points `..data` at it. False: this system does not let us make links. */
  async #publish(files: ReadonlyMap<string, VolumeFile>): Promise<boolean> {
    const fresh = await this.#newFolder();
    try {
      await this.#writeInto(join(this.#folder, fresh), files);
      const link = join(this.#folder, newDataLink);
      await rm(link, { force: true });
      await this.#operations.symlink(fresh, link);
      await rename(link, join(this.#folder, dataLink));
      return true;
    } catch (error) {
      await rm(join(this.#folder, fresh), { recursive: true, force: true });
      await rm(join(this.#folder, newDataLink), { force: true });
      if (!isCode(error, 'EPERM', 'ENOSYS', 'ENOTSUP')) throw error;
      this.#plain = true;
      return false;
    }
  }

  /** A folder whose name is the time (UTC) and a number. */
  async #newFolder(): Promise<string> {
    const time = new Date().toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_');
    for (;;) {
      const name = `..${time}.${Math.floor(Math.random() * 2 ** 32)}`;
      try {
        await mkdir(join(this.#folder, name));
        await chmod(join(this.#folder, name), this.#modes.folder);
        return name;
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error;
      }
    }
  }

  async #writeInto(folder: string, files: ReadonlyMap<string, VolumeFile>): Promise<void> {
    for (const [path, { data, mode }] of files) {
      await this.#makeFolders(folder, dirname(path));
      const full = join(folder, path);
      await writeFile(full, data, { mode: 0o600, flag: 'wx' });
      // By chmod, for a umask would take its bits from the mode of a new file.
      await chmod(full, this.#modes.file(mode));
    }
  }

  async #makeFolders(root: string, path: string): Promise<void> {
    if (path === '.') return;
    await this.#makeFolders(root, dirname(path));
    try {
      await mkdir(join(root, path));
    } catch (error) {
      if (isCode(error, 'EEXIST')) return;
      throw error;
    }
    await chmod(join(root, path), this.#modes.folder);
  }

  /** The link of each first part of a path. What is there already stays, also a folder that another mount stands on. */
  async #showFiles(files: ReadonlyMap<string, VolumeFile>): Promise<void> {
    for (const name of firstParts(files.keys())) {
      const path = join(this.#folder, name);
      if (await exists(path)) continue;
      await this.#operations.symlink(join(dataLink, name), path);
    }
  }

  /** Paths of files and folders that were written before and belong to none of these files. */
  async #staleNames(old: string, files: ReadonlyMap<string, VolumeFile>): Promise<readonly string[]> {
    const wanted = new Set([...files.keys()].flatMap(withParents));
    return (await pathsBeneath(join(this.#folder, old))).filter((path) => !wanted.has(path));
  }

  async #differs(old: string, files: ReadonlyMap<string, VolumeFile>): Promise<boolean> {
    for (const [path, { data }] of files) {
      const content = await orIfMissing(readFile(join(this.#folder, old, path)), undefined);
      if (content === undefined || Buffer.compare(content, data) !== 0) return true;
    }
    return false;
  }

  async #writePlain(files: ReadonlyMap<string, VolumeFile>): Promise<boolean> {
    let changed = false;
    for (const [path, { data, mode }] of files) {
      const full = join(this.#folder, path);
      const content = await orIfMissing(readFile(full), undefined);
      if (content !== undefined && Buffer.compare(content, data) === 0) continue;
      await this.#makeFolders(this.#folder, dirname(path));
      const aside = await mkdtemp(join(this.#folder, '..new-'));
      try {
        await writeFile(join(aside, 'new'), data, { mode: 0o600 });
        await chmod(join(aside, 'new'), this.#modes.file(mode));
        await rename(join(aside, 'new'), full);
      } finally {
        await rm(aside, { recursive: true, force: true });
      }
      changed = true;
    }
    const wanted = new Set([...files.keys()].flatMap(withParents));
    for (const path of this.#written) {
      if (wanted.has(path)) continue;
      await rm(join(this.#folder, path), { recursive: true, force: true });
      changed = true;
    }
    this.#written = wanted;
    return changed;
  }

  /** What plain files were written, for their removal; other folders in it are not ours. */
  #written: ReadonlySet<string> = new Set();
}

function firstParts(paths: Iterable<string>): ReadonlySet<string> {
  return new Set([...paths].map((path) => path.split('/', 1)[0] ?? path));
}

/** `a/b/c` → `a/b/c`, `a/b`, `a`. */
function withParents(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, parts.length - index).join('/'));
}

async function pathsBeneath(folder: string, path = ''): Promise<string[]> {
  const entries = await orIfMissing(readdir(join(folder, path), { withFileTypes: true }), []);
  const all = entries.map(async (entry) => {
    const child = path === '' ? entry.name : `${path}/${entry.name}`;
    return entry.isDirectory() ? [child, ...(await pathsBeneath(folder, child))] : [child];
  });
  return (await Promise.all(all)).flat();
}

async function exists(path: string): Promise<boolean> {
  return (await orIfMissing(lstat(path), undefined)) !== undefined;
}

async function orIfMissing<T, E>(reading: Promise<T>, otherwise: E): Promise<T | E> {
  try {
    return await reading;
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR')) return otherwise;
    throw error;
  }
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.some((code) => code === error.code);
}
