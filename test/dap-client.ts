/** A small DAP client for tests, demonstration and measurements: talks to a debug adapter over its standard streams. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { isEvent, isRaw, isRequest, isResponse, type Raw } from '../adapter/dap/message.ts';
import { Channel } from '../adapter/dap/wire/channel.ts';
import { UnreadBody } from '../adapter/dap/wire/verbatim.ts';

/** A response with success:false. */
export class DapError extends Error {
  readonly command: string;
  readonly body: { readonly error?: DebugProtocol.Message } | undefined;

  constructor(command: string, message: string, body: unknown) {
    const error = isRaw(body) && isRaw(body.error) ? body.error : undefined;
    super(`${command}: ${message}${typeof error?.format === 'string' ? `: ${error.format}` : ''}`);
    this.name = 'DapError';
    this.command = command;
    // Nothing is checked here: it is the test that looks at what a debug adapter sends.
    this.body = isRaw(body) ? (body as DapError['body']) : undefined;
  }
}

interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

interface Waiter {
  readonly name: string;
  readonly matches: (body: unknown) => boolean;
  readonly resolve: (body: unknown) => void;
  readonly reject: (error: Error) => void;
}

export class DapClient {
  /** All messages in both directions, in order. */
  readonly transcript: { readonly direction: 'sent' | 'received'; readonly message: Raw }[] = [];
  /** Resolves when the process has ended and its last message was handled. */
  readonly exited: Promise<Exit>;
  readonly #channel: Channel;
  readonly #input: Writable;
  readonly #process: ChildProcess | undefined;
  readonly #pending = new Map<
    number,
    { command: string; resolve: (body: unknown) => void; reject: (e: Error) => void }
  >();
  readonly #handlers = new Map<string, (args: unknown) => unknown>();
  readonly #listeners = new Map<string, ((body: unknown) => void)[]>();
  readonly #events: { name: string; body: unknown; taken: boolean }[] = [];
  #waiters: Waiter[] = [];
  #stderr = '';
  #over: Error | undefined;

