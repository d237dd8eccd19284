/**
 * Inbound traffic: connections to the container's ports are carried to the workstation, and held while its tunnel is being
 * opened again.
 */
import { type ClientHttp2Session, sensitiveHeaders } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from './join.ts';
import { Limit } from './limits.ts';
import type { AgentLog } from './log.ts';
import { destinationAddressHeader, formatAuthority, sourceAddressHeader, sourcePortHeader } from './protocol.ts';
import { carriedSocket, listenEverywhere } from './sockets.ts';

/** Listeners that carry every connection over the inbound session of the tunnel there is. */
export interface InboundListeners {
  /** The ports listened on, in the configuration's order. */
  readonly ports: readonly number[];
  /** How many connections wait for a session. */
  readonly held: number;
  /** Carries what comes from now on, and what was held, over this session. */
  use(session: ClientHttp2Session): void;
  /** The session is gone: what comes from now on waits for the next one. */
  hold(): void;
  /** Stops listening and resets what is held; connections that are carried stay. */
  close(): void;
}

/** IPv4 as such, also where it came to a listener for both families; empty if the connection is gone already. */
const plainAddress = (address: string | undefined): string => (address ?? '').replace(/^::ffff:(?=\d+\.)/, '');

function carry(socket: Socket, port: number, session: ClientHttp2Session): void {
  const stream = session.request({
    ':method': 'CONNECT',
    ':authority': formatAuthority('pod', port),
    [sourceAddressHeader]: plainAddress(socket.remoteAddress),
    [sourcePortHeader]: String(socket.remotePort ?? 0),
    [destinationAddressHeader]: plainAddress(socket.localAddress),
    // Never the same twice: kept out of the header compression table.
    [sensitiveHeaders]: [sourceAddressHeader, sourcePortHeader],
  });
  void join(socket, stream);
}

/** The connections of all ports: carried if there is a session, else held. */
class Carrier {
  #session: ClientHttp2Session | undefined;
  #closed = false;
  readonly #held = new Map<Socket, number>();
  readonly #heldLimit: Limit;

  constructor(session: ClientHttp2Session, mostHeld: number, log: AgentLog) {
    this.#session = session;
    this.#heldLimit = new Limit(mostHeld, (most) =>
      log('warn', 'connections refused', { reason: `${most} wait for the workstation already` }),
    );
  }

  get held(): number {
    return this.#held.size;
  }

  accept(socket: Socket, port: number): void {
    socket.on('error', () => {});
    const session = this.#session;
    if (this.#closed) socket.resetAndDestroy();
    else if (session !== undefined && !session.closed && !session.destroyed) carry(socket, port, session);
    else this.#hold(socket, port);
  }

  use(session: ClientHttp2Session): void {
    this.#session = session;
    const held = [...this.#held];
    this.#held.clear();
    for (const [socket, port] of held) this.accept(socket, port);
  }

  hold(): void {
    this.#session = undefined;
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#held.keys()) socket.resetAndDestroy();
    this.#held.clear();
  }

  #hold(socket: Socket, port: number): void {
    if (this.#heldLimit.reached(this.#held.size)) {
      socket.resetAndDestroy();
      return;
    }
    this.#held.set(socket, port);
    socket.once('close', () => this.#held.delete(socket));
  }
}

/**
 * Listens on all `ports`. There are listeners only while there is a tunnel or one is waited for, so that without one the
 * kernel refuses connections, as it would for a program that does not run. Rejects with the system's error; none is then
 * listening. `mostHeld`: connections that wait at most.
 */
export async function openInboundListeners(
  ports: readonly number[],
  session: ClientHttp2Session,
  mostHeld: number,
  log: AgentLog,
): Promise<InboundListeners> {
  const servers: Server[] = [];
  const carrier = new Carrier(session, mostHeld, log);
  const close = (): void => {
    for (const server of servers) if (server.listening) server.close();
    carrier.close();
  };
  const open = async (port: number): Promise<number> => {
    const server = createServer(carriedSocket);
    servers.push(server);
    let bound = port;
    server.on('connection', (socket: Socket) => carrier.accept(socket, bound));
    bound = await listenEverywhere(server, port);
    server.on('error', (error) => log('error', 'listener failed', { port: bound, reason: error.message }));
    return bound;
  };
  try {
    return {
      ports: await Promise.all(ports.map(open)),
      get held() {
        return carrier.held;
      },
      use: (next) => carrier.use(next),
      hold: () => carrier.hold(),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
