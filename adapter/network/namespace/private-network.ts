/**
 * A private network of Linux for the user's program: its own names, addresses and ports, made without privileges.
 *
 * Two network namespaces in one mount namespace. In the program's, loopback is its own, so its ports collide with nobody's,
 * and only Services' addresses lead to the other one, where everything that arrives is local and our listeners stand on
 * wildcard addresses. A process of ours holds each of them, for Node cannot enter a namespace; it makes sockets there and
 * hands them to this process, which uses them as its own.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Socket as DatagramSocket } from 'node:dgram';
import { mkdtemp, rm } from 'node:fs/promises';
import { isIP, isIPv6, Socket } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Log } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import { unlessAborted, within } from '../../within.ts';
import type { ShadowedName } from '../hosts/user-entries.ts';
import { loopbacks } from '../ports/dial-loopback.ts';
import { answererSockets, readComputerFile, watchComputerFiles } from './computer-files.ts';
import { serveDial } from './dial-inside.ts';
import { halfCloseFault, keepsHalfClosed } from './half-close.ts';
import { HolderChannel } from './holder-channel.ts';
import { encodeArgument } from './holder-protocol.ts';
import { Mirror } from './mirror.ts';
import { findWay, type NamespaceWay, unavailable, unshareCommand } from './obstacle.ts';
import { nameForwarder, type Pasta, startPasta } from './pasta.ts';
import { canonical, type Place, PlaceListeners } from './place-listeners.ts';
import { prefixOf } from './prefix.ts';
import { computerName, privateHosts, privateResolver } from './private-files.ts';
import { hasIPv6 } from './routes.ts';
import type { MountRemark, ProgramMount } from './shown-mounts.ts';
import { findTool } from './tools.ts';
import { mapAllUsers } from './user-map.ts';

export interface PrivateNetworkOptions {
  readonly log: Log;
  /** How this program is started, absolute paths; `namespace ARGUMENT` is appended. */
  readonly command: readonly string[];
  /** A program inside connected to one of the places. Serves the socket to its end; half-closed states are kept. */
  accept(address: string, port: number, socket: Socket): void;
  /** Serves the datagrams that programs inside send to one of the places. Disposing closes the socket. */
  acceptDatagrams(address: string, port: number, socket: DatagramSocket): AsyncDisposable;
  /** Something to tell the user while the network stands, in full sentences. */
  notice(text: string): void;
  /** Ports of the program that are not opened on this computer's loopback. Default: none. */
  excludes?(port: number): boolean;
  /** Paths of this computer that stay as they are for programs inside, such as the user's project. */
  readonly keep?: readonly string[];
  /** Ends the opening only. */
  readonly signal: AbortSignal;
}

/** A private network. Disposing ends it; programs that still run inside keep what they have, without Services. */
export interface PrivateNetwork extends AsyncDisposable {
  /** Words before a command that make it run inside; see prefixOf. */
  readonly prefix: readonly string[];
  /** What the program cannot do inside, in full sentences. */
  readonly lost: readonly string[];
  /** Path of the socket for `dialInside`. */
  readonly dialSocket: string;
  /**
   * Makes exactly these places known, in place of the earlier ones, also to programs that run already. Returns the names
   * that lines of the user's hosts file map too. IPv6 addresses are left out where the kernel has none. RangeError for an
   * address that cannot be used; else the system's errors.
   */
  update(places: readonly Place[], signal: AbortSignal): Promise<readonly ShadowedName[]>;
  /**
   * Shows files and folders of this computer at other paths to programs inside, also to those that run already, besides what
   * was shown earlier. Nothing is made on the computer's own file system. What cannot be shown is left out with a remark.
   */
  showMounts(mounts: readonly ProgramMount[], signal: AbortSignal): Promise<readonly MountRemark[]>;
  /** A connection to the program's port, at 127.0.0.1 or ::1 inside; undefined if nothing listens there. */
  dialProgram(port: number): Promise<Socket | undefined>;
  /** A process in the program's network namespace, for its tables in /proc. */
  readonly pid: number;
  /** Resolves with the reason if it ends by itself. */
  readonly closed: Promise<string>;
}

