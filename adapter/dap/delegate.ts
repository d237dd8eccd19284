/** The real debug adapter as a process: its channel, what it complains about, and its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { DelegateCommand } from '../debuggers/profile.ts';
import type { Log } from '../diagnostics/log.ts';
import { Channel } from './channel.ts';
import type { Raw } from './message.ts';
import { ProcessTree } from './process-tree.ts';
import { within } from './within.ts';

/** How long to wait for each rung of the ladder, in ms. */
export interface Patience {
  readonly endOfFile: number;
  readonly sigterm: number;
}

/** Characters of standard error that are kept for the message about a delegate that died. */
const tailLength = 4096;

export class Delegate {
  readonly channel: Channel;
  readonly command: DelegateCommand;
  /** Resolves when the process is gone and its last message was handled: with how it ended, or why it never started. */
  readonly exited: Promise<string>;
  /** All processes that it started, itself included. */
  readonly tree = new ProcessTree();
  readonly #process: ChildProcess;
  readonly #input: Writable;
  #stderr = '';
  #gone = false;

  constructor(options: {
    command: DelegateCommand;
    environment: Readonly<Record<string, string>>;
    log: Log;
    sent(message: Raw): void;
  }) {
    this.command = options.command;
    const [program, ...args] = options.command.argv;
    const child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
      windowsHide: true,
    });
    this.#process = child;
    this.#input = child.stdin;
    this.channel = new Channel(child.stdout, child.stdin, options.sent);
    this.exited = this.#watch(child.stdout);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-tailLength);
      options.log.write('debug', 'The debug adapter wrote to standard error.', { text });
    });
    if (child.pid !== undefined) void this.tree.add(child.pid, 'debugger').catch(() => {});
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** The last lines of its standard error. */
  get complaint(): string {
    return this.#stderr.trim().split('\n').slice(-12).join('\n');
  }

  async #watch(output: Readable): Promise<string> {
    const ended = new Promise<void>((resolve) => output.once('close', resolve));
    const how = await new Promise<string>((resolve) => {
      this.#process.once('error', (error) => resolve(error.message));
      this.#process.once('exit', (code, signal) =>
        resolve(signal === null ? `It ended with exit code ${code}.` : `It was ended by ${signal}.`),
      );
    });
    // Its last messages may still be in the pipe; a grandchild that inherited the pipe must not hold us up.
    await within(500, ended, undefined);
    await this.channel.settled();
    this.#gone = true;
    return how;
  }

  /**
   * End of file, then SIGTERM, then SIGKILL: no single one works on every debug adapter (field notes, §1.7).
   * `everything` is false if the program is to outlive the session: then only the debug adapter itself is ended.
   */
  async end(patience: Patience, everything: boolean): Promise<void> {
    await this.tree.refresh();
    this.#input.end();
    for (const [signal, ms] of [
      [undefined, patience.endOfFile],
      ['SIGTERM', patience.sigterm],
      // A stopped or blocked process takes a moment even for SIGKILL.
      ['SIGKILL', 2000],
    ] as const) {
      if (signal !== undefined) await (everything ? this.tree.signal(signal) : this.#process.kill(signal));
      const ended = everything ? this.tree.gone(ms) : this.exited.then(() => true);
      if (await within(ms + 100, ended, false)) break;
    }
    await within(1000, this.exited, undefined);
  }
}
