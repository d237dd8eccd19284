/**
 * The trace: a file with one JSON object a line (trace-format.ts). The first says what was started, the others are the
 * messages of all sessions in the order of their arrival. Each is in the file when the call returns, so that a trace
 * tells even of a debug adapter that was killed.
 */
import { closeSync, constants, fchmodSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { Redactor } from '../../diagnostics/redactor.ts';
import { Problem } from '../../problem.ts';
import type { Raw } from '../message.ts';
import type { Trace, TraceEnded } from '../options.ts';
import { TraceContent } from './content.ts';
import type { TraceEntry, TraceHead } from './format.ts';

/** Of each trace; no other file is written to. */
const beginning = '{"trace":';

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
      const { O_APPEND, O_CREAT, O_RDWR, O_NONBLOCK = 0 } = constants;
      // A device or a pipe could block us, a pipe even when it is opened.
      this.#file = openSync(path, O_APPEND | O_CREAT | O_RDWR | O_NONBLOCK, 0o600);
      if (!fstatSync(this.#file).isFile()) throw new Error('It is no file.');
      const size = fstatSync(this.#file).size;
      if (size > 0 && !textAt(this.#file, 0, beginning.length).startsWith(beginning)) {
        throw new Error('It holds something else.');
      }
      fchmodSync(this.#file, 0o600);
      // The death of a writer leaves the middle of a line.
      if (size > 0 && textAt(this.#file, size - 1, 1) !== '\n') writeSync(this.#file, '\n');
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

  /** For the messages of one more session. They never throw. */
  session(): { readonly trace: Trace; readonly traceEnded: TraceEnded } {
    const session = ++this.#sessions;
    const content = new TraceContent(this.#redactor);
    const common = () => ({
      time: Math.round((performance.now() - this.#start) * 1000) / 1000,
      pid: process.pid,
      session,
    });
    return {
      trace: (direction, message) => {
        if (this.#file === undefined) return;
        const whose = common();
        let masked: Raw;
        try {
          masked = content.of(message);
        } catch (error) {
          masked = { '«unreadable»': String(error) };
        }
        this.#write({ ...whose, direction, message: masked });
      },
      traceEnded: (direction, why) => this.#write({ ...common(), direction, end: this.#redactor.redact(why) }),
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

function textAt(file: number, position: number, length: number): string {
  const bytes = Buffer.alloc(length);
  return bytes.toString('utf8', 0, readSync(file, bytes, 0, length, position));
}
