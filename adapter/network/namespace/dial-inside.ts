/**
 * How other processes of this user (the debug adapter) reach ports inside: a Unix socket in a folder of this user alone.
 * One line of JSON says where to, `ok` or the reason comes back on a line, and then the connection's bytes.
 */
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createConnection, createServer, isIP, type Socket } from 'node:net';
import { z } from 'zod';
import { join } from '../../tunnel/join.ts';
import { unlessAborted } from '../../within.ts';

const questionSchema = z.strictObject({
  host: z.string().refine((text) => isIP(text) !== 0, 'not an IP address'),
  port: z.number().int().min(1).max(65_535),
});

/** No question and no answer is longer, in bytes. */
const longestLine = 4_096;
/** Who connects asks at once. */
const questionMilliseconds = 10_000;

export interface DialServerOptions {
  readonly path: string;
  /** Connects inside; rejects with the reason. */
  dial(host: string, port: number): Promise<Socket>;
}

/**
 * Listens at `path`, for this user alone. Rejects with the system's error. Disposing stops listening; connections end by
 * themselves, for a debugger still has to say goodbye when the session is being undone.
 */
export async function serveDial(options: DialServerOptions): Promise<AsyncDisposable> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on('error', () => {});
    void answer(socket, options);
  });
  server.listen(options.path);
  await once(server, 'listening');
  await chmod(options.path, 0o600);
  return {
    [Symbol.asyncDispose]: async () => {
      server.close();
    },
  };
}

async function answer(socket: Socket, { dial }: DialServerOptions): Promise<void> {
  try {
    const line = await readLine(socket, AbortSignal.timeout(questionMilliseconds));
    const { host, port } = questionSchema.parse(JSON.parse(line));
    const inside = await dial(host, port);
    socket.write('ok\n');
    await join(socket, inside);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    socket.end(`${text.replaceAll('\n', ' ').slice(0, longestLine / 4)}\n`);
  }
}

/**
 * A connection to a port inside, by the socket of `PrivateNetwork.dialSocket`. Rejects with the reason if nothing listens
 * there, or with the signal's.
 */
export async function dialInside(path: string, host: string, port: number, signal: AbortSignal): Promise<Socket> {
  signal.throwIfAborted();
  const socket = createConnection({ path, allowHalfOpen: true });
  const failed = new Promise<never>((_, reject) => socket.once('error', reject));
  failed.catch(() => {});
  try {
    socket.write(`${JSON.stringify({ host, port })}\n`);
    const line = await Promise.race([readLine(socket, signal), failed]);
    if (line !== 'ok') throw new Error(line || 'the private network ended');
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** The first line, without its end; what follows stays to be read. What there is, if the stream ends before. */
async function readLine(socket: Socket, signal: AbortSignal): Promise<string> {
  const line = Promise.withResolvers<string>();
  let text = Buffer.alloc(0);
  const read = () => {
    for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) {
      text = Buffer.concat([text, chunk]);
      const end = text.indexOf(0x0a);
      if (end < 0 && text.length <= longestLine) continue;
      if (end < 0) return line.reject(new Error('the line is too long'));
      socket.off('readable', read);
      // Sent ahead by a client who takes our answer for granted.
      if (end + 1 < text.length) socket.unshift(text.subarray(end + 1));
      return line.resolve(text.subarray(0, end).toString());
    }
  };
  const ended = () => line.resolve(text.toString());
  socket.on('readable', read).once('end', ended).once('close', ended);
  try {
    return await unlessAborted(line.promise, signal);
  } finally {
    socket.off('readable', read).off('end', ended).off('close', ended);
  }
}