/** Time to start two programs on a busy computer. */
const startMilliseconds = 20_000;
const endMilliseconds = 5_000;

/** Opens a private network. Problem namespace-unavailable; the signal's reason. */
export async function openPrivateNetwork(options: PrivateNetworkOptions): Promise<PrivateNetwork> {
  const way = await findWay(options.signal);
  if (way instanceof Problem) throw way;
  const deadline = AbortSignal.timeout(startMilliseconds);
  const network = new OpenNetwork(options, way, await mkdtemp(join(tmpdir(), 'kubernetes-local-namespace-')));
  try {
    await network.start(AbortSignal.any([options.signal, deadline]));
    return network;
  } catch (error) {
    await network[Symbol.asyncDispose]();
    options.signal.throwIfAborted();
    const why = deadline.aborted
      ? `It was not ready within ${startMilliseconds / 1000} seconds.`
      : network.reason(error);
    throw unavailable(why, 'Use "network": "hosts" or "env".', error);
  }
}

class OpenNetwork implements PrivateNetwork {
  readonly dialSocket: string;
  readonly closed: Promise<string>;
  readonly #options: PrivateNetworkOptions;
  readonly #way: NamespaceWay;
  readonly #folder: string;
  readonly #holder: Holder;
  readonly #listeners: PlaceListeners;
  /** Freed in reverse order; Node 22 has no AsyncDisposableStack. */
  readonly #resources: (() => void | PromiseLike<void>)[] = [];
  readonly #closed = Promise.withResolvers<string>();
  readonly #ended = new AbortController();
  readonly #lost: string[] = [];
  readonly #routed = new Set<string>();
  #places: readonly Place[] = [];
  #pasta: Pasta | undefined;
  #updating: Promise<unknown> = Promise.resolve();

