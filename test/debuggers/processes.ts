/** Living processes as /proc shows them; read here anew, so that the tests do not rely on what they test. */
import { readdirSync, readFileSync } from 'node:fs';

interface ProcessEntry {
  readonly pid: number;
  readonly parent: number;
  /** With the pid, this tells one process from a later one of the same number. */
  readonly started: string;
  readonly line: string;
}

function livingProcesses(): ProcessEntry[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z') return [];
      const line = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').join(' ');
      return [{ pid: Number(name), parent: Number(fields[1]), started: String(fields[19]), line }];
    } catch {
      return [];
    }
  });
}

/** A process and all that it started, as far as they live. */
export function familyOf(pid: number): ProcessEntry[] {
  const living = livingProcesses();
  const family = living.filter((one) => one.pid === pid);
  for (const one of family) family.push(...living.filter(({ parent }) => parent === one.pid));
  return family;
}

/** Those of them that still live. */
export function survivors(processes: readonly ProcessEntry[]): ProcessEntry[] {
  const living = new Map(livingProcesses().map((one) => [one.pid, one]));
  return processes.filter((one) => living.get(one.pid)?.started === one.started);
}
