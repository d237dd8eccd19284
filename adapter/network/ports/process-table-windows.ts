/** Processes and listeners as Windows' netstat and CIM tell of them. Not tried there: the samples are those of their documentation. */
import { userInfo } from 'node:os';
import { z } from 'zod';
import type { Command } from '../platform/platform-commands.ts';
import { type RunCommand, runCommand } from '../platform/run-command.ts';
import { printable } from './command-line.ts';
import type { Listener, ProcessFacts, ProcessTable } from './process-table.ts';

const processesSchema = z.preprocess(
  // ConvertTo-Json makes no list of a single one.
  (value) => (Array.isArray(value) ? value : [value]),
  z.array(
    z.object({
      pid: z.int(),
      parent: z.int(),
      name: z.string().nullish(),
      start: z.string().nullish(),
      command: z.string().nullish(),
      user: z.string().nullish(),
    }),
  ),
);
type WindowsProcess = z.infer<typeof processesSchema>[number];

export class WindowsProcessTable implements ProcessTable {
  readonly #run: RunCommand;
  readonly #user: string;

  constructor(run: RunCommand = runCommand, user: string = userInfo().username) {
    this.#run = run;
    this.#user = user;
  }

  async listeners(port: number | undefined, signal: AbortSignal): Promise<readonly Listener[]> {
    const text = await this.#printed(['netstat.exe', '-ano'], signal);
    const sockets = parseNetstat(text).filter((socket) => port === undefined || socket.port === port);
    if (sockets.length === 0) return [];
    const owners = await this.#processes(
      sockets.map(({ pid }) => pid),
      signal,
    );
    const byPid = new Map(owners.map((owner) => [owner.pid, owner]));
    return sockets.map((socket) => {
      const owner = byPid.get(socket.pid);
      return { ...socket, name: printable(owner?.name ?? '') || 'a process', user: printable(owner?.user ?? '') };
    });
  }

  async facts(pid: number, signal: AbortSignal): Promise<ProcessFacts | undefined> {
    const found = (await this.#processes([pid], signal)).find((one) => one.pid === pid);
    if (found === undefined) return undefined;
    const { start, command, user } = found;
    return {
      pid,
      start: start ?? '',
      own: (user ?? '').toLowerCase() === this.#user.toLowerCase(),
      commandLine: (command ?? '').split(/\s+/).filter(Boolean),
    };
  }

  async parents(signal: AbortSignal): Promise<ReadonlyMap<number, number>> {
    return new Map((await this.#processes(undefined, signal)).map(({ pid, parent }) => [pid, parent]));
  }

  /** A console program without a window takes no polite request; taskkill then says so and nothing happens. */
  async end(pid: number, how: 'gracefully' | 'by force', signal: AbortSignal): Promise<void> {
    await this.#printed(['taskkill.exe', '/PID', String(pid), ...(how === 'by force' ? ['/F'] : [])], signal);
  }

  async #processes(pids: readonly number[] | undefined, signal: AbortSignal): Promise<readonly WindowsProcess[]> {
    const text = await this.#printed(
      ['powershell.exe', '-NoProfile', '-NonInteractive', '-Command', script(pids)],
      signal,
    );
    return text.trim() === '' ? [] : processesSchema.parse(JSON.parse(text));
  }

  async #printed(command: Command, signal: AbortSignal): Promise<string> {
    const { code, stdout, stderr } = await this.#run(command, signal);
    if (code !== 0) throw new Error(stderr || stdout);
    return stdout;
  }
}

/**
 * The listening sockets of `netstat -ano`. The word for the state is translated, so a listener is known by its missing
 * peer; UDP has no state at all.
 */
export function parseNetstat(text: string): readonly { address: string; port: number; pid: number }[] {
  return text.split('\n').flatMap((line) => {
    const [protocol, local = '', remote, ...rest] = line.trim().split(/\s+/);
    if (protocol !== 'TCP' || rest.length < 2 || (remote !== '0.0.0.0:0' && remote !== '[::]:0')) return [];
    const place = /^\[?(?<address>.+?)(?:%\d+)?\]?:(?<port>\d+)$/.exec(local)?.groups;
    if (place?.address === undefined) return [];
    return [{ address: place.address, port: Number(place.port), pid: Number(rest.at(-1)) }];
  });
}

/** Owner and command line are asked for only where few are wanted: the one takes a call for each, the other is long. */
function script(pids: readonly number[] | undefined): string {
  const filter =
    pids === undefined ? '' : ` -Filter "${[...new Set(pids)].map((pid) => `ProcessId=${pid}`).join(' or ')}"`;
  const more =
    pids === undefined
      ? ''
      : '; command = $_.CommandLine; user = (Invoke-CimMethod -InputObject $_ -MethodName GetOwner -ErrorAction SilentlyContinue).User';
  return `Get-CimInstance Win32_Process${filter} | ForEach-Object { [pscustomobject]@{ pid = $_.ProcessId; parent = $_.ParentProcessId; name = $_.Name; start = "$($_.CreationDate.Ticks)"${more} } } | ConvertTo-Json -Compress`;
}
