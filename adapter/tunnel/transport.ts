/** The byte stream below one HTTP/2 session: counts what passes and makes few large writes out of many small ones. */
import { Duplex } from 'node:stream';

/**
 * Largest write in bytes. Each write becomes one websocket message, which the kubelet reads whole before it passes it on:
 * small messages cost time for each, large ones wait for their end.
 */
const largestWrite = 128 * 1024;
/** How much may be read ahead or wait to be written, in bytes, before back-pressure starts. */
const highWaterMark = 1024 * 1024;

/** Groups chunks into buffers of at most `limit` bytes, in order; a chunk above the limit stays alone. */
export function coalesce(chunks: readonly Buffer[], limit: number): Buffer[] {
  const groups: Buffer[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const chunk of chunks) {
    size += chunk.length;
    const group = groups.at(-1);
    if (group !== undefined && size <= limit) group.push(chunk);
    else {
      groups.push([chunk]);
      size = chunk.length;
    }
  }
  return groups.map((group) => (group.length === 1 && group[0] !== undefined ? group[0] : Buffer.concat(group)));
}

/**
 * Wraps a channel of a port-forward. HTTP/2 writes a frame's header and payload apart; as they are, each would be a
 * websocket message of its own.
 */
export class Transport extends Duplex {
  bytesReceived = 0;
  bytesSent = 0;
  readonly #channel: Duplex;

  constructor(channel: Duplex) {
    super({ highWaterMark });
    this.#channel = channel;
    channel.on('data', (chunk: Buffer) => {
      this.bytesReceived += chunk.length;
      if (!this.push(chunk)) channel.pause();
    });
    channel.once('end', () => this.push(null));
    channel.on('error', (error) => this.destroy(error));
    channel.once('close', () => this.destroy());
  }

  override _read(): void {
    this.#channel.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#send([chunk], callback);
  }

  override _writev(chunks: readonly { chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#send(
      coalesce(
        chunks.map(({ chunk }) => chunk),
        largestWrite,
      ),
      callback,
    );
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#channel.end();
    callback();
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#channel.destroy();
    callback(error);
  }

  #send(buffers: readonly Buffer[], callback: (error?: Error | null) => void): void {
    buffers.forEach((buffer, index) => {
      this.bytesSent += buffer.length;
      this.#channel.write(buffer, index === buffers.length - 1 ? callback : undefined);
    });
  }
}
