/** A connection that is being waited for: what is written is kept back until the real one is there. */
import { constants, type Http2Stream } from 'node:http2';
import { Duplex } from 'node:stream';

/**
 * Stands for a stream that comes later, with all of its behaviour: half-close, back-pressure, reset. If it does not come the
 * stream fails with that error. It has the parts of an Http2Stream by which `join` tells a reset from an end.
 */
export class WaitingStream extends Duplex {
  #inner: Duplex | undefined;
  #opened: (() => void) | undefined;

  constructor() {
    // It is over when the real one is: that one's last word may be a reset behind all of its data.
    super({ allowHalfOpen: true, autoDestroy: false });
  }

  /** As in Http2Stream: the code of a reset. */
  get rstCode(): number {
    const inner = this.#inner;
    return inner !== undefined && isHttp2(inner) ? (inner.rstCode ?? 0) : constants.NGHTTP2_NO_ERROR;
  }

  /** As in Http2Stream: ends both directions, without a reset if the code is NO_ERROR. */
  close(code: number): void {
    const inner = this.#inner;
    if (inner !== undefined && isHttp2(inner) && !inner.destroyed) inner.close(code);
    else this.destroy();
  }

  /** The real stream is here. */
  open(inner: Duplex): void {
    if (this.destroyed) {
      inner.on('error', () => {}).destroy(new Error('nobody waits for this connection any more'));
      return;
    }
    this.#inner = inner;
    inner.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) inner.pause();
    });
    // A reset stream ends its reading before it closes; that is no end of data.
    inner.once('end', () => {
      if (this.rstCode === constants.NGHTTP2_NO_ERROR) this.push(null);
      // As in `join`: the far end reads no more.
      if (isHttp2(inner) && inner.closed) inner.destroy();
    });
    inner.once('error', (error) => this.destroy(error));
    inner.once('close', () => {
      // What arrived in order is still to be read.
      if (inner.readableEnded && this.rstCode === constants.NGHTTP2_NO_ERROR && !this.readableEnded) {
        this.once('end', () => this.destroy());
      } else this.destroy();
    });
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.();
  }

  override _read(): void {
    this.#inner?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#whenOpen((inner) => {
      if (inner.write(chunk)) callback();
      else inner.once('drain', callback);
    });
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#whenOpen((inner) => inner.end(callback));
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (error !== null) this.#inner?.destroy(error);
    else this.#inner?.destroy();
    callback(error);
  }

  /** One write or the end waits at a time: Node asks for the next when it is called back. */
  #whenOpen(act: (inner: Duplex) => void): void {
    const inner = this.#inner;
    if (inner !== undefined) act(inner);
    else this.#opened = () => this.#inner && act(this.#inner);
  }
}

const isHttp2 = (stream: Duplex): stream is Http2Stream => 'rstCode' in stream;
