/** Answers the daemon's questions about the files of the pod's volumes. The protocol is described in protocol.ts. */
import { constants as modes } from 'node:fs';
import { open, realpath } from 'node:fs/promises';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { entryOf, errorCode, FileError, mountPoints, openPlace, pathOf } from './files-beneath.ts';
import { listBeneath } from './files-list.ts';
import { makeFolder, remove, writeFile, writeLink } from './files-write.ts';
import { reset } from './join.ts';
import type { AgentLog } from './log.ts';
import {
  decodeBytes,
  errorHeader,
  expectedHeader,
  type FileEntry,
  type FilesConfiguration,
  fileVersion,
  modeHeader,
  pathNames,
  versionHeader,
} from './protocol.ts';

/** The daemon resets what is refused; what it forgets is reset here. Milliseconds. */
const refusedLimit = 5_000;
/** Lines of a listing are sent in pieces of about this many characters. */
const piece = 16_384;

interface Root {
  readonly writable: boolean;
  /** The names from `/` on, without links, as they were when the agent started; later ones are not followed. */
  readonly names: Promise<readonly string[]>;
}

interface Question {
  readonly root: Root;
  readonly names: readonly string[];
  readonly parameters: ReadonlyMap<string, string>;
}

export class FileServer {
  readonly #roots: ReadonlyMap<string, Root>;
  readonly #log: AgentLog;
  /** As of the last listing: a container's mounts stay as they are, and each file would ask for them anew. */
  #mounts: Promise<ReadonlySet<string>> | undefined;

  constructor(configuration: FilesConfiguration | undefined, log: AgentLog) {
    this.#log = log;
    const { roots = [], writable = [] } = configuration ?? {};
    this.#roots = new Map(
      roots.map((path) => {
        const names = realpath(path, 'latin1').then((real) => real.split('/').filter(Boolean));
        // Whoever asks for this root is told.
        names.catch(() => {});
        return [Buffer.from(path).toString('latin1'), { names, writable: writable.includes(path) }];
      }),
    );
  }

  /** Answers one request; without `mayChange` only one that reads. Never throws or rejects. */
  answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, mayChange: boolean): void {
    stream.on('error', () => {});
    this.#serve(stream, headers, mayChange).catch((error: unknown) => {
      const code = errorCode(error);
      if (code === 'EIO') {
        this.#log('warn', 'file request failed', { reason: error instanceof Error ? error.message : String(error) });
      }
      refuse(stream, code);
    });
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, mayChange: boolean): Promise<void> {
    const [path = '', query = ''] = (headers[':path'] ?? '').split('?');
    const what = `${headers[':method']} ${path}`;
    const question = this.#read(query);
    if (what === 'GET /files/list') {
      this.#mounts = mountPoints();
      return sendList(stream, await question.root.names, await this.#mounts);
    }
    if (what === 'GET /files/content') return this.#sendContent(stream, question, headers.range);

    const make = changes[what];
    if (make === undefined) throw new FileError('EINVAL', 'no such request');
    if (!mayChange) throw new FileError('EACCES', 'a guest only reads');
    if (!question.root.writable) throw new FileError('EROFS', 'this root may not be changed');
    const name = question.names.at(-1);
    // A root is a mount point: it can be neither exchanged nor removed.
    if (name === undefined) throw new FileError('EBUSY', 'a root itself cannot be changed');
    const folder = await openPlace(await this.#beneath(question, question.names.slice(0, -1)), true);
    try {
      const version = await make({ folder, name, stream, headers, target: question.parameters.get('target') });
      if (stream.destroyed || stream.closed) return;
      stream.respond({ ':status': 200, [versionHeader]: version }, { endStream: true });
      stream.resume();
    } finally {
      await folder.close();
    }
  }

  #read(query: string): Question {
    const parameters = new Map(
      query.split('&').map((part) => {
        const [key = '', value = ''] = part.split('=');
        return [key, decodeBytes(value)];
      }),
    );
    const root = this.#roots.get(parameters.get('root') ?? '');
    if (root === undefined) throw new FileError('EACCES', 'no such root');
    const names = pathNames(parameters.get('path') ?? '');
    if (names === undefined) throw new FileError('EINVAL', 'not a path beneath a root');
    return { root, names, parameters };
  }

  /** All names from `/` on. FileError EXDEV where something else is mounted on the way. */
  async #beneath({ root, names }: Question, wanted = names): Promise<readonly string[]> {
    const top = await root.names;
    this.#mounts ??= mountPoints();
    const mounts = await this.#mounts;
    for (let count = 1; count <= names.length; count += 1) {
      if (mounts.has(`/${[...top, ...names.slice(0, count)].join('/')}`)) {
        throw new FileError('EXDEV', 'something else is mounted there');
      }
    }
    return [...top, ...wanted];
  }

  async #sendContent(stream: ServerHttp2Stream, question: Question, rangeText: string | undefined): Promise<void> {
    const place = await openPlace(await this.#beneath(question));
    try {
      const stats = await place.stat({ bigint: true });
      if (!stats.isFile()) throw new FileError(stats.isDirectory() ? 'EISDIR' : 'EINVAL', 'not a file');
      const { size, mode } = entryOf('', stats);
      const range = rangeOf(rangeText, size);
      // The place itself is opened, so nothing can have taken its name since it was found to be a file.
      await using file = await open(pathOf(place), modes.O_RDONLY | modes.O_NOCTTY);
      if (stream.destroyed || stream.closed) return;
      const length = range.end - range.start;
      stream.respond(
        {
          ':status': rangeText === undefined ? 200 : 206,
          'content-length': length,
          [versionHeader]: fileVersion(entryOf('', stats)),
          [modeHeader]: mode.toString(8),
        },
        { waitForTrailers: true },
      );
      const sent = new Promise<void>((resolve, reject) => {
        stream.once('close', resolve);
        stream.once('wantTrailers', () => {
          file
            .stat({ bigint: true })
            .then((after) => stream.sendTrailers({ [versionHeader]: fileVersion(entryOf('', after)) }))
            .then(resolve, reject);
        });
      });
      if (length === 0) stream.end();
      else {
        const { start, end } = range;
        await pipeline(file.createReadStream({ start, end: end - 1, autoClose: false }), stream);
      }
      await sent;
    } finally {
      await place.close();
    }
  }
}

