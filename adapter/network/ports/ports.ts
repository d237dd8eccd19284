/** Who holds a port, is it free, and where do the user's processes listen. */
import { createServer } from 'node:net';
import { Problem } from '../../problem.ts';
import { isServiceAddress } from '../names/addresses.ts';
import { processTable } from './own-process-table.ts';
import type { Listener } from './process-table.ts';
import { ownersOf } from './process-table-linux.ts';
import { listeningSockets, parents, socketsOf } from './socket-table.ts';

/** Who listens on a port. */
export type PortOwner = Pick<Listener, 'pid' | 'name' | 'user' | 'address'>;

/** Tools that list sockets can hang where name services do. */
const ownerMilliseconds = 10_000;
const wildcards: readonly string[] = ['0.0.0.0', '::'];

/** Whether a listener there takes the connections to every address of this computer. */
export function isWildcard(address: string): boolean {
  return wildcards.includes(address);
}

/**
 * Who listens on this port so that `address` cannot be used too; without it on any address but those that stand for
 * Services, for there our own listeners are. For UDP only Linux tells.
 */
export async function findPortOwner(
  port: number,
  address?: string,
  protocol: 'TCP' | 'UDP' = 'TCP',
): Promise<PortOwner | undefined> {
  const conflicts = ({ address: held, port: its }: { address: string; port: number }) =>
    its === port &&
    (address === undefined ? !isServiceAddress(held) : held === address || isWildcard(held) || isWildcard(address));
  const owners =
    process.platform === 'linux'
      ? // Looking for the processes behind sockets is slow: only for those that matter.
        await ownersOf((await listeningSockets('self', protocol)).filter(conflicts).slice(0, 1))
      : protocol === 'UDP'
        ? []
        : // That a port is in use is the news; without the tools its owner stays unknown.
          (
            await processTable()
              .listeners(port, AbortSignal.timeout(ownerMilliseconds))
              .catch(() => [])
          ).filter(conflicts);
  const [owner] = owners;
  return owner && { pid: owner.pid, name: owner.name, user: owner.user, address: owner.address };
}

/** Tries to listen. Problem port-in-use names the owner; privileges-needed for a low port or an address that needs an alias. */
export async function assertPortFree(address: string, port: number): Promise<void> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ host: address, port, exclusive: true }, resolve);
    });
  } catch (error) {
    throw await listenProblem(error, address, port);
  }
  await new Promise((resolve) => server.close(resolve));
}

/** What an error of listen(2) means to the user; other errors come back as they are. */
export async function listenProblem(
  error: unknown,
  address: string,
  port: number,
  protocol: 'TCP' | 'UDP' = 'TCP',
): Promise<unknown> {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') {
    const owner = await findPortOwner(port, address, protocol);
    return new Problem(
      {
        code: 'port-in-use',
        what: `Port ${port} of ${address} is in use.`,
        why: owner ? `${describeOwner(owner)} listens on ${hostPort(owner.address, port)}.` : '',
        remedy:
          owner && isWildcard(owner.address)
            ? `Stop it, or let it listen on 127.0.0.1:${port} only.`
            : 'Stop it, or choose another local port with "ports".',
      },
      { cause: error },
    );
  }
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
    return new Problem(
      {
        code: 'privileges-needed',
        what: `This user may not listen on ${hostPort(address, port)}.`,
        why:
          code === 'EACCES'
            ? 'Ports below 1024 need privileges.'
            : 'The address has to be added to the loopback interface first, which needs privileges.',
        remedy:
          'Run kubernetes-local as root, or allow low ports to everybody: sysctl net.ipv4.ip_unprivileged_port_start=0.',
      },
      { cause: error },
    );
  }
  return error;
}

/**
 * Where these processes and their descendants listen, each address and port once, under the first process that holds it.
 * They may be in other network namespaces.
 */
export async function listeningPorts(
  pids: readonly number[],
): Promise<readonly { pid: number; address: string; port: number }[]> {
  const found = await Promise.all(
    (await withDescendants(pids)).map(async (pid) => {
      const held = await socketsOf(pid);
      const sockets = held.size === 0 ? [] : await listeningSockets(pid);
      return sockets
        .filter(({ inode }) => held.has(inode))
        .map(({ address, port }) => ({ key: hostPort(address, port), place: { pid, address, port } }));
    }),
  );
  const places = new Map<string, { pid: number; address: string; port: number }>();
  for (const { key, place } of found.flat()) if (!places.has(key)) places.set(key, place);
  return [...places.values()].sort((a, b) => a.port - b.port);
}

async function withDescendants(pids: readonly number[]): Promise<readonly number[]> {
  if (pids.length === 0) return [];
  const all = [...(await parents())];
  const tree = new Set(pids);
  // A Set visits what is added while it is visited.
  for (const pid of tree) for (const [child, parent] of all) if (parent === pid) tree.add(child);
  return [...tree];
}

/** The owner in the user's words. */
export function describeOwner(owner: PortOwner): string {
  return owner.pid === 0 ? `A process of user ${owner.user}` : `${owner.name} (pid ${owner.pid}, user ${owner.user})`;
}

/** As it is written in a URL. */
export function hostPort(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}
