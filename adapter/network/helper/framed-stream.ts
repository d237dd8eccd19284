/**
 * A byte stream over a Unix socket that can be reset. A Unix socket's reader cannot tell an orderly end from a writer
 * that broke off, but a TCP connection's can, and programs rely on it; so each piece has its length before it, and length 0
 * is the orderly end. A socket that closes without it was reset.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';

const headerBytes = 4;

/** Frames what is written and unframes what is read; back-pressure is the socket's. `head`: bytes that were read from it already. */
export class FramedStream extends Duplex {
  readonly #socket: Socket;
  /** Bytes still to come of the piece that is being read. */
  #left = 0;
  #header: Buffer = Buffer.alloc(0);
  #ended = false;

  constructor(socket: Socket, head: Buffer = Buffer.alloc(0)) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on('data', (data) => this.#take(data));
    socket.on('error', (error) => this.destroy(error));
    socket.once('end', () => this.#closed());
    socket.once('close', () => this.#closed());
    socket.pause();
    if (head.length > 0) this.#take(head);
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(data: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    // Length 0 would be the end.
    if (data.length === 0) {
      done();
      return;
    }
    const header = Buffer.alloc(headerBytes);
    header.writeUInt32BE(data.length);
    this.#socket.cork();
    this.#socket.write(header);
    this.#socket.write(data, done);
    this.#socket.uncork();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.write(Buffer.alloc(headerBytes), (error) => {
      if (!error) this.#socket.end();
      done(error);
    });
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #take(data: Buffer): void {
    for (let rest = data; rest.length > 0 && !this.destroyed; ) {
      if (this.#ended) {
        this.destroy(new Error('data after the end'));
      } else if (this.#left > 0) {
        const piece = rest.subarray(0, this.#left);
        rest = rest.subarray(piece.length);
        this.#left -= piece.length;
        if (!this.push(piece)) this.#socket.pause();
      } else {
        const missing = headerBytes - this.#header.length;
        this.#header = Buffer.concat([this.#header, rest.subarray(0, missing)]);
        rest = rest.subarray(missing);
        if (this.#header.length < headerBytes) return;
        this.#left = this.#header.readUInt32BE();
        this.#header = Buffer.alloc(0);
        if (this.#left === 0) {
          this.#ended = true;
          this.push(null);
          // Nothing more may come, but only a socket that is read shows its close.
          this.#socket.resume();
        }
      }
    }
  }

  /** The far end of the socket is gone, which is in order only if both directions have ended, or it has and ours may go on. */
  #closed(): void {
    const isWhole = this.#ended && (this.writableFinished || !this.#socket.destroyed);
    if (!isWhole && !this.destroyed) this.destroy(new Error('the connection was reset'));
  }
}
