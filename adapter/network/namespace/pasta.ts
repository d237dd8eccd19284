/**
 * Connects the program's namespace with the rest of the network by pasta (passt.top): what the program sends leaves as this
 * user's own connections, and the address of the default gateway stands for the computer's own loopback.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../diagnostics/log.ts';
import type { NamespaceWay } from './obstacle.ts';
import { findTool, installLine } from './tools.ts';

/** Inside, what is sent here goes to the computer's own name server. Link-local, in none of the user's networks. */
export const nameForwarder = '169.254.77.53';

/** It takes a tenth of a second; on a busy computer some. */
const startMilliseconds = 5_000;
const pollMilliseconds = 20;

/** The running pasta. Disposing ends it. */
export interface Pasta extends AsyncDisposable {
  /** The address that stands for the computer's own loopback; undefined where there is no IPv4. */
  readonly computer: string | undefined;
  /** Resolves with the reason if it ends by itself. */
  readonly closed: Promise<string>;
}

/** Whether pasta is installed and may make the device that it needs. */
export function hasPasta(): boolean {
  if (findTool('pasta') === undefined || findTool('setpriv') === undefined) return false;
  try {
    accessSync('/dev/net/tun', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Attaches pasta to the network namespace of a process. Returns why not, in the user's words, if that fails. Rejects with the signal's reason. */
export async function startPasta(
  pid: number,
  way: NamespaceWay,
  log: Log,
  signal: AbortSignal,
): Promise<Pasta | string> {
  const pasta = findTool('pasta');
  const setpriv = findTool('setpriv');
  if (pasta === undefined) return `install passt: ${installLine('pasta')}`;
  if (setpriv === undefined) return `install setpriv: ${installLine('setpriv')}`;
  // Having no rights itself as soon as it runs, it may only enter what a user namespace of its own user owns.
  if (way.users === 'none') return 'pasta needs user namespaces, which are forbidden here';
  const command = [
    // It must not outlive this process, not even if that is killed.
    ...[setpriv, '--pdeathsig', 'KILL', '--'],
    ...[pasta, '--foreground', '--quiet', '--config-net'],
    // Ports are ours to open: they come and go with the program's.
    ...['--tcp-ports', 'none', '--udp-ports', 'none', '--tcp-ns', 'none', '--udp-ns', 'none'],
    ...['--dns-forward', nameForwarder],
    // Otherwise root's becomes user nobody, who may not enter.
    ...(way.users === 'all' ? ['--runas', `${process.getuid?.()}:${process.getgid?.()}`] : []),
    ...['--netns', `/proc/${pid}/ns/net`, '--userns', `/proc/${pid}/ns/user`],
  ];
  const running = new PastaProcess(command, log);
  try {
    const deadline = performance.now() + startMilliseconds;
    while (performance.now() < deadline) {
      const { hasRoute, gateway } = await defaultRoute(pid);
      if (hasRoute) return { computer: gateway, closed: running.ended, [Symbol.asyncDispose]: () => running.end() };
      const ended = await Promise.race([running.ended, delay(pollMilliseconds, undefined, { signal })]);
      if (ended !== undefined) return `pasta did not start: ${ended}`;
    }
  } catch (error) {
    await running.end();
    throw error;
  }
  await running.end();
  return `pasta did not start within ${startMilliseconds / 1000} seconds`;
}

class PastaProcess {
  /** Resolves with its last words. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;

  constructor(command: readonly string[], log: Log) {
    const [program = '', ...args] = command;
    this.#child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4_000);
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('close', (code, signal) => {
        log.write('debug', 'pasta ended', { code, signal, said });
        resolve(reason(said) || `it ended with ${signal ?? `exit code ${code}`}`);
      });
    });
  }

  async end(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

/** What it says is mostly about the system's log, if that does not run, and then the reason. */
function reason(said: string): string {
  const lines = said.split('\n').filter((line) => line !== '' && !/to syslog$/.test(line));
  const last = lines.at(-1) ?? '';
  if (!/tun socket|\/dev\/net\/tun/.test(last)) return last;
  return `${last}: this user may not open /dev/net/tun (as root: modprobe tun; chmod 0666 /dev/net/tun)`;
}

/** From /proc/PID/net/route and ipv6_route: hexadecimal, addresses of IPv4 in the order of the machine, which is little-endian. */
async function defaultRoute(pid: number): Promise<{ hasRoute: boolean; gateway: string | undefined }> {
  const [v4, v6] = await Promise.all(
    ['route', 'ipv6_route'].map((table) => readFile(`/proc/${pid}/net/${table}`, 'latin1').catch(() => '')),
  );
  for (const line of (v4 ?? '').split('\n').slice(1)) {
    const [, destination, gateway = '', , , , , mask] = line.split(/\s+/);
    if (destination !== '00000000' || mask !== '00000000') continue;
    const address = [6, 4, 2, 0].map((at) => Number.parseInt(gateway.slice(at, at + 2), 16)).join('.');
    return { hasRoute: true, gateway: gateway === '00000000' ? undefined : address };
  }
  // With IPv4 still to come, for pasta configures it first. Unreachable routes, which every namespace has, stand on lo.
  const hasRoute = (v6 ?? '').split('\n').some((line) => /^0{32} 00 /.test(line) && !/\blo$/.test(line));
  return { hasRoute, gateway: undefined };
}
