/**
 * How much the far end may send ahead on each stream. Used by both ends of the tunnel.
 *
 * The session's window counts what is under way only, for Node gives it back as soon as data arrives. It follows what the line
 * carries: less would leave the line idle, more only waits in buffers on the way, and everything new behind it. A stream's
 * window counts also what its reader has not taken. It shrinks as such data grows, so that all readers that stand still
 * together cost a bounded amount of memory, while one that reads may have all that the line carries.
 */
import type { Http2Session, Http2Stream } from 'node:http2';
import { type Line, LineCapacity } from './line-capacity.ts';

/** In bytes. */
export interface WindowLimits {
  /** The most that one stream may have under way or unread. */
  readonly stream: number;
  /** The most that all streams may have under way, on the fastest and longest line. */
  readonly session: number;
  /** What unread data of all streams is kept below: beyond half of it windows shrink down to `leastStreamWindow`. */
  readonly unread: number;
}

/** No stream's window is ever smaller. */
export const leastStreamWindow = 8 * 1024;
/** A stream's window while others fill the memory. */
const modestStreamWindow = 256 * 1024;
const tickMilliseconds = 100;
/** Windows that differ by less stay as they are. */
const worthwhile = 1.25;

const streamsOf = new WeakMap<Http2Session, Set<Http2Stream>>();

/** Says that a stream's data is read by a program that may stand still. */
export function countUnread(stream: Http2Stream): void {
  const { session } = stream;
  if (session === undefined) return;
  const streams = streamsOf.get(session);
  if (streams === undefined) streamsOf.set(session, new Set([stream]));
  else streams.add(stream);
}

/** What is known of a session's readers. */
export interface Unread {
  readonly streams: number;
  /** Bytes that have arrived and are not read. */
  readonly bytes: number;
  /** Streams that have such bytes. */
  readonly behind: number;
}

/** While nobody is behind the largest, else an equal part of the memory that is left for those that are. */
export function streamWindow({ streams, bytes, behind }: Unread, limits: WindowLimits): number {
  if (behind === 0) return limits.stream;
  const half = limits.unread / 2;
  const least = Math.min(modestStreamWindow, Math.max(leastStreamWindow, half / Math.max(1, streams)));
  const part = Math.max(0, half - bytes) / behind;
  return Math.round(Math.min(limits.stream, Math.max(least, part)));
}

/** Sets both windows of a session until it closes. */
export function adaptWindows(session: Http2Session, limits: WindowLimits, line: Line): void {
  const carried = new LineCapacity(line);
  let wide = carried.window(limits.session);
  // No HTTP/2 setting, and settable only on a connected session.
  session.once('connect', () => session.setLocalWindowSize(wide));
  let current = limits.stream;
  const timer = setInterval(() => {
    if (session.destroyed || session.closed) return;
    carried.look();
    const wantedWide = carried.window(limits.session);
    if (isWorthwhile(wide, wantedWide)) {
      wide = wantedWide;
      session.setLocalWindowSize(wide);
    }
    if (session.pendingSettingsAck) return;
    const wanted = streamWindow(unreadOf(session), limits);
    if (!isWorthwhile(current, wanted)) return;
    current = wanted;
    session.settings({ initialWindowSize: wanted });
  }, tickMilliseconds);
  timer.unref();
  session.once('close', () => clearInterval(timer));
}

const isWorthwhile = (now: number, wanted: number): boolean =>
  Math.max(now, wanted) > worthwhile * Math.min(now, wanted);

function unreadOf(session: Http2Session): Unread {
  const streams = streamsOf.get(session);
  let bytes = 0;
  let behind = 0;
  for (const stream of streams ?? []) {
    if (stream.destroyed) streams?.delete(stream);
    bytes += stream.readableLength;
    if (stream.readableLength > 0) behind += 1;
  }
  return { streams: streams?.size ?? 0, bytes, behind };
}
