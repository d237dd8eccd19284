/** Two byte streams become one connection. Used by the agent and, through adapter/tunnel, by the workstation. */
import { constants, type Http2Stream } from 'node:http2';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { countUnread } from './receive-window.ts';

const isHttp2Stream = (stream: Duplex): stream is Http2Stream => 'rstCode' in stream;

/** Ends a stream at once, so that the other end sees a reset and not an end of data. */
export function reset(stream: Duplex): void {
  if (stream.destroyed) return;
  if (stream instanceof Socket) stream.resetAndDestroy();
  // Not `Http2Stream.close(code)`: that sends END_STREAM before RST_STREAM, and cut data would pass for all of it.
  else stream.destroy(new Error('the other side of the connection was reset'));
}

/** Whether the stream's reader got all there is, and the end came from the far writer and not from a reset. */
const endedWell = (stream: Duplex): boolean =>
  stream.readableEnded && !(isHttp2Stream(stream) && (stream.rstCode ?? 0) !== constants.NGHTTP2_NO_ERROR);

/**
 * Closes a stream whose data was all written but whose reader is gone. As with a closed TCP socket, the other end still
 * gets what was written and learns of the rest only when it writes.
 */
function closeWhenFlushed(stream: Duplex): void {
  const close = (): void => {
    if (stream.destroyed) return;
    if (isHttp2Stream(stream)) {
      stream.close(constants.NGHTTP2_NO_ERROR);
      // Node keeps it until what has arrived is read.
      stream.resume();
    } else stream.destroy();
  };
  if (stream.writableFinished) close();
  else stream.once('finish', close);
}

/** Bytes that may wait in a stream to be written. HTTP/2 streams share one connection, and so what may wait before it. */
const socketRoom = 256 * 1024;
const sharedRoom = 512 * 1024;
const leastRoom = 64 * 1024;
/** The HTTP/2 streams whose room is used up. */
const fullStreams = new Set<Duplex>();

const roomOf = (to: Duplex): number =>
  isHttp2Stream(to) ? Math.max(leastRoom, sharedRoom / (fullStreams.size + 1)) : socketRoom;

/**
 * As `from.pipe(to)`, but what arrives in one turn of the event loop is written at once, and the next is read before all of
 * the last is written: a pipe writes each chunk alone (a frame of HTTP/2 has 16 KiB), and waits after 64 KiB until nothing is left.
 */
function pump(from: Duplex, to: Duplex): void {
  let isCorked = false;
  let isPaused = false;
  const written = (): void => {
    if (!isPaused || to.writableLength > roomOf(to) / 2) return;
    isPaused = false;
    fullStreams.delete(to);
    from.resume();
  };
  const flush = (): void => {
    isCorked = false;
    to.uncork();
  };
  from.on('data', (chunk: Buffer) => {
    if (!isCorked) {
      isCorked = true;
      to.cork();
      setImmediate(flush);
    }
    to.write(chunk, written);
    if (to.writableLength < roomOf(to)) return;
    isPaused = true;
    if (isHttp2Stream(to)) fullStreams.add(to);
    from.pause();
  });
  to.once('close', () => fullStreams.delete(to));
  // A socket of a server that pauses on connect stays paused with a mere listener.
  from.resume();
}

/**
 * Joins two duplex streams in both directions: back-pressure by back-pressure, half-close by half-close, reset by reset.
 * Resolves when both are closed; it never rejects, since what goes wrong on one side is told to the other.
 */
export function join(a: Duplex, b: Duplex): Promise<void> {
  return new Promise((resolve) => {
    let open = 2;
    const connect = (from: Duplex, to: Duplex): void => {
      let closed = false;
      const onClose = (): void => {
        if (closed) return;
        closed = true;
        if (!endedWell(from)) reset(to);
        // A stream whose reset has NO_ERROR counts as written to the end, whatever was still to come from `to`.
        else if (!from.writableFinished || !to.readableEnded) closeWhenFlushed(to);
        open -= 1;
        if (open === 0) resolve();
      };
      // The 'close' that follows an 'error' decides; the listener keeps the error from ending the process.
      from.on('error', () => {});
      from.once('close', onClose);
      if (from.destroyed) {
        setImmediate(onClose);
        return;
      }
      if (isHttp2Stream(from)) countUnread(from);
      pump(from, to);
      // Node ends the reading of a stream that was reset, or lost with its session, before it closes it: no end of data, and
      // a socket that is being shut down cannot be reset any more.
      from.once('end', () => {
        if (endedWell(from)) to.end();
        // The far end reads no more, and Node would wait for ever until all is written.
        if (isHttp2Stream(from) && from.closed) from.destroy();
      });
    };
    connect(a, b);
    connect(b, a);
  });
}
