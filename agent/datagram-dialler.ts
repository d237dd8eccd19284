/** Outbound datagrams: the daemon asks for a UDP socket in the pod, see datagrams.ts for how they go over the stream. */
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import type { ServerHttp2Stream } from 'node:http2';
import { DatagramReader, datagramIdleLimit, datagramQueueLimit, sendDatagram } from './datagrams.ts';
import { reset } from './join.ts';
import type { AgentLog } from './log.ts';

export interface DatagramOptions {
  readonly log: AgentLog;
  /** Milliseconds after which a silent stream is closed. */
  readonly idleLimit?: number;
}

/**
 * Answers one CONNECT for datagrams: 200 once the name is known and the socket there, then frames in both directions until
 * either end closes the stream. Rejects with the system's error if there is no socket; nothing is answered then.
 */
export async function openDatagrams(
  stream: ServerHttp2Stream,
  { host, port }: { readonly host: string; readonly port: number },
  { log, idleLimit = datagramIdleLimit }: DatagramOptions,
): Promise<void> {
  const socket = await connected(host, port);
  if (stream.destroyed || stream.closed) {
    socket.close();
    return;
  }
  const counts = { sent: 0, received: 0, dropped: 0, refused: 0 };
  // Nothing is owed to anybody: what waits is as old as the silence.
  const idle = setTimeout(() => stream.destroy(), idleLimit);
  stream.once('close', () => {
    clearTimeout(idle);
    socket.close();
    if (counts.dropped + counts.refused > 0) log('info', 'datagrams not delivered', { host, port, ...counts });
  });
  // ICMP says that nobody listens; somebody may a moment later, so the stream stays.
  socket.on('error', () => {
    counts.refused += 1;
  });
  socket.on('message', (payload) => {
    idle.refresh();
    if (sendDatagram(stream, payload)) counts.received += 1;
    else counts.dropped += 1;
  });
  const reader = new DatagramReader((payload) => {
    if (socket.getSendQueueSize() >= datagramQueueLimit) {
      counts.dropped += 1;
      return;
    }
    counts.sent += 1;
    socket.send(payload, (error) => {
      if (error !== null) counts.refused += 1;
    });
  });
  stream.respond({ ':status': 200 });
  stream.on('data', (chunk: Buffer) => {
    idle.refresh();
    try {
      reader.write(chunk);
    } catch (error) {
      log('warn', 'datagrams refused', { host, port, reason: error instanceof Error ? error.message : String(error) });
      reset(stream);
    }
  });
  stream.once('end', () => stream.end());
  // With NO_ERROR Node would first wait until all is written that nobody reads any more.
  stream.once('aborted', () => stream.destroy());
}

/** A UDP socket that sends to and receives from this address only. Rejects with the system's error. */
async function connected(host: string, port: number): Promise<Socket> {
  const { address, family } = await lookup(host);
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', reject);
  socket.connect(port, address, resolve);
  try {
    await promise;
  } catch (error) {
    socket.close();
    throw error;
  }
  socket.off('error', reject);
  return socket;
}
