/** Ports that the user's program needs on this computer and that somebody else uses: who that is. */
import { Problem } from '../../problem.ts';
import { shownCommandLine } from './command-line.ts';
import { processTable } from './own-process-table.ts';
import { assertPortFree, describeOwner, findPortOwner, hostPort, type PortOwner } from './ports.ts';
import type { ProcessTable } from './process-table.ts';

/** A process that listens on a port, as far as the system shows it. */
export interface PortHolder extends PortOwner {
  /** With secrets masked. */
  readonly commandLine: string;
  /** Opaque; the process is the same as long as this is. Empty if it is not to be seen. */
  readonly start: string;
  /** Whether it runs as the user of this process. */
  readonly own: boolean;
  /** Where else it listens. */
  readonly elsewhere: readonly string[];
}

/** A port of this computer that is in use. */
export interface PortConflict {
  readonly containerPort?: number;
  readonly port: number;
  readonly owner?: PortHolder;
}

const programAddress = '127.0.0.1';

/**
 * Tries each local port (container port → local port) by listening on it, and tells who uses those that are taken.
 * Problem privileges-needed for a port that this user may not listen on.
 */
export async function findConflicts(
  ports: ReadonlyMap<number, number>,
  signal: AbortSignal,
  table: ProcessTable = processTable(),
): Promise<readonly PortConflict[]> {
  const found: PortConflict[] = [];
  for (const [containerPort, port] of ports) {
    const conflict = await conflictOn(port, signal, table);
    if (conflict) found.push({ containerPort, ...conflict });
  }
  return found;
}

/** The conflict on one port of this computer; undefined if it is free. Problems as `findConflicts`. */
export async function conflictOn(
  port: number,
  signal: AbortSignal,
  table: ProcessTable = processTable(),
): Promise<PortConflict | undefined> {
  signal.throwIfAborted();
  if (await isFree(port)) return undefined;
  const owner = await findPortOwner(port, programAddress);
  return { port, ...(owner && { owner: await holder(owner, port, table, signal) }) };
}

/** Whether a program could listen on this port now. Problem privileges-needed if this user may not. */
export async function isFree(port: number): Promise<boolean> {
  try {
    await assertPortFree(programAddress, port);
  } catch (error) {
    if (error instanceof Problem && error.code === 'port-in-use') return false;
    throw error;
  }
  // Only Linux refuses a second listener beside one on all addresses.
  return process.platform === 'linux' || (await findPortOwner(port, programAddress)) === undefined;
}

/** The process in the user's words, with all that its end would end; not for the beginning of a sentence. */
export function describeHolder(owner: PortHolder): string {
  if (owner.pid === 0) return `a process of user ${owner.user}`;
  const also = owner.elsewhere.length > 0 ? `, which also listens on ${owner.elsewhere.join(', ')}` : '';
  return `${describeOwner(owner)}${also}`;
}

async function holder(owner: PortOwner, port: number, table: ProcessTable, signal: AbortSignal): Promise<PortHolder> {
  const facts = owner.pid === 0 ? undefined : await table.facts(owner.pid, signal);
  const others = facts === undefined ? [] : await table.listeners(undefined, signal);
  const here = hostPort(owner.address, port);
  const places = others
    .filter(({ pid }) => pid === owner.pid)
    .map((listener) => hostPort(listener.address, listener.port));
  return {
    ...owner,
    commandLine: shownCommandLine(facts?.commandLine ?? []),
    start: facts?.start ?? '',
    own: facts?.own ?? false,
    elsewhere: [...new Set(places)].filter((place) => place !== here),
  };
}
