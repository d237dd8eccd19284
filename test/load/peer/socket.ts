/** TCP connections of both ends: read by lines and counts, written as fast as the other side takes it. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** What a connection brings. Nothing is read from it but what is asked for. */
export class Incoming {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(socket: Socket) {
    this.#chunks = socket.iterator({ destroyOnReturn: false });
  }

  /** The next line without its end. An Error if the other side ends before. */
  async line(): Promise<string> {
    let seen = Buffer.alloc(0);
    for (;;) {
      const chunk = await this.#next();
      if (chunk === undefined) throw new Error(`the other side ended within a line: "${seen.toString('latin1')}"`);
      const end = chunk.indexOf(10);
      if (end >= 0) {
        this.#rest = chunk.subarray(end + 1);
        return Buffer.concat([seen, chunk.subarray(0, end)]).toString();
      }
      seen = Buffer.concat([seen, chunk]);
    }
  }

  /** Gives so many bytes to `use`. An Error if the other side ends before. */
  async take(length: number, use: (chunk: Buffer) => void): Promise<void> {
    for (let left = length; left > 0; ) {
      const chunk = await this.#next();
      if (chunk === undefined) throw new Error(`the other side ended ${left} bytes too early, of ${length}`);
      use(chunk.subarray(0, left));
      this.#rest = chunk.subarray(left);
      left -= Math.min(left, chunk.length);
    }
  }

  /** Gives all bytes until the other side's end to `use`; resolves with their number. */
  async all(use: (chunk: Buffer) => void): Promise<number> {
    let length = 0;
    for (;;) {
      const chunk = await this.#next();
      if (chunk === undefined) return length;
      length += chunk.length;
      use(chunk);
    }
  }

  /** Waits for the other side's end. An Error if it says anything before. */
  async end(): Promise<void> {
    const length = await this.all(() => {});
    if (length > 0) throw new Error(`the other side said ${length} bytes too much`);
  }

  async #next(): Promise<Buffer | undefined> {
    if (this.#rest.length > 0) {
      const chunk = this.#rest;
      this.#rest = Buffer.alloc(0);
      return chunk;
    }
    const { done, value } = await this.#chunks.next();
    return done ? undefined : value;
  }
}

/** Writes the chunks one by one, each when there is room. Rejects if the connection ends before. */
export async function send(socket: Socket, chunks: Iterable<Buffer>): Promise<void> {
  for (const chunk of chunks) {
    if (socket.destroyed) throw socket.errored ?? new Error('the connection is closed');
    if (!socket.write(chunk)) await drained(socket);
  }
}

/** Writes one JSON line. */
export function sendLine(socket: Socket, line: object): void {
  socket.write(`${JSON.stringify(line)}\n`);
}

/** Opens a connection that may stay half open. */
export async function open(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true });
  // After this it is seen by who reads or writes.
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

function drained(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onDrain = (): void => {
    socket.off('close', onClose);
    resolve();
  };
  const onClose = (): void => {
    socket.off('drain', onDrain);
    reject(socket.errored ?? new Error('the connection was closed while it was written to'));
  };
  socket.once('drain', onDrain).once('close', onClose);
  return promise;
}
