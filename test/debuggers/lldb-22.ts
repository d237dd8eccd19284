/**
 * LLDB 22 beside LLDB 19: Debian's two packages of Python bindings exclude each other, so the newer one is unpacked
 * into the user's cache folder instead of being installed.
 */
import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { ClusterError } from '../cluster/error.ts';
import { privileged } from '../cluster/privileges.ts';
import type { OnProgress } from '../cluster/progress.ts';
import { run } from '../cluster/run.ts';
import { cachedFolder } from './cached.ts';

/** What is installed: LLDB 19, and with it all system libraries that LLDB 22 needs too. */
export const lldbPackages = ['lldb-19', 'libz3-4', 'libzstd1'] as const;

const unpacked = ['lldb-22', 'liblldb-22', 'python3-lldb-22', 'libllvm22', 'libclang-cpp22'] as const;

/** The path of lldb-dap 22; unpacked if it is not there or does not run. `lldbPackages` must be installed. */
export async function unpackLldb22(onProgress: OnProgress, signal?: AbortSignal): Promise<string> {
  const programIn = (folder: string) => join(folder, 'usr', 'bin', 'lldb-dap-22');
  const start = (folder: string) => run([programIn(folder), '--version'], { signal });
  const root = await cachedFolder(
    'lldb-22',
    async (folder) => {
      const ended = await start(folder).catch(() => undefined);
      signal?.throwIfAborted();
      return ended !== undefined;
    },
    async (folder) => {
      onProgress(`unpacking ${unpacked[0]}`);
      await unpack(folder, signal);
    },
  );
  // What it complains about is the best explanation.
  await start(root);
  return programIn(root);
}

async function unpack(root: string, signal: AbortSignal | undefined): Promise<void> {
  const archives = join(root, 'archives');
  await mkdir(archives);
  await download(archives, signal);
  for (const archive of await readdir(archives)) {
    await run(['dpkg-deb', '--extract', join(archives, archive), root], { signal });
  }
  await rm(archives, { recursive: true });
  // lldb-dap looks for its libraries in this folder, where Debian leaves this one to the system's loader.
  const system = (await readdir(join(root, 'usr', 'lib'))).find((name) => name.endsWith('-linux-gnu')) ?? '';
  const llvm = (await readdir(join(root, 'usr', 'lib', system))).find((name) => /^libLLVM\.so\.\d/.test(name));
  if (llvm === undefined) throw new ClusterError('The package libllvm22 is not as expected: it has no libLLVM.so.');
  await symlink(`../../${system}/${llvm}`, join(root, 'usr', 'lib', 'llvm-22', 'lib', llvm));
}

/** Needs no rights of root, unless the lists of packages are missing or out of date. */
async function download(folder: string, signal: AbortSignal | undefined): Promise<void> {
  const line = ['apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download', ...unpacked] as const;
  try {
    await run(line, { signal, cwd: folder });
  } catch {
    signal?.throwIfAborted();
    await run(privileged(['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', 'update']), { signal }).catch(() => {});
    await run(line, { signal, cwd: folder });
  }
}
