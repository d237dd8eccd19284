/** JSON-RPC over a socket between the processes of this program. */
import type { Socket } from 'node:net';
import {
  createMessageConnection,
  type MessageConnection,
  SocketMessageReader,
  SocketMessageWriter,
} from 'vscode-jsonrpc/node';

/** A connection over the socket; the caller adds its handlers and calls `listen`. */
export function rpcOver(socket: Socket): MessageConnection {
  const reader = new SocketMessageReader(socket);
  // vscode-jsonrpc 10 re-arms this timer even after dispose; a half message at the end would keep the process alive.
  reader.partialMessageTimeout = 0;
  return createMessageConnection(reader, new SocketMessageWriter(socket));
}
