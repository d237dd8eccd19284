/** The real debug adapter: its process if we started one, its channel, what it complains about, and its end. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import type { Readable, Writable } from 'node:stream';
import type { DelegateCommand, Endpoint } from '../debuggers/profile.ts';
import type { Log } from '../diagnostics/log.ts';
import { markVariable, ProcessTree } from '../processes/tree.ts';
import { within } from '../within.ts';
import type { Raw } from './message.ts';
import { argvAt, type Place } from './place.ts';
import { arrangeMeeting, type Meeting, type OutputLines } from './reach.ts';
import { Channel } from './wire/channel.ts';

/** How long to wait for each rung of the ladder, in ms. */
export interface Patience {
  readonly endOfFile: number;
  readonly sigterm: number;
}

export interface DelegateOptions {
  readonly command: DelegateCommand;
  readonly environment: Readonly<Record<string, string>>;
  readonly place?: Place | undefined;
  readonly log: Log;
  /** Sees each message that leaves, for the trace. */
  sent(message: Raw): void;
  /** What a debug adapter that is reached by a socket writes to its standard streams: it is the program's, mostly. */
  printed(text: string, stream: 'stdout' | 'stderr'): void;
}

/** How long one that has hung up may take to end, before it counts as one that lives on, in ms. */
const lastSteps = 2000;

/** Characters of standard error, or of the output of one that is reached by a socket, that are kept for messages. */
const tailLength = 4096;

export class Delegate {
  readonly channel: Channel;
  /** Where it listens, if it does: its child sessions may be served there too. */
  readonly endpoint: Endpoint | undefined;
  /** Resolves when it is gone and its last message was handled: with how it ended. */
  readonly exited: Promise<string>;
  /** All processes that it started, itself included. */
  readonly tree: ProcessTree;
  readonly #process: StartedProcess | undefined;
  readonly #input: Writable;
  /** Its socket stays until its end, for the child sessions. */
  readonly #meeting: Meeting | undefined;
  #gone = false;

  /** Starts it and reaches it. Rejects with what went wrong, in words for the user; then nothing is left of it. */
  static async start(options: DelegateOptions, signal: AbortSignal): Promise<Delegate> {
    const { command, place } = options;
    const meeting = await arrangeMeeting(command, place);
    const argv = argvAt(place, meeting?.argv ?? command.argv);
    const started = argv.length === 0 ? undefined : new StartedProcess(argv, options);
    try {
      if (meeting === undefined) {
        if (started === undefined) throw new Error('There is no command that starts it.');
        await started.spawned;
        const { stdout, stdin } = started.child;
        return new Delegate({ output: stdout, input: stdin, options, started });
      }
      const { socket, endpoint } = await reach(meeting, started, signal);
      started?.forwardOutput();
      return new Delegate({ output: socket, input: socket, options, started, meeting, endpoint });
    } catch (error) {
      meeting?.[Symbol.dispose]();
      const why = error instanceof Error ? error.message : String(error);
      if (started !== undefined) await endProcesses(started, { endOfFile: 0, sigterm: 500 }, true);
      throw new Error([why, started?.complaint].filter(Boolean).join('\n'));
    }
  }

  /** One that is reached already, by a socket. */
  static over(socket: Socket, options: DelegateOptions): Delegate {
    return new Delegate({ output: socket, input: socket, options, started: undefined });
  }

  private constructor(reached: {
    output: Readable;
    input: Writable;
    options: DelegateOptions;
    started: StartedProcess | undefined;
    meeting?: Meeting;
    endpoint?: Endpoint | undefined;
  }) {
    this.channel = new Channel(reached.output, reached.input, reached.options.sent);
    this.#input = reached.input;
    this.#process = reached.started;
    this.#meeting = reached.meeting;
    this.tree = reached.started?.tree ?? new ProcessTree();
    this.endpoint = reached.endpoint;
    this.exited = this.#watch(reached.output);
  }

  /** Its process, if we started one. */
  get pid(): number | undefined {
    return this.#process?.child.pid;
  }

  get gone(): boolean {
    return this.#gone;
  }

  /** Whether it ended by its own exit, and not by a signal; of one whose process is not ours, nothing else is known. */
  get exitedByItself(): boolean {
    return this.#process === undefined ? this.#gone : this.#process.child.exitCode !== null;
  }

  /** The last lines of its standard error. */
  get complaint(): string {
    return this.#process?.complaint ?? '';
  }

  async #watch(output: Readable): Promise<string> {
    const closed = new Promise<void>((resolve) => output.once('close', resolve));
    const hungUp = closed.then(() => 'It closed the connection.');
    const started = this.#process;
    const bySocket = started === undefined || this.#meeting !== undefined;
    const how = await (bySocket ? hungUpOrEnded(hungUp, started?.ended) : started.ended);
    // Its last messages, or the last words of the program, may still be in the pipes; a grandchild that inherited them
    // must not hold us up.
    await within(500, Promise.all([closed, started?.silent]), undefined);
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
    if (this.#process !== undefined) await endProcesses(this.#process, patience, everything);
    else {
      await within(patience.endOfFile, this.exited, undefined);
      if (everything) await endTree(this.tree, patience);
    }
    this.#input.destroy();
    this.#meeting?.[Symbol.dispose]();
    await within(1000, this.exited, undefined);
  }
}

