/** The byte stream below one HTTP/2 session: counts what passes and keeps together what is written together. */
import { Duplex } from 'node:stream';

/** How much may be read ahead or wait to be written, in bytes, before back-pressure starts. */
const highWaterMark = 1024 * 1024;

/**
 * Wraps a channel of a port-forward. HTTP/2 writes a frame's header and payload apart; written to a corked channel they
 * are one websocket message, put together by a single copy.
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
      chunks.map(({ chunk }) => chunk),
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
    this.#channel.cork();
    buffers.forEach((buffer, index) => {
      this.bytesSent += buffer.length;
      this.#channel.write(buffer, index === buffers.length - 1 ? callback : undefined);
    });
    this.#channel.uncork();
  }
}