  constructor(options: PrivateNetworkOptions, way: NamespaceWay, folder: string) {
    this.#options = options;
    this.#way = way;
    this.#folder = folder;
    this.dialSocket = join(folder, 'dial');
    this.closed = this.#closed.promise;
    this.#holder = new Holder(options, way, folder);
    this.#listeners = new PlaceListeners({ ...options, channel: this.#holder.channel });
    void this.#holder.ended.then(() => {
      if (!this.#ended.signal.aborted) this.#closed.resolve(this.reason(undefined));
    });
  }

  get prefix(): readonly string[] {
    return prefixOf(this.pid, this.#way);
  }

  get lost(): readonly string[] {
    return this.#lost;
  }

  get pid(): number {
    return this.#holder.pid;
  }

  /** Why it does not stand, with the holder's last words. */
  reason(error: unknown): string {
    const what = error instanceof Error ? error.message : 'The process that holds it ended.';
    return [what, this.#holder.said].filter(Boolean).join(' ');
  }

  async start(signal: AbortSignal): Promise<void> {
    const { channel } = this.#holder;
    this.#resources.push(
      () => rm(this.#folder, { recursive: true, force: true }),
      () => this.#holder.end(),
      () => this.#listeners[Symbol.asyncDispose](),
    );
    await unlessAborted(channel.started, signal);
    if (this.#way.users === 'all') await mapAllUsers(this.pid);
    const { reply } = await channel.ask({ kind: 'setUp', masks: [...(await answererSockets())] }, signal);
    if (!reply.lowPorts) this.#lost.push('The program may not listen on ports below 1024 without privileges.');
    await this.#startPasta(signal);
    const dial = (hosts: readonly string[], port: number) => this.#dial(hosts, port, this.#ended.signal);
    const dialServer = await serveDial({ path: this.dialSocket, dial: (host, port) => dial([host], port) });
    this.#resources.push(() => dialServer[Symbol.asyncDispose]());
    const { log, notice, excludes } = this.#options;
    const mirror = new Mirror({
      pid: this.pid,
      dial,
      excludes: (port) => excludes?.(port) ?? false,
      refused: (port, { why }) =>
        notice(`Port ${port} of your program is not reachable at 127.0.0.1:${port} here. ${why}`),
      log,
    });
    this.#resources.push(() => mirror[Symbol.asyncDispose]());
    await this.update([], signal);
    await this.#watchFiles();
    void this.#tryHalfClose();
  }

  update(places: readonly Place[], signal: AbortSignal): Promise<readonly ShadowedName[]> {
    return this.#enqueue(async () => {
      const usable = places.filter(({ address }) => hasIPv6() || !isIPv6(address));
      for (const { address } of usable) assertUsable(address);
      await this.#listeners.open(usable, signal);
      const wanted = new Set(usable.map(({ address }) => canonical(address)));
      await this.#route(
        [...wanted].filter((it) => !this.#routed.has(it)),
        [],
        signal,
      );
      this.#places = usable;
      const shadowed = await this.#show(signal);
      await this.#route(
        [],
        [...this.#routed].filter((it) => !wanted.has(it)),
        signal,
      );
      await this.#listeners.closeUnused();
      return shadowed;
    });
  }

  showMounts(mounts: readonly ProgramMount[], signal: AbortSignal): Promise<readonly MountRemark[]> {
    return this.#enqueue(async () => {
      const { command, keep = [] } = this.#options;
      const { XDG_RUNTIME_DIR: runtime } = process.env;
      const all = [homedir(), runtime, this.#folder, ...command, ...keep].filter(
        (path) => path !== undefined && isAbsolute(path) && path !== '/',
      );
      const plain = mounts.map(({ mountPath, localPath, readOnly }) => ({ mountPath, localPath, readOnly }));
      const request = { kind: 'mount', mounts: plain, keep: all as string[] } as const;
      const { reply } = await this.#holder.channel.ask(request, signal);
      return reply.remarks ?? [];
    });
  }

  dialProgram(port: number): Promise<Socket | undefined> {
    return this.#dial(loopbacks, port, this.#ended.signal).catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended.abort(new Error('the private network has ended'));
    for (const free of this.#resources.splice(0).reverse()) await free();
  }

  async #startPasta(signal: AbortSignal): Promise<void> {
    const pasta = await startPasta(this.pid, this.#way, this.#options.log, signal);
    if (typeof pasta === 'string') {
      this.#lost.push(notConnected(pasta));
      return;
    }
    this.#pasta = pasta;
    this.#resources.push(() => pasta[Symbol.asyncDispose]());
    void pasta.closed.then((why) => {
      if (this.#ended.signal.aborted) return;
      this.#lost.push(notConnected(`pasta ended: ${why}`));
      this.#options.notice(notConnected(`pasta ended: ${why}`));
    });
  }

  /** Behind everything else: few programs need it. */
  async #tryHalfClose(): Promise<void> {
    const computer = this.#pasta?.computer;
    if (computer === undefined) return;
    const { signal } = this.#ended;
    const { log, notice } = this.#options;
    try {
      const isKept = await keepsHalfClosed((port) => this.#dial([computer], port, signal), signal);
      if (!isKept) notice(halfCloseFault);
    } catch (error) {
      if (!signal.aborted) log.write('warn', "the computer's own loopback is not reachable from inside", { error });
    }
  }

  /** Rejects if nothing listens on any of the hosts. */
  async #dial(hosts: readonly string[], port: number, signal: AbortSignal): Promise<Socket> {
    const { handle } = await this.#holder.channel.ask({ kind: 'dial', hosts: [...hosts], port }, signal);
    if (!(handle instanceof Socket)) throw new Error('there came no connection');
    // A reset before anybody uses it must not end this process.
    handle.on('error', () => {});
    handle.allowHalfOpen = true;
    return handle.setNoDelay(true);
  }

  async #route(add: readonly string[], remove: readonly string[], signal: AbortSignal): Promise<void> {
    if (add.length + remove.length === 0) return;
    await this.#holder.channel.ask({ kind: 'route', add: [...add], remove: [...remove] }, signal);
    for (const address of add) this.#routed.add(address);
    for (const address of remove) this.#routed.delete(address);
  }

  /** Shows the computer's files as they are now with our names in them. */
  async #show(signal: AbortSignal): Promise<readonly ShadowedName[]> {
    const [hosts, resolver] = await Promise.all([readComputerFile('/etc/hosts'), readComputerFile('/etc/resolv.conf')]);
    if (hosts === undefined) throw new Error('this computer has no /etc/hosts');
    const computer = this.#pasta?.computer;
    const entries = this.#places
      .filter(({ names }) => names.length > 0)
      .map(({ address, names }) => ({ address, names }))
      .concat(computer === undefined ? [] : [{ address: computer, names: [computerName] }]);
    const { content, shadowed } = privateHosts(hosts.path, hosts.bytes, entries);
    const files = [{ path: hosts.path, content: content.toString('latin1') }];
    if (resolver !== undefined) {
      const text = privateResolver(resolver.bytes.toString('latin1'), this.#pasta && nameForwarder);
      files.push({ path: resolver.path, content: text });
    }
    await this.#holder.channel.ask({ kind: 'show', files }, signal);
    return shadowed.filter(({ name }) => name !== computerName);
  }

  async #watchFiles(): Promise<void> {
    const files = await Promise.all([readComputerFile('/etc/hosts'), readComputerFile('/etc/resolv.conf')]);
    const { log } = this.#options;
    const changed = () => {
      this.#enqueue(() => this.#show(this.#ended.signal)).catch((error: unknown) => {
        if (!this.#ended.signal.aborted) log.write('warn', 'a change of the hosts file was not taken over', { error });
      });
    };
    const watcher = watchComputerFiles(
      files.flatMap((file) => (file ? [file.path] : [])),
      changed,
      log,
    );
    this.#resources.push(() => watcher[Symbol.dispose]());
  }

  #enqueue<T>(act: () => Promise<T>): Promise<T> {
    const result = this.#updating.then(act);
    this.#updating = result.catch(() => {});
    return result;
  }
}