/** How a debug adapter that is reached by a socket left: it may close that and live on, and is of no use to us then. */
async function hungUpOrEnded(hungUp: Promise<string>, ended: Promise<string> | undefined): Promise<string> {
  if (ended === undefined) return hungUp;
  const how = await Promise.race([hungUp, ended]);
  // One that is the program itself (rdbg) hangs up first and ends then.
  return within(lastSteps, ended, how);
}

/** The process of a debug adapter. */
class StartedProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly tree = new ProcessTree();
  /** Resolves with how it ended. */
  readonly ended: Promise<string>;
  /** Resolves when all that it wrote was read. */
  readonly silent: Promise<void>;
  /** Rejects if it could not be started. */
  readonly spawned: Promise<void>;
  readonly #stderr: string[] = [];
  readonly #lines: ((line: string) => void)[] = [];
  /** All output so far while we wait for the line that says where it listens. */
  #said = '';
  #forwarding = false;

  constructor(argv: readonly string[], options: DelegateOptions) {
    const [program = '', ...args] = argv;
    this.child = spawn(program, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: {
        ...process.env,
        ...options.environment,
        ...options.command.environment,
        [markVariable]: crypto.randomUUID(),
      },
      windowsHide: true,
      ...(options.command.cwd !== undefined && { cwd: options.command.cwd }),
    });
    this.spawned = new Promise((resolve, reject) => {
      this.child.once('spawn', resolve).once('error', reject);
    });
    this.spawned.catch(() => {});
    this.ended = new Promise<string>((resolve) => {
      this.child.once('error', (error) => resolve(error.message));
      this.child.once('exit', (code, signal) =>
        resolve(signal === null ? `It ended with exit code ${code}.` : `It was ended by ${signal}.`),
      );
    });
    this.silent = new Promise((resolve) => this.child.once('close', () => resolve()));
    // One that is ended while we write to it is reported by its end.
    this.child.stdin.on('error', () => {});
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#keep(text);
      options.log.write('debug', 'The debug adapter wrote to standard error.', { text });
      if (this.#forwarding) options.printed(text, 'stderr');
      this.#hear(text);
    });
    if (options.command.transport.kind !== 'stdio') {
      this.child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (this.#forwarding) options.printed(text, 'stdout');
        else this.#keep(text);
        this.#hear(text);
      });
    }
    if (this.child.pid !== undefined) void this.tree.add(this.child.pid, 'debugger').catch(() => {});
  }

  /** The last lines that it wrote. */
  get complaint(): string {
    return this.#stderr.join('').slice(-tailLength).trim().split('\n').slice(-12).join('\n');
  }

  readonly lines: OutputLines = (listener) => {
    this.#lines.push(listener);
    for (const line of this.#complete()) listener(line);
  };

  /** From now on what it writes is the program's. */
  forwardOutput(): void {
    this.#forwarding = true;
    this.#lines.length = 0;
    this.#said = '';
  }

  #keep(text: string): void {
    this.#stderr.push(text.slice(-tailLength));
    if (this.#stderr.length > 64) this.#stderr.splice(0, this.#stderr.length - 64);
  }

  #hear(text: string): void {
    if (this.#forwarding) return;
    this.#said = (this.#said + text).slice(-tailLength);
    for (const line of this.#complete()) for (const listener of this.#lines) listener(line);
  }

  /** A line may come in pieces. */
  #complete(): string[] {
    return this.#said.split(/\r?\n/).slice(0, -1);
  }
}

async function reach(meeting: Meeting, started: StartedProcess | undefined, signal: AbortSignal) {
  const abort = new AbortController();
  const ended = started?.ended.then((how) => {
    throw new Error(how);
  });
  const lines = started?.lines ?? (() => {});
  try {
    const socket = meeting.socket(lines, AbortSignal.any([signal, abort.signal]));
    socket.catch(() => {});
    return await (ended === undefined ? socket : Promise.race([socket, ended]));
  } finally {
    ended?.catch(() => {});
    abort.abort();
  }
}

async function endProcesses(started: StartedProcess, patience: Patience, everything: boolean): Promise<void> {
  started.child.stdin.end();
  if (everything) return endTree(started.tree, patience);
  for (const [signal, ms] of rungs(patience)) {
    if (signal !== undefined) started.child.kill(signal);
    if (await within(ms, started.ended, undefined)) return;
  }
}

async function endTree(tree: ProcessTree, patience: Patience): Promise<void> {
  for (const [signal, ms] of rungs(patience)) {
    if (signal !== undefined) await tree.signal(signal);
    if (await tree.gone(ms)) return;
  }
}

/** What is tried, and how long it is given, in ms. */
function rungs({ endOfFile, sigterm }: Patience): readonly (readonly [NodeJS.Signals | undefined, number])[] {
  // A stopped or blocked process takes a moment even for SIGKILL.
  return [
    [undefined, endOfFile],
    ['SIGTERM', sigterm],
    ['SIGKILL', 2000],
  ];
}
