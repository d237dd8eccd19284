/**
 * Takes the connections that the cluster makes to the workload to the local program,
 * and tells the user when nothing answers there.
 */
import { connect, type Socket } from 'node:net';
import type { Log } from '../diagnostics/log.ts';
import { findPortOwner, listeningPorts } from '../network/ports/ports.ts';
import { join } from '../tunnel/join.ts';
import type { InboundConnection } from '../tunnel/tunnel.ts';
import type { Notice } from './protocol.ts';
import type { SelfTest } from './self-test.ts';

/** `localhost` of programs that listen on IPv4 or on IPv6 only. */
const loopbacks = ['127.0.0.1', '::1'] as const;
/** A browser makes many connections at once; one notice for all of them is enough. */
const quietMilliseconds = 5_000;

export interface InboundOptions {
  /** What the user calls the workload. */
  readonly workload: string;
  /** Container port → local port. */
  readonly ports: ReadonlyMap<number, number>;
  readonly selfTest: SelfTest;
  /** Process ids of the user's program, as far as they are known. */
  programs(): readonly number[];
  notice(notice: Notice): void;
  readonly log: Log;
}

/** Joins each inbound connection to the local port that its container port stands for. */
export class Inbound {
  readonly #options: InboundOptions;
  readonly #quietUntil = new Map<number, number>();

  constructor(options: InboundOptions) {
    this.#options = options;
  }

  /** Serves one connection to its end. Never rejects: what goes wrong is the caller's reset and the user's notice. */
  async accept(connection: InboundConnection): Promise<void> {
    const { selfTest, ports, log } = this.#options;
    const { stream, port } = connection;
    // A reset by the caller before or after join listens must not end this process; join reports what matters.
    stream.on('error', () => {});
    try {
      if (selfTest.running && (await selfTest.claim(stream))) return;
      const localPort = ports.get(port) ?? port;
      const socket = await this.#dial(localPort);
      if (socket === undefined) {
        // With an error the caller sees a reset; without one it would look like an empty answer.
        stream.destroy(new Error(`nothing listens on local port ${localPort}`));
        await this.#reportUnanswered(port, localPort);
        return;
      }
      await join(stream, socket);
    } catch (error) {
      log.write('debug', 'an inbound connection ended early', { port, error });
      stream.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  async #dial(port: number): Promise<Socket | undefined> {
    for (const host of loopbacks) {
      const socket = await dialled(host, port);
      if (socket) return socket;
    }
    return undefined;
  }

  async #reportUnanswered(port: number, localPort: number): Promise<void> {
    const now = Date.now();
    if ((this.#quietUntil.get(port) ?? 0) > now) return;
    this.#quietUntil.set(port, now + quietMilliseconds);
    const arrived = `A request for port ${port} of ${this.#options.workload} arrived, but nothing listens on 127.0.0.1:${localPort}.`;
    this.#options.notice({ level: 'warning', text: `${arrived} ${await this.#advice(port, localPort)}` });
  }

  async #advice(port: number, localPort: number): Promise<string> {
    const owner = await findPortOwner(localPort);
    if (owner) {
      return `${owner.name} (pid ${owner.pid}) listens on ${owner.address}:${localPort} only: let it listen on 127.0.0.1 or on all addresses.`;
    }
    const listening = await listeningPorts(this.#options.programs());
    const [first] = listening;
    if (first) {
      return `Your program (pid ${first.pid}) listens on ${first.address}:${first.port}: set "ports": { "${port}": ${first.port} } (--port ${port}:${first.port}).`;
    }
    return `Start your program, or name its port with "ports": { "${port}": PORT } (--port ${port}:PORT).`;
  }
}

function dialled(host: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
    socket.once('connect', () => {
      socket.off('error', refused);
      resolve(socket);
    });
    const refused = () => resolve(undefined);
    socket.once('error', refused);
  });
}
