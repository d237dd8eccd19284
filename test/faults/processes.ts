/** Processes of the product by the state folder that they serve, and those of a pod, as this computer sees them. */
import { readdirSync, readFileSync } from 'node:fs';
import { isDaemon } from '../stage/world.ts';

export interface Living {
  readonly pid: number;
  readonly command: string;
}

/** All living processes whose environment names this state folder, but zombies. */
export function processesOf(state: string): readonly Living[] {
  return numbers()
    .filter((pid) => read(`/proc/${pid}/environ`).includes(`KUBERNETES_LOCAL_STATE=${state}\0`))
    .map((pid) => ({ pid, command: read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim() }))
    .filter(({ command }) => command !== '');
}

/** The daemons of a lane's sessions; its journal may be gone before its daemon. */
export function daemonsOf({ state }: { readonly state: string }): readonly number[] {
  return processesOf(state)
    .filter(({ command }) => isDaemon(command))
    .map(({ pid }) => pid);
}

/** The process of the agent in the pod of this uid. */
export function agentProcess(uid: string): number | undefined {
  return numbers().find(
    (pid) => read(`/proc/${pid}/cgroup`).includes(uid) && read(`/proc/${pid}/cmdline`).includes('/agent/main'),
  );
}

/** Whether a signal could be sent; the process may have ended by itself. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch {
    return false;
  }
}

function numbers(): readonly number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** A process that ended meanwhile has nothing to read. */
function read(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
