/**
 * Datagrams on a stream. UDP keeps the borders of what is sent and a stream does not, so each datagram has its length in
 * front, 2 bytes big-endian, as DNS has over TCP (RFC 1035 section 4.2.2). Used by both ends of the tunnel; it has no
 * dependencies.
 */
import type { Writable } from 'node:stream';

/** The most bytes that a UDP datagram of IPv4 carries: 65,535 less the headers of IP and UDP. */
export const largestDatagram = 65_507;
/** A stream over which so many milliseconds nothing came is closed by whichever end notices first. */
export const datagramIdleLimit = 60_000;
/** A datagram for a stream on which so many bytes wait already is dropped: UDP may lose, and must not queue. */
export const datagramQueueLimit = 256 * 1024;

const lengthBytes = 2;

/** The datagram as it goes over the stream. Throws a RangeError if it is longer than `largestDatagram`. */
export function frameDatagram(payload: Buffer): Buffer {
  if (payload.length > largestDatagram) throw new RangeError(`a datagram of ${payload.length} bytes`);
  const frame = Buffer.allocUnsafe(lengthBytes + payload.length);
  frame.writeUInt16BE(payload.length);
  payload.copy(frame, lengthBytes);
  return frame;
}

/**
 * Writes a datagram, or drops it and gives false: if `datagramQueueLimit` is reached, if the stream has ended, or if it is
 * longer than `largestDatagram`.
 */
export function sendDatagram(stream: Writable, payload: Buffer): boolean {
  if (!stream.writable || stream.writableLength >= datagramQueueLimit || payload.length > largestDatagram) return false;
  stream.write(frameDatagram(payload));
  return true;
}

/** Takes the datagrams out of a stream of frames, in whatever pieces it arrives. */
export class DatagramReader {
  readonly #onDatagram: (payload: Buffer) => void;
  /** The beginning of a frame whose end has not come. */
  #pieces: Buffer[] = [];
  #held = 0;

  /** `onDatagram` is called within `write`; the payload is a view of the chunk where it can be. */
  constructor(onDatagram: (payload: Buffer) => void) {
    this.#onDatagram = onDatagram;
  }

  /** Throws an Error at a length above `largestDatagram`: what follows cannot be read, and the stream is to be reset. */
  write(chunk: Buffer): void {
    this.#pieces.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed()) return;
    const bytes = this.#pieces.length === 1 ? chunk : Buffer.concat(this.#pieces);
    let at = 0;
    while (bytes.length - at >= lengthBytes) {
      const length = lengthOf(bytes, at);
      if (bytes.length - at < lengthBytes + length) break;
      at += lengthBytes;
      this.#onDatagram(bytes.subarray(at, at + length));
      at += length;
    }
    this.#held = bytes.length - at;
    this.#pieces = this.#held === 0 ? [] : [bytes.subarray(at)];
  }

  /** How many bytes there must be before anything can be given. */
  #needed(): number {
    const [first] = this.#pieces;
    if (first === undefined || first.length < lengthBytes) return lengthBytes;
    return lengthBytes + lengthOf(first, 0);
  }
}

function lengthOf(bytes: Buffer, at: number): number {
  const length = bytes.readUInt16BE(at);
  if (length > largestDatagram) throw new Error(`a datagram of ${length} bytes, more than UDP carries`);
  return length;
}
