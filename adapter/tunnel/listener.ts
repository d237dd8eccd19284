/** A port on the workstation whose connections go into the cluster. */
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { carriedSocket } from '../../agent/sockets.ts';
import { join } from './join.ts';

export interface ListenOptions {
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** Called for each accepted connection. */
  dial(): Duplex;
  /** A dialled stream that failed; its local connection has been reset. */
  onError(error: Error): void;
  /** Ends the opening only. */
  readonly signal: AbortSignal;
}

/** A reset by the far end is an event of the connection, not a failure of ours. */
const isReset = (error: Error): boolean => 'code' in error && error.code === 'ERR_HTTP2_STREAM_ERROR';

/**
 * Listens, and joins each accepted connection to a stream of `dial`, half-close and reset carried over. Rejects with the
 * system's error, such as EADDRINUSE. Disposing stops listening and resets the open connections.
 */
export async function listen(options: ListenOptions): Promise<AsyncDisposable & { readonly port: number }> {
  options.signal.throwIfAborted();
  const sockets = new Set<Socket>();
  const server = createServer(carriedSocket, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    joinAccepted(socket, options.dial(), options.onError);
  });
  server.listen({ host: options.address, port: options.port });
  await once(server, 'listening', { signal: options.signal }).catch((error: unknown) => {
    server.close();
    throw error;
  });
  server.on('error', (error) => options.onError(error));
  const bound = server.address();
  return {
    port: typeof bound === 'object' && bound !== null ? bound.port : options.port,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.resetAndDestroy();
      await closed;
    },
  };
}

/** Joins an accepted connection to a stream, half-close and reset carried over. `onError`: the stream failed. */
export function joinAccepted(socket: Socket, stream: Duplex, onError: (error: Error) => void): void {
  stream.once('error', (error) => {
    if (!isReset(error)) onError(error);
  });
  void join(socket, stream);
}
