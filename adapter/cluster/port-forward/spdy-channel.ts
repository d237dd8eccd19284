/** One TCP connection in the pod, over a SPDY connection of its own. */
import type { Socket } from 'node:net';
import { PodChannel, type Taken, writeBuffer } from './pod-channel.ts';
import { dataFrameLimit, dataHead, type FrameHead, headLength, ping, readHead, synStream } from './spdy-frames.ts';

/** A client's streams have odd numbers. */
const errorStream = 1;
const dataStream = 3;

/** No frame that is not data is longer, in bytes. */
const otherFrameLimit = 64 * 1024;
/** How long the far end may take to close after our end, in milliseconds. */
const goodbyeLimit = 1_000;

interface Frame {
  readonly head: FrameHead;
  left: number;
  readonly parts: Buffer[];
}

/**
 * The two streams of a port-forward (kubernetes, kubelet's portforward/httpstream.go): `error` brings a text if the connection
 * fails, `data` the bytes. The runtime reads all streams of a SPDY connection in one loop, and one that stands still stops it: a
 * second pair of streams has a connection of its own, therefore.
 */
export class SpdyChannel extends PodChannel {
  readonly #socket: Socket;
  readonly #head = Buffer.allocUnsafe(headLength);
  #headFilled = 0;
  /** The frame whose payload is being read. */
  #frame: Frame | undefined;
  #complaint = '';
  #farEnded = false;
  #endSent = false;

  /** Takes over a socket that was upgraded; `first` is what arrived with the answer. Waits for nothing before it sends. */
  constructor(socket: Socket, port: number, first: Buffer) {
    super();
    this.#socket = socket;
    socket.setNoDelay(true);
    const headers = (streamtype: string) => ({ streamtype, port: `${port}`, requestid: '0' });
    const opening = [
      synStream(errorStream, headers('error'), true),
      dataHead(errorStream, 0, true),
      synStream(dataStream, headers('data'), false),
    ];
    socket.write(Buffer.concat(opening));
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (error) => this.destroy(error));
    socket.once('close', () => {
      this.isDisconnected();
      if (!this.#farEnded) this.destroy(new Error('The port-forward was cut.'));
    });
    if (first.length > 0) this.#read(first);
  }

  protected override send(chunks: readonly Buffer[], taken: Taken): void {
    const socket = this.#socket;
    if (!socket.writable) {
      taken(new Error('The port-forward is closed.'));
      return;
    }
    const parts = frames(chunks).flatMap((frame) => [dataHead(dataStream, lengthOf(frame)), ...frame]);
    const isFull = socket.writableLength + lengthOf(parts) > writeBuffer;
    socket.cork();
    parts.forEach((part, index) => {
      socket.write(part, isFull && index === parts.length - 1 ? taken : undefined);
    });
    socket.uncork();
    if (!isFull) taken();
  }

  protected override pauseReading(): void {
    this.#socket.pause();
  }

  protected override resumeReading(): void {
    this.#socket.resume();
  }

  protected override close(): void {
    const socket = this.#socket;
    if (socket.destroyed) return;
    socket.resume();
    // If the connection just broke off, the kubelet would throw away what the runtime has not passed on.
    if (!this.#endSent && socket.writable) socket.write(dataHead(dataStream, 0, true));
    this.#endSent = true;
    if (this.#farEnded) socket.end();
    const timer = setTimeout(() => socket.destroy(), goodbyeLimit);
    socket.once('close', () => clearTimeout(timer));
  }

  #read(bytes: Buffer): void {
    try {
      let rest = bytes;
      while (rest.length > 0) {
        rest = this.#frame === undefined ? this.#readHead(rest) : this.#readPayload(this.#frame, rest);
      }
    } catch (error) {
      this.#socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #readHead(bytes: Buffer): Buffer {
    const taken = bytes.copy(this.#head, this.#headFilled);
    this.#headFilled += taken;
    if (this.#headFilled === headLength) {
      this.#headFilled = 0;
      const head = readHead(this.#head);
      if (!isData(head) && head.length > otherFrameLimit) throw new Error('A frame of the port-forward is too long.');
      this.#frame = { head, left: head.length, parts: [] };
      if (head.length === 0) this.#complete(this.#frame);
    }
    return bytes.subarray(taken);
  }

  #readPayload(frame: Frame, bytes: Buffer): Buffer {
    const payload = bytes.subarray(0, frame.left);
    frame.left -= payload.length;
    if (isData(frame.head)) this.receive(payload);
    else frame.parts.push(payload);
    if (frame.left === 0) this.#complete(frame);
    return bytes.subarray(payload.length);
  }

  #complete({ head, parts }: Frame): void {
    this.#frame = undefined;
    if (head.kind === 'ping') this.#socket.write(ping(Buffer.concat(parts)));
    if (head.kind === 'data' && head.stream === errorStream) this.#complaint += Buffer.concat(parts).toString();
    if (head.kind === 'rstStream') this.#socket.destroy(new Error('The port-forward was reset.'));
    if (head.kind === 'goAway' || (head.fin && (isData(head) || this.#complaint !== ''))) this.#farEnd();
  }

  /** The connection in the pod is closed in both directions: the runtime knows no half-close. */
  #farEnd(): void {
    if (this.#farEnded) return;
    this.#farEnded = true;
    this.finish(this.#complaint);
    this.close();
  }
}

const isData = (head: FrameHead): boolean => head.kind === 'data' && head.stream === dataStream;

const lengthOf = (parts: readonly Buffer[]): number => parts.reduce((sum, { length }) => sum + length, 0);

/** Cuts chunks, and puts them together, so that no frame is too long. */
function frames(chunks: readonly Buffer[]): readonly (readonly Buffer[])[] {
  const all: Buffer[][] = [];
  let room = 0;
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.length; ) {
      if (room === 0) {
        all.push([]);
        room = dataFrameLimit;
      }
      const part = chunk.subarray(from, from + room);
      all.at(-1)?.push(part);
      room -= part.length;
      from += part.length;
    }
  }
  return all;
}
