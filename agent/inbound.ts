/** Inbound traffic: connections to the container's ports are carried to the workstation. */
import { type ClientHttp2Session, sensitiveHeaders } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from './join.ts';
import type { AgentLog } from './log.ts';
import { formatAuthority, sourceAddressHeader, sourcePortHeader } from './protocol.ts';
import { listenEverywhere } from './sockets.ts';

/** Listeners that carry every connection over one inbound session. */
export interface InboundListeners {
  /** The ports listened on, in the configuration's order. */
  readonly ports: readonly number[];
  /** Stops listening; connections that are open stay. */
  close(): void;
}

/** Carries one accepted connection. A session that is going away refuses it by a reset. */
function carry(socket: Socket, port: number, session: ClientHttp2Session): void {
  socket.on('error', () => {});
  if (session.closed || session.destroyed) {
    socket.resetAndDestroy();
    return;
  }
  const stream = session.request({
    ':method': 'CONNECT',
    ':authority': formatAuthority('pod', port),
    [sourceAddressHeader]: (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, ''),
    [sourcePortHeader]: String(socket.remotePort ?? 0),
    // Never the same twice: kept out of the header compression table.
    [sensitiveHeaders]: [sourceAddressHeader, sourcePortHeader],
  });
  void join(socket, stream);
}

/**
 * Listens on all `ports`. There are listeners only while there is a tunnel, so that without one the kernel refuses
 * connections, as it would for a program that does not run. Rejects with the system's error; none is then listening.
 */
export async function openInboundListeners(
  ports: readonly number[],
  session: ClientHttp2Session,
  log: AgentLog,
): Promise<InboundListeners> {
  const servers: Server[] = [];
  const close = (): void => {
    for (const server of servers) if (server.listening) server.close();
  };
  const open = async (port: number): Promise<number> => {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    servers.push(server);
    let bound = port;
    server.on('connection', (socket: Socket) => carry(socket, bound, session));
    bound = await listenEverywhere(server, port);
    server.on('error', (error) => log('error', 'listener failed', { port: bound, reason: error.message }));
    return bound;
  };
  try {
    return { ports: await Promise.all(ports.map(open)), close };
  } catch (error) {
    close();
    throw error;
  }
}
