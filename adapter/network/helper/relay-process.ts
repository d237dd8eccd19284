/**
 * The helper's relay: takes connections and datagrams that arrived at low ports to the client's own socket. A process of the client's
 * user and not of root, so that wherever that path may lead it reaches nothing which the user could not reach himself.
 */
import { Socket as DatagramSocket } from 'node:dgram';
import { createConnection, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { join } from '../../../agent/join.ts';
import { serveDatagrams } from '../../tunnel/datagram-listener.ts';
import { WaitingStream } from '../../tunnel/waiting-stream.ts';
import { FramedStream } from './framed-stream.ts';
import { inspectRelay, meetingAddress } from './helper-meeting.ts';
import { relayName } from './helper-protocol.ts';
import { encodeRelayHeader, type RelayOrder, relayOrderSchema } from './relay-protocol.ts';

type Client = Extract<RelayOrder, { readonly directory: string }>;

/** Relays until the helper is gone. */
export function runRelay(): Promise<void> {
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => {});
  process.stderr.on('error', () => {});
  let client: Client | undefined;
  const sockets = new Set<Socket>();
  const datagrams = new Map<string, AsyncDisposable>();
  process.on('message', (message, handle) => {
    const order = relayOrderSchema.parse(message);
    if ('directory' in order) client = order;
    else if (order.kind === 'closed') {
      void datagrams.get(order.listener)?.[Symbol.asyncDispose]();
      datagrams.delete(order.listener);
    } else if (handle instanceof DatagramSocket && client !== undefined) {
      datagrams.set(order.listener, relayDatagrams(handle, order.listener, client));
    } else if (handle instanceof Socket && client !== undefined) {
      sockets.add(handle);
      handle.once('close', () => sockets.delete(handle));
      void relay(handle, order.listener, client);
    }
  });
  return new Promise((resolve) =>
    process.once('disconnect', () => {
      // The system would end them orderly, as if that were all of their data.
      for (const socket of sockets) socket.resetAndDestroy();
      for (const port of datagrams.values()) void port[Symbol.asyncDispose]();
      resolve();
    }),
  );
}

async function relay(socket: Socket, listener: string, client: Client): Promise<void> {
  // A socket that comes from another process comes without this.
  socket.allowHalfOpen = true;
  socket.setNoDelay(true);
  socket.on('error', () => {});
  try {
    await inspectRelay(client.directory, client.uid);
  } catch (error) {
    process.stderr.write(`refused a connection: ${error instanceof Error ? error.message : String(error)}\n`);
    socket.resetAndDestroy();
    return;
  }
  await join(socket, carry(listener, client));
}

/** A stream to the client for each source. */
function relayDatagrams(socket: DatagramSocket, listener: string, client: Client): AsyncDisposable {
  const dial = (): Duplex => {
    const waiting = new WaitingStream();
    inspectRelay(client.directory, client.uid).then(
      () => waiting.open(carry(listener, client)),
      (error: unknown) => waiting.destroy(error instanceof Error ? error : new Error(String(error))),
    );
    return waiting;
  };
  return serveDatagrams(socket, { dial, onError: ({ message }) => void process.stderr.write(`${message}\n`) });
}

function carry(listener: string, { directory, token }: Client): FramedStream {
  const carrier = createConnection({ path: meetingAddress(directory, relayName), allowHalfOpen: true });
  carrier.write(encodeRelayHeader({ token, listener }));
  return new FramedStream(carrier);
}
