/**
 * Ends a process of the user's that is in the way of a port. Whoever calls this has the user's consent to end this very
 * process; whatever else could make that wrong is checked here.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { PortHolder } from './conflict.ts';
import type { ProcessTable } from './process-table.ts';

const pollMilliseconds = 50;

/** Why this process is never ended from here, as a sentence; undefined if it may be. `protect`: these and their ancestors are not. */
export async function reasonToSpare(
  owner: PortHolder,
  protect: readonly number[],
  table: ProcessTable,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (owner.pid === 0 || owner.start === '') return 'Which process it is cannot be seen by this user.';
  if (owner.pid === 1) return 'It is the first process of this system.';
  if (!owner.own) return `It belongs to ${owner.user === '' ? 'another user' : `user ${owner.user}`}, not to you.`;
  const parents = await table.parents(signal);
  for (const start of [process.pid, ...protect]) {
    const seen = new Set<number>();
    for (let pid: number | undefined = start; pid !== undefined && !seen.has(pid); pid = parents.get(pid)) {
      if (pid === owner.pid) return 'It is a process of kubernetes-local, or one that started it.';
      seen.add(pid);
    }
  }
  const now = await table.facts(owner.pid, signal);
  if (now !== undefined && isKubernetesLocal(now.commandLine)) {
    return 'It is a process of kubernetes-local: end that session instead.';
  }
  return undefined;
}

/**
 * Asks or forces it to end; true when it is gone, false if it still runs after `patience` ms. Nothing is done to another
 * process that has got its pid. Errors of the system as they are.
 */
export async function endProcess(
  owner: PortHolder,
  how: 'gracefully' | 'by force',
  patience: number,
  table: ProcessTable,
  signal: AbortSignal,
): Promise<boolean> {
  const lives = async () => {
    const now = await table.facts(owner.pid, signal);
    return now !== undefined && now.start === owner.start && now.own;
  };
  if (!(await lives())) return true;
  try {
    await table.end(owner.pid, how, signal);
  } catch (error) {
    // It ended by itself in the moment between; or, on Windows, it takes no polite request, which `lives` will show.
    if (how === 'by force' && (await lives())) throw error;
  }
  const deadline = performance.now() + patience;
  while (await lives()) {
    if (performance.now() >= deadline) return false;
    await delay(pollMilliseconds, undefined, { signal });
  }
  return true;
}

/** A daemon, helper or debug adapter of another session: this very program file with one of its commands. */
function isKubernetesLocal(commandLine: readonly string[]): boolean {
  const [, script] = process.argv;
  const at = script === undefined ? -1 : commandLine.indexOf(script);
  return at >= 0 && ['daemon', 'helper', 'namespace', 'dap'].includes(commandLine[at + 1] ?? '');
}
