/**
 * The files of a pod's volumes, through its agent. The other end and the protocol are in agent/. Paths are relative to a root
 * and have one character a byte, since the names of files are bytes and need not be UTF-8.
 */
import type { ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { pipeline as connect, PassThrough, type Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { z } from 'zod';
import {
  encodeBytes,
  errorHeader,
  expectedHeader,
  type FileEntry,
  modeHeader,
  pathNames,
  versionHeader,
} from '../../agent/protocol.ts';
import type { Tunnel } from './tunnel.ts';

export { type FileEntry, fileVersion } from '../../agent/protocol.ts';

/** How many files are read at a time; more fill no line better. */
export const parallelReads = 8;
/** A listing's line is a path and a link's target, of 4096 bytes at most each, escaped. */
const longestLine = 128 * 1024;

const entry: z.ZodType<FileEntry> = z.object({
  path: z.string().refine((path) => pathNames(path) !== undefined, 'leads out of its root'),
  kind: z.enum(['file', 'directory', 'symlink', 'fifo', 'socket', 'device']),
  size: z.number().int().nonnegative(),
  mode: z.number().int().nonnegative(),
  mtime: z.string().regex(/^-?\d{1,20}$/),
  target: z.string().exactOptional(),
  mount: z.literal(true).exactOptional(),
  error: z.string().exactOptional(),
});

/** A refused request: `code` is the system's in the pod, such as EACCES, or ESTALE, or ENOTCONN without a tunnel. */
export class RemoteFileError extends Error {
  readonly code: string;

  constructor(code: string, what: string, options?: ErrorOptions) {
    super(`${code}: ${what}`, options);
    this.name = 'RemoteFileError';
    this.code = code;
  }
}

/** A text that was read as UTF-8, as one with a character a byte. */
export const asBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

/** For people: the path as UTF-8. */
export const asText = (path: string): string => Buffer.from(path, 'latin1').toString('utf8');

export interface FetchedFile {
  readonly version: string;
  /** Permission bits. */
  readonly mode: number;
  /** The file changed while it was read, twice: what was read may be of two states. */
  readonly changing: boolean;
}

export interface Range {
  readonly start: number;
  /** Behind the last byte; absent: to the end of the file. */
  readonly end?: number;
}

interface Answer {
  readonly stream: ClientHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly body: Readable;
  trailers(): IncomingHttpHeaders;
}

export class RemoteFiles {
  /** The pod whose files these are. */
  readonly pod: string;
  readonly #tunnels: () => readonly Tunnel[];
  readonly #anyPod: boolean;

  private constructor(pod: string, tunnels: () => readonly Tunnel[], anyPod: boolean) {
    this.pod = pod;
    this.#tunnels = tunnels;
    this.#anyPod = anyPod;
  }

  /** The files of the first pod that has a tunnel now. @throws RemoteFileError ENOTCONN if there is none. */
  static over(tunnels: { readonly all: readonly Tunnel[] }): RemoteFiles {
    const [first] = tunnels.all;
    if (first === undefined) throw new RemoteFileError('ENOTCONN', 'no pod is connected');
    return new RemoteFiles(first.pod, () => tunnels.all, false);
  }

  /** The same for a volume that all pods share: if this pod is gone, another one serves. */
  get shared(): RemoteFiles {
    return new RemoteFiles(this.pod, this.#tunnels, true);
  }

  /** How many pods are connected now. */
  get pods(): number {
    return this.#tunnels().length;
  }

  /** All that is beneath a root, in no order but folders before what is in them. Leaving the loop ends it in the pod too. */
  async *list(root: string, signal: AbortSignal): AsyncGenerator<FileEntry> {
    const asked = { ':method': 'GET', ':path': `/files/list?${rootQuery(root)}` };
    const { stream, body } = await this.#ask(asked, root, signal);
    const stop = destroyOn(signal, stream);
    try {
      // A listing has a line for every file, so that the text before the last line's end is never long.
      let rest = '';
      for await (const chunk of body.setEncoding('utf8') as AsyncIterable<string>) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > longestLine) throw new RemoteFileError('EPROTO', 'the listing is not one');
        for (const line of lines) yield parseEntry(line);
      }
      signal.throwIfAborted();
      if (rest !== '') throw new RemoteFileError('ECONNRESET', `the listing of ${root} was cut off`);
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof RemoteFileError ? error : connectionError(error, root);
    } finally {
      stop();
      stream.destroy();
    }
  }

  /**
   * Reads a file into `sink`, which is called again if the file changed while it was read; what the first call got is then
   * worth nothing. Rejects with RemoteFileError, the sink's error or the signal's reason.
   */
  async fetch(
    root: string,
    path: string,
    sink: (content: Readable) => Promise<void>,
    signal: AbortSignal,
    range?: Range,
  ): Promise<FetchedFile> {
    const first = await this.#fetchOnce(root, path, sink, signal, range);
    return first.changing ? this.#fetchOnce(root, path, sink, signal, range) : first;
  }

  /**
   * Writes a file of exactly `size` bytes in one act. Resolves with its new version. RemoteFileError ESTALE: what is in the
   * pod is not `expected`, and was not touched.
   */
  async write(
    root: string,
    path: string,
    file: { readonly content: Readable; readonly size: number; readonly mode: number; readonly expected: string },
    signal: AbortSignal,
  ): Promise<string> {
    const headers = {
      ':method': 'PUT',
      ':path': `/files/content?${query(root, path)}`,
      'content-length': file.size,
      [modeHeader]: file.mode.toString(8),
      [expectedHeader]: file.expected,
    };
    return this.#change(headers, path, signal, file.content);
  }

  /** Makes a folder. RemoteFileError EEXIST: something is there. */
  async makeFolder(root: string, path: string, mode: number, signal: AbortSignal): Promise<void> {
    const headers = { ':method': 'PUT', ':path': `/files/folder?${query(root, path)}`, [modeHeader]: mode.toString(8) };
    await this.#change(headers, path, signal);
  }

  /** Makes or exchanges a symbolic link. Resolves with its version. */
  async writeLink(
    root: string,
    path: string,
    link: { readonly target: string; readonly expected: string },
    signal: AbortSignal,
  ): Promise<string> {
    const target = `target=${encodeBytes(link.target)}`;
    return this.#change(
      {
        ':method': 'PUT',
        ':path': `/files/link?${query(root, path)}&${target}`,
        [expectedHeader]: link.expected,
      },
      path,
      signal,
    );
  }

  /** Removes a file, a link or an empty folder; what is gone already is no error. */
  async remove(root: string, path: string, expected: string, signal: AbortSignal): Promise<void> {
    const headers = {
      ':method': 'DELETE',
      ':path': `/files/entry?${query(root, path)}`,
      [expectedHeader]: expected,
    };
    await this.#change(headers, path, signal);
  }

  async #fetchOnce(
    root: string,
    path: string,
    sink: (content: Readable) => Promise<void>,
    signal: AbortSignal,
    range: Range | undefined,
  ): Promise<FetchedFile> {
    const asked = {
      ':method': 'GET',
      ':path': `/files/content?${query(root, path)}`,
      ...(range && { range: `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}` }),
    };
    const { stream, headers, body, trailers } = await this.#ask(asked, path, signal);
    const stop = destroyOn(signal, stream);
    try {
      await sink(body);
      if (!body.readableEnded) await finished(body.resume(), { writable: false });
    } catch (error) {
      signal.throwIfAborted();
      throw !isSystemError(error) && stream.destroyed && !body.readableEnded
        ? connectionError(error, asText(path))
        : error;
    } finally {
      stop();
      stream.destroy();
    }
    signal.throwIfAborted();
    const after = textOf(trailers()[versionHeader]);
    if (after === undefined) throw new RemoteFileError('ECONNRESET', `${asText(path)} was cut off`);
    const version = textOf(headers[versionHeader]) ?? '';
    return { version, mode: Number.parseInt(textOf(headers[modeHeader]) ?? '0', 8), changing: after !== version };
  }

  async #change(headers: OutgoingHttpHeaders, path: string, signal: AbortSignal, content?: Readable): Promise<string> {
    const { stream, headers: answer } = await this.#ask(headers, path, signal, content);
    stream.destroy();
    return textOf(answer[versionHeader]) ?? '';
  }

  /** Resolves when the answer is a good one; its bytes are in `body`, and the trailers are there at their end. */
  async #ask(headers: OutgoingHttpHeaders, what: string, signal: AbortSignal, content?: Readable): Promise<Answer> {
    signal.throwIfAborted();
    const stream = this.#tunnel()?.ask(headers, content !== undefined);
    if (stream === undefined) {
      content?.destroy();
      throw new RemoteFileError('ENOTCONN', `the pod ${this.pod} is not connected`);
    }
    const stop = destroyOn(signal, stream);
    // An HTTP/2 stream that has all its bytes calls itself closed, and whoever begins to read it then is told that it was
    // cut off. So it is read from the start.
    const body = new PassThrough();
    connect(stream, body, () => {});
    let trailers: IncomingHttpHeaders = {};
    stream.once('trailers', (given: IncomingHttpHeaders) => {
      trailers = given;
    });
    try {
      const answered = responseOf(stream);
      // A refusal may come before all is sent: what then happens to the rest is no news.
      const sent = content === undefined ? undefined : pipeline(content, stream, { end: true });
      sent?.catch((error: unknown) => stream.destroy(error instanceof Error ? error : new Error(String(error))));
      const answer = await answered;
      const status = Number(answer[':status']);
      if (status < 400) return { stream, headers: answer, body, trailers: () => trailers };
      const code = textOf(answer[errorHeader]) ?? 'EPROTO';
      stream.close();
      content?.destroy();
      throw status === 502
        ? new RemoteFileError('ENOSYS', 'the agent is of a version that does not serve files')
        : new RemoteFileError(code, asText(what));
    } catch (error) {
      signal.throwIfAborted();
      const own = content?.errored;
      if (isSystemError(own)) throw own;
      throw error instanceof RemoteFileError ? error : connectionError(error, asText(what));
    } finally {
      stop();
    }
  }

  #tunnel(): Tunnel | undefined {
    const tunnels = this.#tunnels();
    return tunnels.find(({ pod }) => pod === this.pod) ?? (this.#anyPod ? tunnels[0] : undefined);
  }
}

