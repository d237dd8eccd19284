/**
 * The log file of one process: one JSON object a line, 0600, redacted.
 * Nothing is written to standard output, which belongs to DAP or to the user.
 */
import { closeSync, fchmodSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { Redactor } from './redactor.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** What every part of the program needs from a log. */
export interface Log {
  readonly redactor: Redactor;
  write(level: Level, message: string, details?: Readonly<Record<string, unknown>>): void;
}

/** A log that keeps nothing; for tests and short commands. */
export const silentLog: Log = { redactor: new Redactor(), write: () => {} };

/** A log in a file. A full disk ends logging, not the session. */
export class FileLog implements Log, Disposable {
  readonly redactor = new Redactor();
  readonly path: string;
  readonly #process: string;
  #file: number | undefined;

  constructor(path: string, processName: string) {
    this.path = path;
    this.#process = processName;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#file = openSync(path, 'a', 0o600);
    fchmodSync(this.#file, 0o600);
  }

  write(level: Level, message: string, details: Readonly<Record<string, unknown>> = {}): void {
    if (this.#file === undefined) return;
    const line = JSON.stringify(
      { time: new Date().toISOString(), level, process: this.#process, pid: process.pid, message, ...details },
      (_key, value: unknown) =>
        value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value,
    );
    try {
      writeSync(this.#file, `${this.redactor.redact(line)}\n`);
    } catch {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}
