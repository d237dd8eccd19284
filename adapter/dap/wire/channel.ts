/**
 * One side of the proxy: framed messages in and out over two streams.
 * Liberal in what it reads (see frames.ts), strict in what it writes (`Content-Length: N`, sequence numbers 1, 2, 3, …),
 * with a measured backlog for back-pressure. A message passes within one turn of the event loop.
 */
import type { Readable, Writable } from 'node:stream';
import { isRaw, isRequest, isResponse, type Raw } from '../message.ts';
import { Frames } from './frames.ts';
import { deepest, nestedTooDeep, parseLossless } from './json.ts';
import { readVerbatim, writeVerbatim } from './verbatim.ts';

/** Bytes that may wait in one direction before the other direction's source is paused. */
const highWater = 16 * 1024 * 1024;

export interface ChannelHandlers {
  message(message: Raw): void;
  /** No more messages will come. Called once, after the last message was handled. */
  end(): void;
  /** Something unreadable came; the messages after it are read. */
  unreadable(error: Error): void;
  /** Nothing can be written any more: the far end is gone. Called once. */
  broken(error: Error): void;
}

export class Channel {
  readonly #input: Readable;
  readonly #output: Writable;
  readonly #sent: (message: Raw) => void;
  readonly #frames = new Frames();
  #handlers: ChannelHandlers | undefined;
  #sequence = 0;
  #backlog = 0;
  #handling = false;
  #ended = false;
  #broken = false;
  #drained: PromiseWithResolvers<void> | undefined;
  #settled: PromiseWithResolvers<void> | undefined;
  /** Messages that were taken by the stream, or never can be. */
  #taken = 0;
  #flushed: { readonly sequence: number; readonly resolve: () => void }[] = [];

  /** `sent` sees each message that leaves, for the trace. */
  constructor(input: Readable, output: Writable, sent: (message: Raw) => void = () => {}) {
    this.#input = input;
    this.#output = output;
    this.#sent = sent;
    output.on('error', (error) => this.#break(error));
  }

  listen(handlers: ChannelHandlers): void {
    this.#handlers = handlers;
    const ended = () => {
      if (this.#ended) return;
      this.#ended = true;
      this.#read(handlers);
    };
    this.#input
      .on('data', (chunk: Buffer) => {
        this.#frames.push(chunk);
        this.#read(handlers);
      })
      .on('error', (error) => handlers.unreadable(error))
      .once('end', ended)
      .once('close', ended);
    // One that was paused on purpose does not flow for a listener's sake.
    this.#input.resume();
  }

  /** Sends a message under our next sequence number, which is returned. Order is kept; nothing is thrown. */
  send(message: Raw): number {
    const seq = this.#sequence + 1;
    const numbered = { ...message, seq };
    // Before anything is changed: what cannot be written must leave no gap in the numbers.
    const pieces = this.#broken ? [] : framed(numbered);
    this.#sequence = seq;
    if (this.#broken) {
      this.#taken = seq;
      return seq;
    }
    this.#sent(numbered);
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    this.#backlog += size;
    const last = pieces.pop();
    if (pieces.length > 0) this.#output.cork();
    for (const piece of pieces) this.#output.write(piece);
    this.#output.write(last, (error) => {
      this.#backlog -= size;
      this.#taken = seq;
      if (error) this.#break(error);
      if (this.#backlog < highWater / 2) this.#drain();
      this.#tellFlushed();
    });
    if (pieces.length > 0) this.#output.uncork();
    return seq;
  }

  /** Resolves when all that was sent so far was taken by the stream (or can never be). */
  flushed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#flushed.push({ sequence: this.#sequence, resolve });
    this.#tellFlushed();
    return promise;
  }

  /** Stops reading `source` for as long as more waits to be written here than the far end takes. */
  throttle(source: Channel): void {
    if (this.#backlog < highWater || this.#broken || source.#input.isPaused()) return;
    source.#input.pause();
    this.#drained ??= Promise.withResolvers();
    void this.#drained.promise.then(() => source.#input.resume());
  }

  /** Resolves when all messages that were received so far have been handled. */
  async settled(): Promise<void> {
    if (!this.#handling) return;
    this.#settled ??= Promise.withResolvers();
    await this.#settled.promise;
  }

  /**
   * Handles what has come, one message after the other. What one brings about happens before the next is looked at, and
   * none is handled inside `send`, as streams in memory would have it.
   */
  #read(handlers: ChannelHandlers): void {
    if (this.#handling) return;
    this.#handling = true;
    // Behind all microtasks, and before anything else comes in.
    queueMicrotask(() =>
      process.nextTick(() => {
        this.#handling = false;
        if (this.#next(handlers)) this.#read(handlers);
      }),
    );
  }

  /** Handles the next message; false if all have been. */
  #next(handlers: ChannelHandlers): boolean {
    const frame = this.#frames.next();
    if (frame === undefined) {
      this.#settled?.resolve();
      this.#settled = undefined;
      if (this.#ended) this.#end(handlers);
      return false;
    }
    try {
      if ('body' in frame) this.#receive(frame.body, handlers);
      else handlers.unreadable(new Error(frame.rubbish));
    } catch (error) {
      handlers.unreadable(error instanceof Error ? error : new Error(String(error)));
    }
    return true;
  }

  #receive(body: Buffer, handlers: ChannelHandlers): void {
    const verbatim = readVerbatim(body);
    if (verbatim !== undefined) {
      handlers.message(verbatim);
      return;
    }
    let value: unknown;
    const tooDeep = nestedTooDeep(body);
    try {
      value = tooDeep ? JSON.parse(body.toString()) : parseLossless(body.toString());
    } catch (error) {
      this.#frames.reread(body);
      throw new Error(`A message is not JSON: ${body.toString('utf8', 0, 200)}`, { cause: error });
    }
    if (!isRaw(value)) throw new Error('A message is not a JSON object.');
    if (!tooDeep) {
      handlers.message(value);
      return;
    }
    const why = `A message is nested more than ${deepest} levels deep.`;
    // Whoever waits for an answer gets this one.
    if (isRequest(value)) {
      const { command, seq } = value;
      this.send({ type: 'response', request_seq: Number(seq), command, success: false, message: why });
    } else if (isResponse(value)) {
      const { type, seq, request_seq } = value;
      handlers.message({ seq, type, request_seq, success: false, message: why });
    }
    throw new Error(why);
  }

  #end(handlers: ChannelHandlers): void {
    const rest = this.#frames.rest();
    if (rest !== '') handlers.unreadable(new Error(rest));
    handlers.end();
  }

  #drain(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #tellFlushed(): void {
    while (this.#flushed[0] !== undefined && this.#flushed[0].sequence <= this.#taken) this.#flushed.shift()?.resolve();
  }

  #break(error: Error): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#drain();
    this.#handlers?.broken(error);
  }
}

/** A message as it goes over the wire, in as few pieces as that takes without copying much. */
function framed(message: Raw): Buffer[] {
  const verbatim = writeVerbatim(message);
  if (verbatim !== undefined) {
    const [before, body, after] = verbatim;
    const length = Buffer.byteLength(before) + body.length + after.length;
    return [Buffer.from(`${header(length)}${before}`), body, Buffer.from(after)];
  }
  const json = JSON.stringify(message);
  const length = Buffer.byteLength(json);
  const start = header(length);
  const bytes = Buffer.allocUnsafe(start.length + length);
  bytes.write(start, 'latin1');
  bytes.write(json, start.length, 'utf8');
  return [bytes];
}

function header(length: number): string {
  return `Content-Length: ${length}\r\n\r\n`;
}
