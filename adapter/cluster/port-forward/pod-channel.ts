/** A TCP connection in a pod as a stream: what all ways through the API server have in common. */
import { Duplex } from 'node:stream';

/** Bytes that may wait to be sent before writers are held back. */
export const writeBuffer = 1024 * 1024;
/** Bytes that may wait for a reader before the connection is held back. */
const readBuffer = 1024 * 1024;

/** Called once when the bytes are on their way, or with why they never will be. */
export type Taken = (error?: Error | null) => void;

/**
 * Has a connection to the API server for itself. Ending it ends nothing in the pod until the whole channel is closed: kubelet and
 * runtime know no half-close.
 */
export abstract class PodChannel extends Duplex {
  bytesRead = 0;
  bytesWritten = 0;
  /** Resolves when nothing comes any more: with the reason, or undefined if the connection ended well. Never rejects. */
  readonly gone: Promise<Error | undefined>;
  /** Resolves when the connection to the API server is closed as well. */
  readonly disconnected: Promise<void>;
  readonly #resolveGone: (reason: Error | undefined) => void;
  readonly #resolveDisconnected: () => void;
  #isFull = false;
  #isPaused = false;
  #writes = false;

  constructor() {
    super({ readableHighWaterMark: readBuffer, writableHighWaterMark: writeBuffer, allowHalfOpen: true });
    ({ promise: this.gone, resolve: this.#resolveGone } = Promise.withResolvers<Error | undefined>());
    ({ promise: this.disconnected, resolve: this.#resolveDisconnected } = Promise.withResolvers<void>());
    // `gone` tells the error too; a channel that never opened has nobody who listens here.
    this.on('error', () => {});
  }

  /** Sends bytes, in this order, and calls `taken` as soon as more may be sent. */
  protected abstract send(chunks: readonly Buffer[], taken: Taken): void;
  protected abstract pauseReading(): void;
  protected abstract resumeReading(): void;
  /** Closes the connection; what was sent before still arrives. */
  protected abstract close(): void;

  /** Hands bytes to the reader. */
  protected receive(data: Buffer): void {
    if (this.destroyed || data.length === 0) return;
    this.bytesRead += data.length;
    if (this.push(data)) return;
    this.#isFull = true;
    this.#holdBack();
  }

  /** The connection in the pod has ended; `complaint`: what the error stream said, if anything. */
  protected finish(complaint: string): void {
    const error = complaint === '' ? undefined : new Error(`The port-forward failed: ${complaint}`);
    this.#resolveGone(error);
    if (this.destroyed) return;
    if (error !== undefined) this.destroy(error);
    else {
      this.push(null);
      this.end();
    }
  }

  /** The connection to the API server is closed. */
  protected isDisconnected(): void {
    this.#resolveDisconnected();
  }

  override _read(): void {
    this.#isFull = false;
    this.#letPass();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: Taken): void {
    this.#send([chunk], callback);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: Taken): void {
    this.#send(
      chunks.map(({ chunk }) => chunk),
      callback,
    );
  }

  override _destroy(error: Error | null, callback: Taken): void {
    this.#resolveGone(error ?? undefined);
    this.#isFull = false;
    this.#letPass();
    this.close();
    callback(error);
  }

  #send(chunks: readonly Buffer[], callback: Taken): void {
    for (const { length } of chunks) this.bytesWritten += length;
    this.#writes = true;
    this.send(chunks, (error) => {
      this.#writes = false;
      this.#holdBack();
      callback(error);
    });
    if (this.#writes) this.#letPass();
  }

  /**
   * Not while something waits to be sent. Node's HTTP/2 reads nothing while it writes, at both ends: if both wrote at once and
   * neither connection were read, each would wait for the other for ever. Its windows limit what piles up here.
   */
  #holdBack(): void {
    if (!this.#isFull || this.#writes || this.#isPaused || this.destroyed) return;
    this.#isPaused = true;
    this.pauseReading();
  }

  #letPass(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.resumeReading();
  }
}
