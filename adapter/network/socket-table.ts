/** Reads Linux' tables of sockets and processes. Elsewhere everything here is empty. */
import { readdir, readFile, readlink } from 'node:fs/promises';

/** A TCP socket that listens. */
export interface ListeningSocket {
  readonly address: string;
  readonly port: number;
  readonly uid: number;
  readonly inode: string;
}

const listening = '0A';

/**
 * The listening sockets of /proc/net/tcp or tcp6 (proc_net(5)): addresses are hexadecimal, each group of four bytes in the
 * order of the machine, which is little-endian wherever Node runs today; the port is in network order.
 */
export function parseSocketTable(text: string): readonly ListeningSocket[] {
  return text
    .split('\n')
    .slice(1)
    .flatMap((line): ListeningSocket[] => {
      const [, local = '', , state, , , , uid = '', , inode = ''] = line.trim().split(/\s+/);
      const [address = '', port = ''] = local.split(':');
      if (state !== listening) return [];
      return [{ address: parseAddress(address), port: Number.parseInt(port, 16), uid: Number(uid), inode }];
    });
}

/** All listening sockets of the network namespace of a process. */
export async function listeningSockets(pid: number | 'self'): Promise<readonly ListeningSocket[]> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((table) => readFile(`/proc/${pid}/net/${table}`, 'latin1').catch(() => '')),
  );
  return tables.flatMap(parseSocketTable);
}

/** Inodes of the sockets that a process holds; empty if it is gone or another user's. */
export async function socketsOf(pid: number): Promise<ReadonlySet<string>> {
  const folder = `/proc/${pid}/fd`;
  const files = await readdir(folder).catch(() => []);
  const links = await Promise.all(files.map((file) => readlink(`${folder}/${file}`).catch(() => '')));
  return new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
}

/** Every process with its parent. */
export async function parents(): Promise<ReadonlyMap<number, number>> {
  const names = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const pairs = await Promise.all(
    names.map(async (name): Promise<[number, number] | undefined> => {
      const stat = await readFile(`/proc/${name}/stat`, 'latin1').catch(() => undefined);
      // The program's name, in parentheses, may hold anything; the fields after it are plain (proc_pid_stat(5)).
      const parent = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
      return parent === undefined ? undefined : [Number(name), Number(parent)];
    }),
  );
  return new Map(pairs.filter((pair) => pair !== undefined));
}

function parseAddress(hex: string): string {
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((group) => (group.match(/../g) ?? []).reverse());
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  const text = bytes.join('');
  const mapped = /^0{20}f{4}(.{8})$/i.exec(text)?.[1];
  if (mapped !== undefined) return (mapped.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)).join('.');
  const groups = (text.match(/.{4}/g) ?? []).map((group) => Number.parseInt(group, 16).toString(16)).join(':');
  // The URL parser knows the canonical short form of an IPv6 address.
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}
