/**
 * JSON-RPC over a socket whose other end is not trusted: a message that is too long, or is none, ends the connection
 * before it is kept. vscode-jsonrpc itself collects whatever is announced.
 */
import type { Socket } from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';
import {
  createMessageConnection,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';

const longestHeader = 200;
const headerEnd = '\r\n\r\n';

/** A connection over the socket; the caller adds its handlers and calls `listen`. `refused` hears why the socket was destroyed. */
export function boundedChannel(
  socket: Socket,
  longestMessage: number,
  refused: (why: string) => void,
): MessageConnection {
  const gate = new MessageGate(longestMessage);
  gate.on('error', (error) => {
    refused(error.message);
    socket.destroy();
  });
  socket.pipe(gate);
  const reader = new StreamMessageReader(gate);
  // vscode-jsonrpc 10 re-arms this timer even after dispose; a half message at the end would keep the process alive.
  reader.partialMessageTimeout = 0;
  const connection = createMessageConnection(reader, new StreamMessageWriter(socket));
  connection.onError(([error]) => {
    if (socket.destroyed) return;
    refused(error.message);
    socket.destroy();
  });
  return connection;
}

/** Lets whole, well-formed headers and as many bytes as they announce pass; fails at the first that is not. */
class MessageGate extends Transform {
  readonly #longest: number;
  #header = '';
  /** Bytes of the message's body still to come. */
  #left = 0;

  constructor(longest: number) {
    super();
    this.#longest = longest;
  }

  override _transform(data: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      for (let rest = data; rest.length > 0; ) rest = this.#left > 0 ? this.#body(rest) : this.#head(rest);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #body(data: Buffer): Buffer {
    const part = data.subarray(0, this.#left);
    this.#left -= part.length;
    this.push(part);
    return data.subarray(part.length);
  }

  #head(data: Buffer): Buffer {
    const before = this.#header.length;
    this.#header += data.subarray(0, longestHeader + headerEnd.length).toString('latin1');
    const end = this.#header.indexOf(headerEnd);
    if (end < 0) {
      if (this.#header.length > longestHeader) throw new Error('what came is no message');
      return Buffer.alloc(0);
    }
    const header = this.#header.slice(0, end);
    const announced = /^content-length: ?(\d{1,12})$/im.exec(header.replaceAll('\r', ''))?.[1];
    if (announced === undefined || end > longestHeader) throw new Error('what came is no message');
    this.#left = Number(announced);
    if (this.#left === 0) throw new Error('an empty message');
    if (this.#left > this.#longest) {
      throw new Error(`a message of ${this.#left} bytes, more than the ${this.#longest} that are taken`);
    }
    this.#header = '';
    this.push(Buffer.from(header + headerEnd, 'latin1'));
    return data.subarray(end + headerEnd.length - before);
  }
}