interface Change {
  readonly folder: Awaited<ReturnType<typeof openPlace>>;
  readonly name: string;
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly target: string | undefined;
}

const expectedOf = ({ headers }: Change): string => {
  const expected = headers[expectedHeader];
  if (typeof expected !== 'string') throw new FileError('EINVAL', 'no expected version');
  return expected;
};

const modeOf = ({ headers }: Change): number => {
  const given = headers[modeHeader];
  if (typeof given !== 'string' || !/^[0-7]{1,4}$/.test(given)) throw new FileError('EINVAL', 'no mode');
  return Number.parseInt(given, 8);
};

const changes: Readonly<Record<string, (change: Change) => Promise<string>>> = {
  'PUT /files/content': async (change) => {
    const size = Number(change.headers['content-length']);
    if (!Number.isSafeInteger(size) || size < 0) throw new FileError('EINVAL', 'no content-length');
    const request = { content: change.stream, size, mode: modeOf(change), expected: expectedOf(change) };
    return writeFile(change.folder, change.name, request);
  },
  'PUT /files/folder': async (change) => makeFolder(change.folder, change.name, modeOf(change)),
  'PUT /files/link': async (change) => {
    if (change.target === undefined || change.target === '') throw new FileError('EINVAL', 'no target');
    return writeLink(change.folder, change.name, change.target, expectedOf(change));
  },
  'DELETE /files/entry': async (change) => remove(change.folder, change.name, expectedOf(change)),
};

async function sendList(
  stream: ServerHttp2Stream,
  root: readonly string[],
  mounts: ReadonlySet<string>,
): Promise<void> {
  const entries = listBeneath(root, mounts);
  try {
    const first = await entries.next();
    if (stream.destroyed || stream.closed) return;
    stream.respond({ ':status': 200, 'content-type': 'application/x-ndjson' });
    await pipeline(Readable.from(lines(first, entries)), stream);
  } finally {
    await entries.return(undefined);
  }
}

async function* lines(
  first: IteratorResult<FileEntry, unknown>,
  entries: AsyncGenerator<FileEntry>,
): AsyncGenerator<string> {
  let text = first.done === true ? '' : `${JSON.stringify(first.value)}\n`;
  for await (const entry of entries) {
    text += `${JSON.stringify(entry)}\n`;
    if (text.length < piece) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}

/** The part that `range: bytes=FIRST-LAST` asks for, all without it; `end` is behind the last byte. */
function rangeOf(header: string | undefined, size: number): { readonly start: number; readonly end: number } {
  if (header === undefined) return { start: 0, end: size };
  const match = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(header);
  if (match === null) throw new FileError('EINVAL', 'not a range');
  const start = Number(match[1]);
  const end = match[2] === '' ? size : Math.min(size, Number(match[2]) + 1);
  if (start > end) throw new FileError('EINVAL', 'the range is behind the end of the file');
  return { start, end };
}

function statusOf(code: string): number {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 404;
  if (code === 'ESTALE' || code === 'EEXIST' || code === 'ENOTEMPTY') return 409;
  if (code === 'EINVAL') return 400;
  return code === 'EIO' ? 500 : 403;
}

/** Says why not; a stream whose answer began is reset, so that what came of it does not pass for all. */
function refuse(stream: ServerHttp2Stream, code: string): void {
  if (stream.destroyed || stream.closed) return;
  if (stream.headersSent) {
    reset(stream);
    return;
  }
  stream.respond({ ':status': statusOf(code), [errorHeader]: code }, { endStream: true });
  stream.resume();
  setTimeout(() => reset(stream), refusedLimit).unref();
}
