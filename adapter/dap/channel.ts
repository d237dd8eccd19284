/**
 * One side of the proxy: framed messages in and out over two streams.
 * Liberal in what it reads (header names in any case, no blank, other headers, bad JSON skipped), strict in what it
 * writes (`Content-Length: N`, sequence numbers 1, 2, 3, …), with a measured backlog for back-pressure.
 */
import type { Readable, Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { type Message, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { parseLossless } from './json.ts';
import { isRaw, type Raw } from './message.ts';

/** Bytes that may wait in one direction before the other direction's source is paused. */
const highWater = 16 * 1024 * 1024;

/** vscode-jsonrpc's reader and writer are neutral to the protocol but typed for JSON-RPC: this carries DAP through. */
class Envelope implements Message {
  readonly jsonrpc = '2.0';
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}

/** A message ready for the wire: encoded when it is sent, so that its size is known and later changes do not show. */
class Encoded implements Message {
  readonly jsonrpc = '2.0';
  readonly bytes: Uint8Array;

  constructor(message: Raw) {
    this.bytes = Buffer.from(JSON.stringify(message));
  }
}

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
  readonly #reader: StreamMessageReader;
  readonly #writer: StreamMessageWriter;
  readonly #sent: (message: Raw) => void;
  #sequence = 0;
  #backlog = 0;
  #decoded = 0;
  #ended = false;
  #broken = false;
  #drained: PromiseWithResolvers<void> | undefined;
  #flushed: Promise<void> = Promise.resolve();

  /** `sent` sees each message that leaves, for the trace. */
  constructor(input: Readable, output: Writable, sent: (message: Raw) => void = () => {}) {
    this.#input = input;
    this.#sent = sent;
    this.#reader = new StreamMessageReader(input, {
      contentTypeDecoder: {
        name: 'application/json',
        decode: async (bytes) => {
          this.#decoded++;
          return new Envelope(parseLossless(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()));
        },
      },
    });
    // A sender that stalls in the middle of a message is no error of ours, and the timer would keep the process alive.
    this.#reader.partialMessageTimeout = 0;
    this.#writer = new StreamMessageWriter(output, {
      contentTypeEncoder: {
        name: 'application/json',
        encode: async (message) => (message instanceof Encoded ? message.bytes : new Uint8Array()),
      },
    });
  }

  listen(handlers: ChannelHandlers): void {
    this.#reader.onError((error) => handlers.unreadable(error));
    this.#writer.onError(([error]) => this.#break(error, handlers));
    this.#reader.listen((message) => {
      if (message instanceof Envelope && isRaw(message.value)) handlers.message(message.value);
      else handlers.unreadable(new Error('A message is not a JSON object.'));
    });
    // One that was paused on purpose does not flow for a listener's sake.
    this.#input.resume();
    const ended = () => void this.#end(handlers);
    this.#input.once('end', ended).once('close', ended);
  }

  /** Sends a message under our next sequence number, which is returned. Order is kept; nothing is thrown. */
  send(message: Raw): number {
    const seq = ++this.#sequence;
    const numbered = { ...message, seq };
    if (this.#broken) return seq;
    this.#sent(numbered);
    const encoded = new Encoded(numbered);
    const size = encoded.bytes.byteLength;
    this.#backlog += size;
    // A failed write is reported by the writer's onError.
    this.#flushed = this.#writer
      .write(encoded)
      .catch(() => {})
      .then(() => {
        this.#backlog -= size;
        if (this.#backlog < highWater / 2) this.#drain();
      });
    return seq;
  }

  /** Resolves when all that was sent so far was taken by the stream (or can never be). */
  flushed(): Promise<void> {
    return this.#flushed;
  }

  /** Stops reading `source` for as long as more waits to be written here than the far end takes. */
  throttle(source: Channel): void {
    if (this.#backlog < highWater || this.#broken) return;
    source.#input.pause();
    this.#drained ??= Promise.withResolvers();
    void this.#drained.promise.then(() => source.#input.resume());
  }

  #drain(): void {
    this.#drained?.resolve();
    this.#drained = undefined;
  }

  #break(error: Error, handlers: ChannelHandlers): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#drain();
    handlers.broken(error);
  }

  async #end(handlers: ChannelHandlers): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.settled();
    handlers.end();
  }

  /** Resolves when all messages that were received so far have been handled. */
  async settled(): Promise<void> {
    // The reader decodes one message per turn of the event loop.
    for (let before = -1; before !== this.#decoded; ) {
      before = this.#decoded;
      await setImmediate();
      await setImmediate();
    }
  }
}
