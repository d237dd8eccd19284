/** What the system says of the processes on the way: their CPU time and memory. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** The clock ticks in a second by which Linux counts CPU time for programs; the same on all its platforms. */
const ticksPerSecond = 100;

/** CPU time of all threads of a process so far, in seconds, user and system. */
export function cpuSeconds(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** Memory of a process that is in RAM, in KiB. */
export function residentKilobytes(pid: number): number {
  const found = /^VmRSS:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (!found) throw new Error(`process ${pid} has no memory`);
  return Number(found[1]);
}

const settleDeadline = 5_000;
const settledChange = 0.005;

/** The memory of each process once it has stopped changing: less than 0.5 % in a second; or after 5 s. */
export async function settledKilobytes(pids: readonly number[]): Promise<readonly number[]> {
  const end = Date.now() + settleDeadline;
  for (let before = pids.map(residentKilobytes); ; ) {
    await delay(1000);
    const now = pids.map(residentKilobytes);
    const isSettled = now.every((each, index) => Math.abs(each - (before[index] ?? 0)) <= each * settledChange);
    if (isSettled || Date.now() > end) return now;
    before = now;
  }
}

/** The processes beneath `ancestor` whose command line is this one. */
export function processesBeneath(ancestor: number, command: string): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandOf(pid) === command && ancestorsOf(pid).includes(ancestor));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    // It ended meanwhile.
    return '';
  }
}

function ancestorsOf(pid: number): readonly number[] {
  const found: number[] = [];
  try {
    for (let current = pid; current > 1; ) {
      current = Number(statFields(current)[1]);
      found.push(current);
    }
  } catch {
    // It ended meanwhile.
  }
  return found;
}

/** /proc/PID/stat from the third field on: the second, the name, may have blanks and parentheses of its own. */
function statFields(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
