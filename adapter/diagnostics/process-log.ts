/**
 * The log of a process that learns only later which session it is part of: until then its own file, afterwards that of
 * the session, so that one file tells the whole story. Secrets that it knew stay known.
 */
import { FileLog, type Level, type Log } from './log.ts';
import { Redactor } from './redactor.ts';

export class ProcessLog implements Log, Disposable {
  readonly redactor: Redactor;
  readonly #process: string;
  readonly #first: () => string;
  #file: FileLog | undefined;
  #tried = false;

  /**
   * `first` tells the path of the first file, which is opened when something is written; it may throw: then none is.
   * `redactor`: if others of this process know the same secrets.
   */
  constructor(processName: string, first: () => string, redactor = new Redactor()) {
    this.redactor = redactor;
    this.#process = processName;
    this.#first = first;
  }

  get path(): string | undefined {
    return this.#file?.path;
  }

  write(level: Level, message: string, details?: Readonly<Record<string, unknown>>): void {
    if (!this.#tried) this.#open(this.#first);
    this.#file?.write(level, message, details);
  }

  /** From now on writes to this file; if it cannot be opened, to the one before. */
  moveTo(path: string): void {
    if (path !== this.path) this.#open(() => path);
  }

  /** A folder that cannot be used is an error of the session, which its user is told; a log is no place for it. */
  #open(path: () => string): void {
    this.#tried = true;
    try {
      const file = new FileLog(path(), this.#process, { redactor: this.redactor });
      this.#file?.[Symbol.dispose]();
      this.#file = file;
    } catch (error) {
      this.#file?.write('warn', 'another log file could not be opened', { error });
    }
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
    this.#file = undefined;
    this.#tried = true;
  }
}