/** The process in the program's namespace, as this one sees it. */
class Holder {
  readonly channel: HolderChannel;
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  #said = '';

  constructor({ log, command }: PrivateNetworkOptions, way: NamespaceWay, folder: string) {
    const [program = '', ...args] = unshareCommand(way);
    const { unshare, ip, mount, umount } = way.tools;
    const pivotRoot = findTool('pivot_root');
    const argument = encodeArgument({
      role: 'program',
      command: [...command],
      tools: { unshare, ip, mount, umount, ...(pivotRoot !== undefined && { pivotRoot }) },
      folder,
    });
    // What is set for the user's program must not steer ours.
    const { NODE_OPTIONS: _, ...env } = process.env;
    this.#child = spawn(program, [...args, ...command, 'namespace', argument], {
      env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.channel = new HolderChannel(this.#child);
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-4_000);
      log.write('debug', 'the holder of the private network said', { text });
    });
    this.ended = new Promise((resolve) => {
      this.#child.once('error', () => resolve()).once('exit', () => resolve());
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the private network was not made');
    return this.#child.pid;
  }

  get said(): string {
    return this.#said.trim();
  }

  async end(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const isGone = await within(
      endMilliseconds,
      this.ended.then(() => true),
      false,
    );
    if (isGone) return;
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}

function assertUsable(address: string): void {
  const plain = canonical(address);
  if (isIP(plain) === 0 || plain.startsWith('127.') || plain === '::1') {
    throw new RangeError(`${address} cannot stand for a Service in a private network`);
  }
}

function notConnected(why: string): string {
  return `Other computers, the internet and this computer's own localhost are not reachable from the program; ${why}.`;
}
