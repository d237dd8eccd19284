/** The computer's own hosts file and resolv.conf, which a private network shows with changes, and whoever else answers names. */
import { existsSync, type FSWatcher, watch } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Log } from '../../diagnostics/log.ts';

/** Several events belong to one change of a file. */
const settleMilliseconds = 50;

/** The sockets of nscd and systemd-resolved, which answer from the computer's own hosts file. */
const answerers = ['/run/nscd/socket', '/var/run/nscd/socket', '/run/systemd/resolve/io.systemd.Resolve'];

/** One of the files, as it is now. */
export interface ComputerFile {
  /** Without symbolic links. */
  readonly path: string;
  readonly bytes: Buffer;
}

/** Undefined if the computer has no such file. */
export async function readComputerFile(path: '/etc/hosts' | '/etc/resolv.conf'): Promise<ComputerFile | undefined> {
  try {
    const real = await realpath(path);
    return { path: real, bytes: await readFile(real) };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The sockets that are to be hidden from programs inside. */
export async function answererSockets(): Promise<readonly string[]> {
  return [...new Set(await Promise.all(answerers.filter((path) => existsSync(path)).map((path) => realpath(path))))];
}

/**
 * Calls `changed` after one of these files was changed or replaced. The latter also takes away what is mounted over it
 * inside. Where the system has no watches left, changes are not noticed, which the log tells.
 */
export function watchComputerFiles(paths: readonly string[], changed: () => void, log: Log): Disposable {
  const names = new Set(paths.map((path) => basename(path)));
  const watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  const failed = (error: unknown) => log.write('warn', 'changes of the hosts file are not noticed', { error });
  for (const folder of new Set(paths.map((path) => dirname(path)))) {
    try {
      const watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (name !== null && !names.has(name)) return;
        clearTimeout(timer);
        timer = setTimeout(changed, settleMilliseconds);
      });
      watchers.push(watcher.on('error', failed));
    } catch (error) {
      failed(error);
    }
  }
  return {
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}
