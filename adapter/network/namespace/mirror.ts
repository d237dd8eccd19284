/** Opens on the computer's loopback whatever port the program inside listens on, as if it ran outside. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import { join } from '../../tunnel/join.ts';
import { isWildcard, listenProblem } from '../ports/ports.ts';
import { type ListeningSocket, listeningSockets } from '../ports/socket-table.ts';

const pollMilliseconds = 200;

export interface MirrorOptions {
  /** A process inside, whose socket tables are read. */
  readonly pid: number;
  /** Connects to the first of the hosts inside where something listens; rejects if nothing does. */
  dial(hosts: readonly string[], port: number): Promise<Socket>;
  /** Ports that are never opened on the computer. */
  excludes(port: number): boolean;
  /** It cannot, because the port is taken there or needs privileges; told once, and tried again as long as the program listens. */
  refused(port: number, problem: Problem): void;
  readonly log: Log;
}

/** One port of the program, open or not yet, on the computer. */
interface Mirrored {
  hosts: readonly string[];
  readonly servers: Map<string, Server>;
  readonly sockets: Set<Socket>;
  isTold: boolean;
}

export class Mirror implements AsyncDisposable {
  readonly #options: MirrorOptions;
  readonly #ports = new Map<number, Mirrored>();
  #timer: NodeJS.Timeout | undefined;
  #polling: Promise<void> = Promise.resolve();
  #ended = false;

  constructor(options: MirrorOptions) {
    this.#options = options;
    this.#poll();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    clearTimeout(this.#timer);
    await this.#polling;
    await Promise.all([...this.#ports.keys()].map((port) => this.#close(port)));
  }

  #poll(): void {
    this.#polling = this.#look()
      .catch((error: unknown) => this.#options.log.write('warn', "the program's ports cannot be seen", { error }))
      .finally(() => {
        if (this.#ended) return;
        this.#timer = setTimeout(() => this.#poll(), pollMilliseconds);
        this.#timer.unref();
      });
  }

  async #look(): Promise<void> {
    const listening = wanted(await listeningSockets(this.#options.pid));
    for (const port of this.#ports.keys()) if (!listening.has(port)) await this.#close(port);
    for (const [port, { hosts, faces }] of listening) {
      if (this.#options.excludes(port)) continue;
      const mirrored = this.#ports.get(port) ?? { hosts, servers: new Map(), sockets: new Set(), isTold: false };
      this.#ports.set(port, mirrored);
      mirrored.hosts = hosts;
      for (const face of faces) if (!mirrored.servers.has(face)) await this.#open(port, face, mirrored);
    }
  }

  async #open(port: number, face: string, mirrored: Mirrored): Promise<void> {
    const { log, refused } = this.#options;
    const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
      mirrored.sockets.add(socket);
      socket.once('close', () => mirrored.sockets.delete(socket));
      void this.#serve(socket, port, mirrored);
    });
    try {
      server.listen({ host: face, port });
      await once(server, 'listening');
    } catch (error) {
      // That a computer has no ::1 is no news.
      if (face === '127.0.0.1' && !mirrored.isTold) {
        mirrored.isTold = true;
        refused(port, Problem.from(await listenProblem(error, face, port)));
      }
      return;
    }
    server.on('error', (error) => log.write('warn', 'a port of the program is no longer open here', { port, error }));
    mirrored.servers.set(face, server);
    log.write('debug', "a port of the program's is open here", { face, port });
  }

  async #serve(socket: Socket, port: number, mirrored: Mirrored): Promise<void> {
    const { dial, log } = this.#options;
    socket.on('error', () => {});
    try {
      await join(socket, await dial(mirrored.hosts, port));
    } catch (error) {
      log.write('debug', 'a connection to a port of the program failed', { port, error });
      socket.resetAndDestroy();
    }
  }

  /** Connections that stand outlive the listener, as they do in the program. */
  async #close(port: number): Promise<void> {
    const mirrored = this.#ports.get(port);
    this.#ports.delete(port);
    for (const server of mirrored?.servers.values() ?? []) server.close();
    if (this.#ended) for (const socket of mirrored?.sockets ?? []) socket.resetAndDestroy();
  }
}

/** For each port the addresses to dial inside and those to listen on outside. */
function wanted(
  sockets: readonly ListeningSocket[],
): ReadonlyMap<number, { readonly hosts: readonly string[]; readonly faces: readonly string[] }> {
  const ports = Map.groupBy(sockets, ({ port }) => port);
  return new Map(
    [...ports].map(([port, all]) => {
      const addresses = all.map(({ address }) => address);
      const hosts = new Set(addresses.map((it) => (it === '::' ? '::1' : isWildcard(it) ? '127.0.0.1' : it)));
      // A listener on :: takes IPv4 as well, mostly.
      const isDual = addresses.includes('::');
      const isIPv4 = isDual || addresses.some((it) => !it.includes(':'));
      const isIPv6 = isDual || addresses.some((it) => it.includes(':'));
      return [port, { hosts: [...hosts], faces: [...(isIPv4 ? ['127.0.0.1'] : []), ...(isIPv6 ? ['::1'] : [])] }];
    }),
  );
}
