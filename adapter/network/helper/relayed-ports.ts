/** The client's end of the ports that the helper listens on: joins each connection from there to its listener's destination. */
import { timingSafeEqual } from 'node:crypto';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { join } from '../../../agent/join.ts';
import { FramedStream } from './framed-stream.ts';
import { readRelayHeader } from './relay-protocol.ts';

export interface RelayedListener {
  /** Opens the connection's other half. */
  dial(): Duplex;
  /** Such a connection failed. */
  onError(error: Error): void;
}

/** A reset by the far end is an event of the connection, not a failure of ours. As tunnel/listener.ts has it. */
const isReset = (error: Error): boolean => 'code' in error && error.code === 'ERR_HTTP2_STREAM_ERROR';

export class RelayedPorts {
  readonly #token: Buffer;
  readonly #listeners = new Map<string, { listener: RelayedListener; streams: Set<FramedStream> }>();

  /** Takes the connections of `server`, which lies where only this user and root can reach it. */
  constructor(server: Server, token: string) {
    this.#token = Buffer.from(token);
    server.on('connection', (socket) => void this.#accept(socket));
  }

  /** From now on connections of this listener are joined; before the helper listens, so that none comes too early. */
  add(id: string, listener: RelayedListener): void {
    this.#listeners.set(id, { listener, streams: new Set() });
  }

  /** Resets its connections. */
  remove(id: string): void {
    const known = this.#listeners.get(id);
    this.#listeners.delete(id);
    for (const stream of known?.streams ?? []) stream.destroy();
  }

  /** Resets all. */
  close(): void {
    for (const id of [...this.#listeners.keys()]) this.remove(id);
  }

  async #accept(socket: Socket): Promise<void> {
    socket.on('error', () => {});
    const read = await readRelayHeader(socket);
    const known = read && this.#isToken(read.header.token) ? this.#listeners.get(read.header.listener) : undefined;
    if (read === undefined || known === undefined) {
      socket.destroy();
      return;
    }
    const { listener, streams } = known;
    const stream = new FramedStream(socket, read.rest);
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
    const far = listener.dial();
    far.once('error', (error) => {
      if (!isReset(error)) listener.onError(error);
    });
    await join(stream, far);
  }

  #isToken(shown: string): boolean {
    const bytes = Buffer.from(shown);
    return bytes.length === this.#token.length && timingSafeEqual(bytes, this.#token);
  }
}
