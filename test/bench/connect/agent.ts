/** The agent as it runs in the pods of a standing session, seen from its node: how fast it started, what it costs at rest. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { agentProcess } from '../../faults/processes.ts';
import type { Subject } from './sides.ts';

/** One agent that runs. */
export interface RunningAgent {
  readonly pid: number;
  /** Milliseconds from its process to its "agent started". */
  readonly start: number;
}

const podsSchema = z.object({
  items: z.array(z.object({ metadata: z.object({ name: z.string(), uid: z.string() }) })),
});
const startedSchema = z.object({ time: z.string(), message: z.literal('agent started') });

/** All agents of the subject's pods. */
export async function runningAgents({ kubectl, namespace, name }: Subject): Promise<readonly RunningAgent[]> {
  const pods = await kubectl.json(['get', 'pods', '-n', namespace, '-l', `app=${name}`]);
  const found = podsSchema.parse(pods).items.map(async ({ metadata }): Promise<RunningAgent[]> => {
    const pid = agentProcess(metadata.uid);
    if (pid === undefined) return [];
    const log = await kubectl.run(['logs', metadata.name, '-n', namespace, '-c', name]);
    const [started] = log.split('\n').flatMap((line) => startedSchema.safeParse(json(line)).data ?? []);
    if (started === undefined) throw new Error(`the agent in ${metadata.name} does not say that it started`);
    return [{ pid, start: Date.parse(started.time) - beginOf(pid) }];
  });
  return (await Promise.all(found)).flat();
}

/** Memory now, and processor time over some seconds in which nobody uses the session. */
export async function atRest(
  agents: readonly RunningAgent[],
  seconds: number,
): Promise<readonly { readonly memory: number; readonly cpu: number }[]> {
  const before = agents.map(({ pid }) => cpuOf(pid));
  await delay(seconds * 1000);
  return agents.map(({ pid }, index) => ({
    memory: memoryOf(pid),
    cpu: ((cpuOf(pid) - (before[index] ?? 0)) / seconds) * 1000,
  }));
}

/** The kernel counts in hundredths of a second for programs, whatever it does itself. */
const ticksPerSecond = 100;

/**
 * When the kernel made the process, in milliseconds of the time of day. That is runc's fork, a moment before it becomes the
 * container's program; rounded down by at most 10 ms.
 */
function beginOf(pid: number): number {
  const [uptime = ''] = readFileSync('/proc/uptime', 'utf8').split(' ');
  const boot = Date.now() - Number(uptime) * 1000;
  return boot + (Number(statOf(pid)[19]) / ticksPerSecond) * 1000;
}

/** Seconds of processor time so far. */
function cpuOf(pid: number): number {
  const stat = statOf(pid);
  return (Number(stat[11]) + Number(stat[12])) / ticksPerSecond;
}

/** The fields of /proc/PID/stat from the third on: before it comes the name, which may hold anything. */
function statOf(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Resident memory in MiB. */
function memoryOf(pid: number): number {
  const [, kilobytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

function json(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
