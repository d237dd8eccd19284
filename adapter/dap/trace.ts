/**
 * The trace: a file with one JSON object a line. The first says what was started (`TraceHead`), the others are the
 * messages of all sessions in the order of their arrival (`TraceEntry`). Each is in the file when the call returns, so
 * that a trace tells even of a debug adapter that was killed.
 */
import { closeSync, constants, fchmodSync, fstatSync, openSync, writeSync } from 'node:fs';
import type { Redactor } from '../diagnostics/redactor.ts';
import { Problem } from '../problem.ts';
import type { Raw } from './message.ts';
import type { Trace, TraceDirection } from './options.ts';
import { TraceContent } from './trace-content.ts';

/** What a trace begins with; a file that is used again has several. */
export interface TraceHead {
  readonly trace: 1;
  /** ISO 8601. */
  readonly started: string;
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly pid: number;
  /** The options that the debug adapter was started with; values of environment variables masked. */
  readonly options: Raw;
}

/** One message. */
export interface TraceEntry {
  /** ms since the start. */
  readonly time: number;
  /** Sessions are counted from 1. */
  readonly session: number;
  readonly direction: TraceDirection;
  readonly message: Raw;
}

export class TraceFile implements Disposable {
  readonly #redactor: Redactor;
  readonly #failed: (why: string) => void;
  readonly #start = performance.now();
  #file: number | undefined;
  #sessions = 0;

  /**
   * Opens the file, which only the user may read, and adds to what it holds.
   * `failed` is called once when it cannot be written any more: the sessions go on without it.
   * @throws Problem trace-unusable.
   */
  constructor(
    path: string,
    head: { readonly version: string; readonly options: Raw },
    { redactor, failed }: { readonly redactor: Redactor; failed(why: string): void },
  ) {
    this.#redactor = redactor;
    this.#failed = failed;
    try {
      const { O_APPEND, O_CREAT, O_WRONLY, O_NONBLOCK = 0 } = constants;
      // A device or a pipe could block us, a pipe even when it is opened.
      this.#file = openSync(path, O_APPEND | O_CREAT | O_WRONLY | O_NONBLOCK, 0o600);
      if (!fstatSync(this.#file).isFile()) throw new Error('It is no file.');
      fchmodSync(this.#file, 0o600);
    } catch (error) {
      this[Symbol.dispose]();
      throw new Problem(
        {
          code: 'trace-unusable',
          what: `The trace cannot be written to ${path}.`,
          why: error instanceof Error ? error.message : String(error),
          remedy: 'Name a file in a folder of your own, or leave --trace away.',
        },
        { cause: error },
      );
    }
    const first: TraceHead = {
      trace: 1,
      started: new Date().toISOString(),
      version: head.version,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      pid: process.pid,
      options: head.options,
    };
    this.#write(first);
  }

  /** For the messages of one more session. Never throws. */
  session(): Trace {
    const session = ++this.#sessions;
    const content = new TraceContent(this.#redactor);
    return (direction, message) => {
      if (this.#file === undefined) return;
      const time = Math.round((performance.now() - this.#start) * 1000) / 1000;
      let entry: TraceEntry;
      try {
        entry = { time, session, direction, message: content.of(message) };
      } catch (error) {
        entry = { time, session, direction, message: { '«unreadable»': String(error) } };
      }
      this.#write(entry);
    };
  }

  #write(line: TraceHead | TraceEntry): void {
    if (this.#file === undefined) return;
    try {
      const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
      // The last bytes of a disk are given in part.
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done);
    } catch (error) {
      this[Symbol.dispose]();
      this.#failed(error instanceof Error ? error.message : String(error));
    }
  }

  [Symbol.dispose](): void {
    const file = this.#file;
    this.#file = undefined;
    if (file !== undefined) closeSync(file);
  }
}
