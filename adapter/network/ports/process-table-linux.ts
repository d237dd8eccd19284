/** Processes and listeners as Linux shows them in /proc. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { printable } from './command-line.ts';
import type { Listener, ProcessFacts, ProcessTable } from './process-table.ts';
import { type ListeningSocket, listeningSockets, parents, socketsOf } from './socket-table.ts';

export class LinuxProcessTable implements ProcessTable {
  async listeners(port: number | undefined, signal: AbortSignal): Promise<readonly Listener[]> {
    const sockets = (await listeningSockets('self')).filter((socket) => port === undefined || socket.port === port);
    signal.throwIfAborted();
    return ownersOf(sockets);
  }

  async facts(pid: number): Promise<ProcessFacts | undefined> {
    const [stat, status, words] = await Promise.all(
      ['stat', 'status', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => undefined)),
    );
    // proc_pid_stat(5): the fields after the name in parentheses are plain; the first is the state, the 20th the start.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? [];
    const [state] = fields;
    if (status === undefined || state === undefined || state === 'Z' || state === 'X') return undefined;
    const uids = (/^Uid:\s+(.*)$/m.exec(status)?.[1] ?? '').split(/\s+/).map(Number);
    return {
      pid,
      start: fields[19] ?? '',
      // Real, effective, saved and of the file system: a program that changes its user belongs to neither.
      own: uids.every((uid) => uid === process.getuid?.()),
      commandLine: (words ?? '').split('\0').filter(Boolean),
    };
  }

  parents(): Promise<ReadonlyMap<number, number>> {
    return parents();
  }

  async end(pid: number, how: 'gracefully' | 'by force'): Promise<void> {
    process.kill(pid, how === 'by force' ? 'SIGKILL' : 'SIGTERM');
  }
}

/** The listeners that these sockets are. A socket that several processes hold comes once, under the first of them. */
export async function ownersOf(sockets: readonly ListeningSocket[]): Promise<readonly Listener[]> {
  if (sockets.length === 0) return [];
  const open = new Map(sockets.map((socket) => [socket.inode, socket]));
  const holders = new Map<string, number>();
  for (const name of await readdir('/proc')) {
    if (open.size === 0) break;
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    for (const inode of await socketsOf(pid)) if (open.delete(inode)) holders.set(inode, pid);
  }
  return Promise.all(
    sockets.map(async ({ address, port, uid, inode }) => {
      const pid = holders.get(inode) ?? 0;
      return { address, port, pid, name: await programName(pid), user: await userName(uid) };
    }),
  );
}

async function programName(pid: number): Promise<string> {
  const name = (await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')).trim();
  // Node names its first thread so, which says nothing about the program.
  if (name !== 'MainThread') return printable(name) || 'a process';
  return printable(basename(await readlink(`/proc/${pid}/exe`).catch(() => name)));
}

async function userName(uid: number): Promise<string> {
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const line = users.split('\n').find((it) => it.split(':')[2] === String(uid));
  return line?.split(':')[0] ?? String(uid);
}
