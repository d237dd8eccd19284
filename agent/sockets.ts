/** Listening on every address the pod has, and what is common to the sockets of both ends of the tunnel. */
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';

/**
 * A connection whose other end is gone without a word ends some minutes later, and with it its stream of the tunnel. A program that is only silent is not touched: its system answers for it.
 */
export const carriedSocket = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 120_000,
} as const;

/**
 * Listens on `port` on all IPv6 and IPv4 addresses, or on IPv4 alone where the node has no IPv6. Resolves with the port.
 * Rejects with the system's error, such as EADDRINUSE.
 */
export async function listenEverywhere(server: Server, port: number): Promise<number> {
  try {
    return await listenOn(server, port, '::');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    return await listenOn(server, port, '0.0.0.0');
  }
}

/** Listens on one address. Resolves with the port, which the system chose if it was 0. */
export async function listenOn(server: Server, port: number, address: string): Promise<number> {
  server.listen({ port, host: address });
  await once(server, 'listening');
  const bound: AddressInfo | string | null = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : port;
}
