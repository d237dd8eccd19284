/**
 * Acts in the namespace of the user's program: makes the way to the Services' namespace, shows private files, and connects
 * to the program. It starts the holder of the other namespace, and hands on what that one listens to.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Socket as DatagramSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { isIPv6, Server, Socket } from 'node:net';
import { join } from 'node:path';
import { BoundFile } from './bound-file.ts';
import { removeFlatFolder } from './flat-folder.ts';
import { HolderChannel } from './holder-channel.ts';
import { encodeArgument, type HolderArgument, type HolderRequest } from './holder-protocol.ts';
import type { Holder, Outcome } from './holder-role.ts';
import { programIPv6, programLinks, serviceRoutes } from './routes.ts';
import { refuse } from './services-holder.ts';
import { ShownMounts } from './shown-mounts.ts';
import { mustRun } from './tools.ts';

const never = new AbortController().signal;

export class ProgramHolder implements Holder {
  readonly #argument: HolderArgument;
  readonly #child: ChildProcess;
  readonly #services: HolderChannel;
  readonly #files = new Map<string, BoundFile>();
  readonly #mounts: ShownMounts;
  #hasIPv6 = false;

  constructor(argument: HolderArgument) {
    this.#argument = argument;
    this.#mounts = new ShownMounts(argument);
    const { tools, command } = argument;
    const other = encodeArgument({ ...argument, role: 'services' });
    this.#child = spawn(tools.unshare, ['--net', '--', ...command, 'namespace', other], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#services = new HolderChannel(this.#child);
    // Half a network is none; the daemon learns it by the end of this process.
    this.#child.once('exit', () => process.disconnect?.());
  }

  async act(request: HolderRequest): Promise<Outcome> {
    switch (request.kind) {
      case 'setUp':
        return this.#setUp(request.masks);
      case 'show':
        for (const { path, content } of request.files) await this.#show(path, Buffer.from(content, 'latin1'));
        return {};
      case 'mount':
        return { remarks: [...(await this.#mounts.show(request.mounts, request.keep))] };
      case 'route':
        await this.#route(request.add, request.remove);
        return {};
      case 'listen': {
        const { handle } = await this.#services.ask({ kind: 'listen', port: request.port }, never);
        if (!(handle instanceof Server)) throw new Error('there came no server');
        return { handle: handle.on('connection', refuse) };
      }
      case 'own':
        if (request.addresses.some(isIPv6)) await this.#enableIPv6();
        await this.#services.ask({ kind: 'own', addresses: request.addresses }, never);
        return {};
      case 'listenDatagrams': {
        const { address, port } = request;
        const { handle } = await this.#services.ask({ kind: 'listenDatagrams', address, port }, never);
        if (!(handle instanceof DatagramSocket)) throw new Error('there came no UDP socket');
        return { handle };
      }
      case 'dial':
        return { handle: await dialFirst(request.hosts, request.port) };
    }
  }

  end(): void {
    if (this.#child.connected) this.#child.disconnect();
    removeFlatFolder(this.#argument.folder);
  }

  async #setUp(masks: readonly string[]): Promise<Outcome> {
    await this.#services.started;
    const { pid } = this.#child;
    if (pid === undefined) throw new Error('the second namespace was not made');
    await this.#ip(programLinks(pid));
    await this.#services.ask({ kind: 'setUp', masks: [] }, never);
    const empty = join(this.#argument.folder, 'empty');
    writeFileSync(empty, '');
    for (const path of masks) {
      const target = await realpath(path).catch(() => undefined);
      if (target !== undefined) await mustRun(this.#argument.tools.mount, ['--bind', empty, target]);
    }
    return { lowPorts: allowLowPorts() };
  }

  async #show(path: string, content: Uint8Array): Promise<void> {
    const { folder, tools } = this.#argument;
    let file = this.#files.get(path);
    if (file === undefined) {
      file = new BoundFile({ ...tools, target: path, source: join(folder, `file-${this.#files.size}`) });
      this.#files.set(path, file);
    }
    await file.show(content);
  }

  async #route(add: readonly string[], remove: readonly string[]): Promise<void> {
    if (add.some(isIPv6)) await this.#enableIPv6();
    await this.#ip(serviceRoutes(add, remove));
  }

  async #enableIPv6(): Promise<void> {
    if (this.#hasIPv6) return;
    await this.#services.ask({ kind: 'route', add: [], remove: [] }, never);
    await this.#ip(programIPv6);
    this.#hasIPv6 = true;
  }

  #ip(input: string): Promise<void> {
    return mustRun(this.#argument.tools.ip, ['-batch', '-'], { input });
  }
}

/** Containers often have this file read-only; then programs need privileges for these ports as they do outside. */
function allowLowPorts(): boolean {
  try {
    writeFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', '0');
    return true;
  } catch {
    return false;
  }
}

async function dialFirst(hosts: readonly string[], port: number): Promise<Socket> {
  for (const [index, host] of hosts.entries()) {
    try {
      return await dial(host, port);
    } catch (error) {
      if (index === hosts.length - 1) throw error;
    }
  }
  throw new Error('no host was given');
}

function dial(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = new Socket({ allowHalfOpen: true });
    // A server that speaks first must not be read here, but by the one who gets the socket.
    socket.pause();
    socket.once('error', reject);
    socket.connect({ host, port }, () => resolve(socket));
  });
}