function rootQuery(root: string): string {
  return `root=${encodeBytes(asBytes(root))}`;
}

function query(root: string, path: string): string {
  return `${rootQuery(root)}&path=${encodeBytes(path)}`;
}

function parseEntry(line: string): FileEntry {
  try {
    return entry.parse(JSON.parse(line));
  } catch (error) {
    throw new RemoteFileError('EPROTO', 'the listing is not one', { cause: error });
  }
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

/** A failed system call is of this computer: a full disk here must not pass for a lost connection. */
function isSystemError(error: unknown): error is Error {
  return error instanceof Error && 'syscall' in error;
}

function connectionError(error: unknown, what: string): RemoteFileError {
  const reason = error instanceof Error ? error.message : String(error);
  return new RemoteFileError('ECONNRESET', `${what}: ${reason}`, { cause: error });
}

function responseOf(stream: ClientHttp2Stream): Promise<IncomingHttpHeaders> {
  return new Promise((resolve, reject) => {
    stream.once('response', resolve);
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('the connection closed')));
  });
}

/** Ends a stream when the signal is aborted; the returned function lets go of the signal. */
function destroyOn(signal: AbortSignal, stream: ClientHttp2Stream): () => void {
  const abort = (): void => {
    stream.destroy(signal.reason instanceof Error ? signal.reason : new Error('aborted'));
  };
  if (signal.aborted) abort();
  else signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}
