/** The tree of files an image layer is made from, put together in a scratch directory. */
import { execFile } from 'node:child_process';
import { chmod, copyFile, cp, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Builds a root file system below `directory`. Paths are absolute paths inside the image; modes never depend on the umask. */
export class RootFilesystem {
  readonly directory: string;
  readonly #made = new Set<string>();

  constructor(directory: string) {
    this.directory = directory;
  }

  /** The place of a path of the image on this computer. */
  at(path: string): string {
    return join(this.directory, path);
  }

  async makeDirectory(path: string, mode = 0o755): Promise<void> {
    if (this.#made.has(path)) return;
    this.#made.add(path);
    if (path !== '/') await this.makeDirectory(dirname(path));
    await mkdir(this.at(path), { recursive: true });
    await chmod(this.at(path), mode);
  }

  async write(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    await this.makeDirectory(dirname(path));
    await writeFile(this.at(path), content);
    await chmod(this.at(path), mode);
  }

  async link(path: string, target: string): Promise<void> {
    await this.makeDirectory(dirname(path));
    await symlink(target, this.at(path));
  }

  /** Copies one file of this computer, following symbolic links. */
  async copy(source: string, path: string): Promise<void> {
    await this.makeDirectory(dirname(path));
    await copyFile(source, this.at(path));
    await chmod(this.at(path), (await stat(source)).mode & 0o111 ? 0o755 : 0o644);
  }

  /** Copies a directory of this computer without what `leaveOut` names (given the path below the directory). */
  async copyTree(source: string, path: string, leaveOut: (path: string) => boolean = () => false): Promise<void> {
    await this.makeDirectory(dirname(path));
    await cp(source, this.at(path), {
      recursive: true,
      dereference: true,
      filter: (from) => from === source || !leaveOut(from.slice(source.length + 1)),
    });
  }

  /** Copies a program together with the shared libraries it is linked with. */
  async copyProgram(source: string, path: string): Promise<void> {
    await this.copy(source, path);
    await this.copyLibraries(source);
  }

  /** Copies the shared libraries a program or library is linked with. */
  async copyLibraries(source: string): Promise<void> {
    for (const library of await sharedLibraries(source)) await this.copy(library, library);
  }

  /** What the C library and most programs expect: /tmp, and names looked up in the hosts file first, then in DNS. */
  async addEssentials(): Promise<void> {
    await this.makeDirectory('/tmp', 0o1777);
    await this.write('/etc/nsswitch.conf', 'hosts: files dns\n');
    await this.write('/etc/passwd', 'root:x:0:0::/:/bin/sh\nnonroot:x:65532:65532::/tmp:/bin/sh\n');
    await this.write('/etc/group', 'root:x:0:\nnonroot:x:65532:\n');
  }
}

async function sharedLibraries(file: string): Promise<string[]> {
  const { stdout } = await run('ldd', [file]);
  const missing = /^\s*(\S+) => not found/m.exec(stdout);
  if (missing) throw new Error(`${file} needs ${missing[1]}, which this computer does not have.`);
  return [...stdout.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].flatMap((match) => match[1] ?? []);
}
