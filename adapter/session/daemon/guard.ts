/**
 * The processes of one client, so that none of them survives a client that was killed. Not all debug adapters end
 * with their client, and those that do not may leave the program running.
 */
import type { Log } from '../../diagnostics/log.ts';
import { type Part, ProcessTree } from '../../processes/tree.ts';
import type { ReportedProcess } from '../protocol.ts';

/** A process whose parent has ended is found only if it was seen before. */
const lookEveryMilliseconds = 2_000;
const sigtermMilliseconds = 500;
/** Even SIGKILL takes its time with a process that waits for a disk. */
const sigkillMilliseconds = 10_000;

export class Guard {
  readonly #log: Log;
  readonly #tree = new ProcessTree();
  #look: NodeJS.Timeout | undefined;
  #forgotten = false;
  #sparesProgram = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** A process that the client has started, or attached to; the latter is left alone. */
  started({ pid, role }: ReportedProcess): void {
    if (role === 'attached' || this.#forgotten) return;
    this.#quietly(this.#tree.add(pid, role));
    this.#look ??= setInterval(() => this.#quietly(this.#tree.refresh()), lookEveryMilliseconds).unref();
  }

  /** From now on the program may outlive its client. */
  spareProgram(): void {
    this.#sparesProgram = true;
  }

  /** The living processes of the program. */
  async programs(): Promise<readonly number[]> {
    await this.#tree.refresh();
    return this.#tree.pids('program');
  }

  /** The client has ended them itself. */
  forget(): void {
    this.#forgotten = true;
    clearInterval(this.#look);
  }

  /** Ends all that still live, with SIGTERM and then SIGKILL, but for a program that may outlive its client. */
  async end(): Promise<void> {
    if (this.#forgotten) return;
    this.forget();
    const part: Part = this.#sparesProgram ? 'debugger' : 'all';
    await this.#tree.refresh();
    const pids = this.#tree.pids(part);
    if (pids.length === 0) return;
    this.#log.write('info', 'ending the processes of a client that was killed', { pids });
    await this.#tree.signal('SIGTERM', part);
    if (await this.#tree.gone(sigtermMilliseconds, part)) return;
    await this.#tree.signal('SIGKILL', part);
    if (await this.#tree.gone(sigkillMilliseconds, part)) return;
    this.#log.write('error', 'processes could not be ended', { pids: this.#tree.pids(part) });
  }

  /** A look that fails is made up for by the next one. */
  #quietly(look: Promise<unknown>): void {
    look.catch((error: unknown) => this.#log.write('warn', 'the processes could not be listed', { error }));
  }
}
