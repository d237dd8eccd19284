/**
 * Takes the connections that the cluster makes to the workload to the local program,
 * and tells the user when nothing answers there.
 */
import type { Socket } from 'node:net';
import type { Log } from '../../diagnostics/log.ts';
import { findPortOwner, listeningPorts } from '../../network/ports/ports.ts';
import type { WorkstationNetwork } from '../../network/workstation-network.ts';
import { join } from '../../tunnel/join.ts';
import type { InboundConnection } from '../../tunnel/tunnel.ts';
import type { Notice } from '../protocol.ts';
import type { Caller, Callers } from './callers.ts';
import { type Endpoint, type ProxyProtocol, proxyHeader } from './proxy-header.ts';
import type { SelfTest } from './self-test.ts';

/** A browser makes many connections at once; one notice for all of them is enough. */
const quietMilliseconds = 5_000;

export interface InboundOptions {
  /** Where the program runs. */
  readonly network: Pick<WorkstationNetwork, 'mode' | 'dialProgram'>;
  /** What the user calls the workload. */
  readonly workload: string;
  /** Container port → local port. */
  readonly ports: ReadonlyMap<number, number>;
  readonly selfTest: SelfTest;
  /** Where the open connections are kept. */
  readonly callers: Callers;
  /** The header by which the program is told who calls; undefined: none, the bytes are the caller's alone. */
  readonly proxyProtocol: ProxyProtocol | undefined;
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
    const { selfTest, ports, callers, log } = this.#options;
    const { stream, port } = connection;
    const caller = `${connection.remoteAddress}:${connection.remotePort}`;
    // A reset by the caller before or after join listens must not end this process; join reports what matters.
    stream.on('error', () => {});
    try {
      if (selfTest.running && (await selfTest.claim(stream))) return;
      const localPort = ports.get(port) ?? port;
      const socket = await this.#options.network.dialProgram(localPort);
      if (socket === undefined) {
        // With an error the caller sees a reset; without one it would look like an empty answer.
        stream.destroy(new Error(`nothing listens on local port ${localPort}`));
        log.write('debug', 'nothing listens for an inbound connection', { caller, port, localPort });
        await this.#reportUnanswered(port, localPort);
        return;
      }
      this.#introduce(connection, socket);
      const seenAs = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 };
      using _ = callers.add(callerOf(connection, seenAs));
      const details = { caller, pod: connection.pod, port, localPort, seenAs: `${seenAs.address}:${seenAs.port}` };
      log.write('debug', 'an inbound connection', details);
      await join(stream, socket);
    } catch (error) {
      log.write('debug', 'an inbound connection ended early', { caller, port, error });
      stream.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Before the first byte of the caller, the program is told who it is, if it wants to know. */
  #introduce({ remoteAddress, remotePort, localAddress, port }: InboundConnection, socket: Socket): void {
    const { proxyProtocol } = this.#options;
    if (proxyProtocol === undefined) return;
    const source = { address: remoteAddress, port: remotePort };
    socket.write(proxyHeader(proxyProtocol, source, { address: localAddress, port }));
  }

  async #reportUnanswered(port: number, localPort: number): Promise<void> {
    const now = performance.now();
    if ((this.#quietUntil.get(port) ?? 0) > now) return;
    this.#quietUntil.set(port, now + quietMilliseconds);
    const arrived = `A request for port ${port} of ${this.#options.workload} arrived, but nothing listens on 127.0.0.1:${localPort}.`;
    this.#options.notice({ level: 'warning', text: `${arrived} ${await this.#advice(port, localPort)}` });
  }

  async #advice(port: number, localPort: number): Promise<string> {
    // In a private network only the program itself is looked at.
    const owner = this.#options.network.mode === 'namespace' ? undefined : await findPortOwner(localPort);
    if (owner) return elsewhere(`${owner.name} (pid ${owner.pid})`, owner.address, localPort);
    const listening = await listeningPorts(this.#options.programs());
    const same = listening.find((each) => each.port === localPort);
    if (same) return elsewhere(`Your program (pid ${same.pid})`, same.address, localPort);
    const [first] = listening;
    if (first) {
      return `Your program (pid ${first.pid}) listens on ${first.address}:${first.port}: set "ports": { "${port}": ${first.port} } (--port ${port}:${first.port}).`;
    }
    return `Start your program, or name its port with "ports": { "${port}": PORT } (--port ${port}:PORT).`;
  }
}

function callerOf({ remoteAddress, remotePort, pod, port }: InboundConnection, seenAs: Endpoint): Caller {
  const source = { address: remoteAddress, port: remotePort };
  return { source, pod, containerPort: port, seenAs, since: new Date() };
}

function elsewhere(who: string, address: string, port: number): string {
  return `${who} listens on ${address}:${port} only: let it listen on 127.0.0.1 or on all addresses.`;
}
