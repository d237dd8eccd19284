/**
 * Names one process so that a later process with the same pid is not taken for it.
 * Used in fences of the hosts file and in lock files, which outlive a killed process.
 */
import { readFileSync } from 'node:fs';

/** A process: its pid and an opaque start time, unique for this pid across reboots where the system tells (Linux). */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
}

/** Where the start time cannot be read, liveness is judged by the pid alone. Not tried on macOS and Windows. */
const unknownStart = 'unknown';

/** The identity of this process. */
export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, start: startOf(process.pid) ?? unknownStart };
}

/** Whether this very process still runs. A zombie does not: it can undo nothing any more. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (process.platform === 'linux') return startOf(identity.pid) === identity.start;
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** proc_pid_stat(5): field 3 is the state, field 22 the start in clock ticks since boot; hence the boot id beside it. */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const ticks = fields[19];
    if (ticks === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${ticks}-${readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8)}`;
  } catch {
    return undefined;
  }
}
