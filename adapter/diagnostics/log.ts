/**
 * The log file of one session: one JSON object a line, 0600, redacted, of limited size. Several processes write to it.
 * Nothing is written to standard output, which belongs to DAP or to the user.
 */
import { closeSync, constants, fchmodSync, fstatSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { isAt, rotate } from './log-rotation.ts';
import { Redactor } from './redactor.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** What every part of the program needs from a log. */
export interface Log {
  readonly redactor: Redactor;
  /** The file in which it is kept; undefined if it is kept nowhere. */
  readonly path?: string | undefined;
  write(level: Level, message: string, details?: Readonly<Record<string, unknown>>): void;
}

/** A log that keeps nothing; for tests and short commands. */
export const silentLog: Log = { redactor: new Redactor(), write: () => {} };

export interface FileLogOptions {
  /** If other logs of this process know the same secrets. */
  readonly redactor?: Redactor;
  /** Bytes of one file, after which the next one begins. Default 5 MB; there are three at most. */
  readonly largest?: number;
}

const usualLargest = 5_000_000;

/** A log in a file. A full disk ends logging, not the session. */
export class FileLog implements Log, Disposable {
  readonly redactor: Redactor;
  readonly path: string;
  readonly #process: string;
  readonly #largest: number;
  #file: number | undefined;

  /** Throws the system's error if the file cannot be opened, or is a link or another user's. */
  constructor(path: string, processName: string, { redactor, largest = usualLargest }: FileLogOptions = {}) {
    this.path = path;
    this.redactor = redactor ?? new Redactor();
    this.#process = processName;
    this.#largest = largest;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#file = open(path);
  }

  write(level: Level, message: string, details: Readonly<Record<string, unknown>> = {}): void {
    if (this.#file === undefined) return;
    const head = { time: new Date().toISOString(), level, process: this.#process, pid: process.pid };
    try {
      const line = JSON.stringify({ ...head, ...Object(this.redactor.redactData({ message, ...details })) });
      this.#makeRoom(this.#file);
      writeSync(this.#file, `${line}\n`);
    } catch {
      this[Symbol.dispose]();
    }
  }

  /** Another process may have begun the next file already: then this one only follows. */
  #makeRoom(file: number): void {
    if (fstatSync(file).size < this.#largest) return;
    if (isAt(this.path, file)) rotate(this.path);
    this.#file = open(this.path);
    closeSync(file);
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** For appending, so that lines of several processes stay whole. */
function open(path: string): number {
  const { O_APPEND, O_CREAT, O_WRONLY, O_NOFOLLOW = 0 } = constants;
  const file = openSync(path, O_APPEND | O_CREAT | O_WRONLY | O_NOFOLLOW, 0o600);
  try {
    const { uid } = fstatSync(file);
    if (process.getuid !== undefined && uid !== process.getuid()) throw new Error(`${path} belongs to another user`);
    fchmodSync(file, 0o600);
    return file;
  } catch (error) {
    closeSync(file);
    throw error;
  }
}
