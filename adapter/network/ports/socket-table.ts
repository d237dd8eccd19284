/** Reads Linux' tables of sockets and processes. Elsewhere everything here is empty. */
import { readdir, readFile, readlink } from 'node:fs/promises';

/** A TCP socket that listens, or a UDP socket that takes datagrams from everybody. */
export interface ListeningSocket {
  readonly address: string;
  readonly port: number;
  readonly uid: number;
  readonly inode: string;
}

/** One end of a TCP connection. */
export interface TcpEnd {
  readonly address: string;
  readonly port: number;
}

const listening = '0A';
const established = '01';
/** TCP_CLOSE, which stands for a UDP socket that is not connected. */
const unconnected = '07';

/**
 * The listening sockets of /proc/net/tcp or tcp6, udp or udp6 (proc_net(5)): addresses are hexadecimal, each group of four
 * bytes in the order of the machine, which is little-endian wherever Node runs today; the port is in network order.
 */
export function parseSocketTable(text: string, protocol: 'TCP' | 'UDP' = 'TCP'): readonly ListeningSocket[] {
  const wanted = protocol === 'TCP' ? listening : unconnected;
  return rows(text).flatMap(({ local, state, uid, inode }) =>
    state === wanted ? [{ ...parseEnd(local), uid, inode }] : [],
  );
}

/**
 * The user of the process that holds the `near` end of an established connection, from the same tables; undefined if
 * there is none. An end that is being closed says root, whoever it belonged to.
 */
export function userOfConnection(text: string, near: TcpEnd, far: TcpEnd): number | undefined {
  const isEnd = (word: string, { address, port }: TcpEnd) => {
    // Cheaper than the address, in long tables.
    if (Number.parseInt(word.split(':')[1] ?? '', 16) !== port) return false;
    return parseEnd(word).address === address;
  };
  return rows(text).find(
    ({ local, remote, state }) => state === established && isEnd(local, near) && isEnd(remote, far),
  )?.uid;
}

/**
 * The user who holds the other end of a connection within this computer: a number; 'gone' if there is no such end
 * any more; 'unknown' where the system does not tell.
 */
export async function peerUser(near: TcpEnd, far: TcpEnd): Promise<number | 'gone' | 'unknown'> {
  if (process.platform !== 'linux') return 'unknown';
  let readable = false;
  for (const table of ['tcp', 'tcp6']) {
    const text = await readFile(`/proc/self/net/${table}`, 'latin1').catch(() => undefined);
    if (text === undefined) continue;
    readable = true;
    const uid = userOfConnection(text, near, far);
    if (uid !== undefined) return uid;
  }
  return readable ? 'gone' : 'unknown';
}

function rows(text: string) {
  return text
    .split('\n')
    .slice(1)
    .map((line) => {
      const [, local = '', remote = '', state = '', , , , uid = '', , inode = ''] = line.trim().split(/\s+/);
      return { local, remote, state, uid: Number(uid), inode };
    });
}

function parseEnd(word: string): TcpEnd {
  const [address = '', port = ''] = word.split(':');
  return { address: parseAddress(address), port: Number.parseInt(port, 16) };
}

/** All listening sockets of the network namespace of a process. */
export async function listeningSockets(
  pid: number | 'self',
  protocol: 'TCP' | 'UDP' = 'TCP',
): Promise<readonly ListeningSocket[]> {
  const names = protocol === 'TCP' ? ['tcp', 'tcp6'] : ['udp', 'udp6'];
  const tables = await Promise.all(
    names.map((table) => readFile(`/proc/${pid}/net/${table}`, 'latin1').catch(() => '')),
  );
  return tables.flatMap((text) => parseSocketTable(text, protocol));
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
