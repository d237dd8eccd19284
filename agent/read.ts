/** Reading the fixed-length parts that come before HTTP/2. */
import type { Readable } from 'node:stream';

/**
 * Reads exactly `length` bytes and leaves all that follow in the stream. Rejects if the stream ends or fails before, or
 * with the signal's reason.
 */
export function readExactly(stream: Readable, length: number, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (done: () => void): void => {
      stream.off('readable', attempt).off('end', onEnd).off('close', onEnd).off('error', onError);
      signal.removeEventListener('abort', onAbort);
      done();
    };
    const attempt = (): void => {
      const bytes: unknown = stream.read(length);
      if (bytes === null) return;
      // At its end a stream gives what is left, even if that is less.
      if (bytes instanceof Buffer && bytes.length === length) settle(() => resolve(bytes));
      else settle(() => reject(new Error('the connection ended too early')));
    };
    const onEnd = (): void => settle(() => reject(new Error('the connection ended too early')));
    const onError = (error: Error): void => settle(() => reject(error));
    const onAbort = (): void => settle(() => reject(signal.reason));
    if (signal.aborted) return onAbort();
    if (stream.readableEnded || stream.destroyed) return onEnd();
    stream.on('readable', attempt).on('end', onEnd).on('close', onEnd).on('error', onError);
    signal.addEventListener('abort', onAbort, { once: true });
    attempt();
  });
}