  /** Starts a debug adapter. */
  static spawn(argv: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): DapClient {
    const [program, ...args] = argv;
    if (program === undefined) throw new Error('No program was given.');
    const child = spawn(program, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] });
    return new DapClient(child.stdout, child.stdin, child);
  }

  /** Talks over two streams, to something in this process. */
  static over(output: Readable, input: Writable): DapClient {
    return new DapClient(output, input, undefined);
  }

  private constructor(output: Readable, input: Writable, child: ChildProcess | undefined) {
    this.#input = input;
    this.#process = child;
    this.#channel = new Channel(output, input, (message) => this.transcript.push({ direction: 'sent', message }));
    child?.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    const { promise, resolve } = Promise.withResolvers<Exit>();
    this.exited = promise;
    const closed = Promise.withResolvers<void>();
    this.#channel.listen({
      message: (message) => this.#receive(message),
      unreadable: (error) => this.#fail(error),
      broken: () => {},
      end: () => closed.resolve(),
    });
    const over = (exit: Exit, how: string) => {
      this.#fail(new Error(`The debug adapter has ended (${how}).\n${this.#stderr}`));
      resolve(exit);
    };
    if (child === undefined) {
      void closed.promise.then(() => over({ code: null, signal: null }, 'end of file'));
      return;
    }
    child.once('error', (error) => over({ code: null, signal: null }, error.message));
    child.once('close', async (code, signal) => {
      await closed.promise;
      over({ code, signal }, `exit code ${code}, signal ${signal}`);
    });
  }

  get pid(): number {
    const pid = this.#process?.pid;
    if (pid === undefined) throw new Error('There is no process.');
    return pid;
  }

  /** What the debug adapter wrote to standard error. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Sends a request; resolves with the body of the response. `T` is what the caller expects it to be. */
  request<T = unknown>(command: string, args?: unknown): Promise<T> {
    return this.send<T>(command, args).response;
  }

  /** As `request`, with the sequence number that it was sent under. */
  send<T = unknown>(command: string, args?: unknown): { readonly seq: number; readonly response: Promise<T> } {
    const message = { type: 'request', command, ...(args === undefined ? {} : { arguments: args }) };
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    // One that nobody looks at (any more) is no reason to end the test run.
    promise.catch(() => {});
    const seq = this.#channel.send(message);
    if (this.#over === undefined) this.#pending.set(seq, { command, resolve, reject });
    else reject(this.#over);
    return { seq, response: promise as Promise<T> };
  }

  /** Sends any message under the next sequence number. */
  sendRaw(message: Raw): number {
    return this.#channel.send(message);
  }

  /** The body of the first event of this name that no earlier call was given, come or still to come. */
  waitForEvent<T = unknown>(
    name: string,
    predicate: (body: T) => boolean = () => true,
    signal?: AbortSignal,
  ): Promise<T> {
    const matches = (body: unknown) => predicate(body as T);
    const known = this.#events.find((event) => event.name === name && !event.taken && matches(event.body));
    if (known !== undefined) {
      known.taken = true;
      return Promise.resolve(known.body as T);
    }
    if (this.#over !== undefined) return Promise.reject(this.#over);
    return new Promise<T>((resolve, reject) => {
      const waiter: Waiter = { name, matches, resolve: (body) => resolve(body as T), reject };
      this.#waiters.push(waiter);
      signal?.addEventListener('abort', () => {
        this.#waiters = this.#waiters.filter((one) => one !== waiter);
        reject(new Error(`The event ${name} did not come.`, { cause: signal.reason }));
      });
    });
  }

  /** All events of a name so far. */
  events<T = unknown>(name: string): T[] {
    return this.#events.filter((event) => event.name === name).map((event) => event.body as T);
  }

  /** Calls the listener for each event of this name from now on. */
  onEvent<T = unknown>(name: string, listener: (body: T) => void): void {
    const listeners = this.#listeners.get(name) ?? [];
    this.#listeners.set(name, [...listeners, (body) => listener(body as T)]);
  }

  /** Answers requests of the debug adapter; a thrown error is answered with success:false. */
  onReverseRequest(command: string, handler: (args: unknown) => unknown): void {
    this.#handlers.set(command, handler);
  }

  kill(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Ends what the debug adapter reads. */
  endInput(): void {
    this.#input.end();
  }

  #receive(received: Raw): void {
    // A client looks into every message.
    const message = received.body instanceof UnreadBody ? { ...received, body: received.body.toJSON() } : received;
    this.transcript.push({ direction: 'received', message });
    if (isResponse(message)) {
      const seq = Number(message.request_seq);
      const pending = this.#pending.get(seq);
      this.#pending.delete(seq);
      if (message.success === true) pending?.resolve(message.body);
      else pending?.reject(new DapError(pending.command, String(message.message ?? ''), message.body));
    } else if (isEvent(message)) {
      const event = { name: message.event, body: message.body, taken: false };
      this.#events.push(event);
      for (const listener of this.#listeners.get(event.name) ?? []) listener(event.body);
      const waiter = this.#waiters.find((one) => one.name === event.name && one.matches(event.body));
      if (waiter === undefined) return;
      event.taken = true;
      this.#waiters = this.#waiters.filter((one) => one !== waiter);
      waiter.resolve(event.body);
    } else if (isRequest(message)) {
      void this.#answer(message.seq, message.command, message.arguments);
    }
  }

  async #answer(seq: number | string, command: string, args: unknown): Promise<void> {
    const frame = { type: 'response', request_seq: seq, command };
    try {
      const handler = this.#handlers.get(command);
      if (handler === undefined) throw new Error(`There is no handler for ${command}.`);
      const body = await handler(args);
      this.#channel.send({ ...frame, success: true, ...(body === undefined ? {} : { body }) });
    } catch (error) {
      this.#channel.send({ ...frame, success: false, message: String(error) });
    }
  }

  #fail(error: Error): void {
    this.#over ??= error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }
}
