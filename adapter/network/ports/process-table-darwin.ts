/** Processes and listeners as macOS' lsof and ps tell of them. Not tried there: their output is that of lsof 4.95 and of the manual. */
import { type CommandEnd, type RunCommand, runCommand } from '../platform/run-command.ts';
import { printable } from './command-line.ts';
import type { Listener, ProcessFacts, ProcessTable } from './process-table.ts';

export class DarwinProcessTable implements ProcessTable {
  readonly #run: RunCommand;

  constructor(run: RunCommand = runCommand) {
    this.#run = run;
  }

  async listeners(port: number | undefined, signal: AbortSignal): Promise<readonly Listener[]> {
    const what = port === undefined ? '-iTCP' : `-iTCP:${port}`;
    return parseLsof(printed(await this.#run(['lsof', '+c0', '-nP', what, '-sTCP:LISTEN', '-FpcuLtn'], signal)));
  }

  async facts(pid: number, signal: AbortSignal): Promise<ProcessFacts | undefined> {
    const columns = 'pid=,ruid=,uid=,stat=,lstart=,command=';
    return parsePs(
      printed(await this.#run(['ps', '-ww', '-o', columns, '-p', String(pid)], signal)),
      process.getuid?.(),
    );
  }

  async parents(signal: AbortSignal): Promise<ReadonlyMap<number, number>> {
    return new Map(
      printed(await this.#run(['ps', '-A', '-o', 'pid=,ppid='], signal))
        .trim()
        .split('\n')
        .map((line): [number, number] => {
          const [pid, parent] = line.trim().split(/\s+/).map(Number);
          return [pid ?? 0, parent ?? 0];
        }),
    );
  }

  async end(pid: number, how: 'gracefully' | 'by force'): Promise<void> {
    process.kill(pid, how === 'by force' ? 'SIGKILL' : 'SIGTERM');
  }
}

/** What `lsof -F pcuLtn` prints: a line a field, those of a process before those of its files. */
export function parseLsof(text: string): readonly Listener[] {
  const listeners: Listener[] = [];
  let owner = { pid: 0, name: 'a process', user: '' };
  let type = '';
  for (const line of text.split('\n')) {
    const value = line.slice(1);
    switch (line[0]) {
      case 'p':
        owner = { pid: Number(value), name: 'a process', user: '' };
        break;
      case 'c':
        owner = { ...owner, name: printable(unescaped(value)) };
        break;
      case 'u':
        owner = { ...owner, user: value };
        break;
      case 'L':
        owner = { ...owner, user: printable(value) };
        break;
      case 't':
        type = value;
        break;
      case 'n': {
        const place = /^(?:\[(?<six>[^\]]+)\]|(?<four>[^:]+)):(?<port>\d+)$/.exec(value)?.groups;
        if (place === undefined) break;
        const address = place.six ?? place.four ?? '';
        const wildcard = type === 'IPv6' ? '::' : '0.0.0.0';
        listeners.push({ ...owner, address: address === '*' ? wildcard : address, port: Number(place.port) });
        break;
      }
    }
  }
  return listeners;
}

/** What `ps -o pid=,ruid=,uid=,stat=,lstart=,command=` prints of one process, for a user. */
export function parsePs(text: string, uid: number | undefined): ProcessFacts | undefined {
  const [pid, real, effective, state, ...rest] = text.trim().split(/\s+/);
  if (pid === undefined || state === undefined || pid === '' || state.startsWith('Z')) return undefined;
  return {
    pid: Number(pid),
    start: rest.slice(0, 5).join(' '),
    own: uid !== undefined && Number(real) === uid && Number(effective) === uid,
    commandLine: rest.slice(5),
  };
}

/** lsof writes blanks and what is not printable so. */
function unescaped(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Both tools end with 1 where there is nothing to show. */
function printed({ code, stdout, stderr }: CommandEnd): string {
  if (code === undefined || code > 1) throw new Error(stderr);
  return stdout;
}
