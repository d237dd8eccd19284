/**
 * One connection of an emulated client to a debug adapter. It tolerates nothing that any real client stumbles over: it
 * fails, and with it everything that waits, at the first message that breaks a rule.
 */
import type { Readable, Writable } from 'node:stream';
import { field, isEvent, isRaw, isRequest, isResponse, type Raw, type Request } from '../../adapter/dap/message.ts';

export interface WireRules {
  /** The number of the client's first message: Helix and Kate begin with 0. */
  readonly firstSeq: number;
  /** Looks at each message; throws if this client would choke on it. */
  check(message: Raw): void;
  /** An event, or a request of the debug adapter; throws if this client cannot bear it. */
  event(name: string, body: unknown): void;
  asked(request: Request): void;
}

interface Pending {
  readonly command: string;
  readonly resolve: (response: Raw) => void;
  readonly reject: (error: Error) => void;
}

export class Wire {
  /** All messages in both directions, for the error. */
  readonly transcript: string[] = [];
  /** Resolves when the debug adapter has closed its end. */
  readonly closed: Promise<void>;
  /** Rejects at the first violation. */
  readonly broken: Promise<never>;
  readonly #rules: WireRules;
  readonly #output: Writable;
  readonly #break: (error: Error) => void;
  readonly #pending = new Map<number, Pending>();
  #failure: Error | undefined;
  #buffer = Buffer.alloc(0);
  #next: number;
  #heard = 0;

  constructor(input: Readable, output: Writable, rules: WireRules) {
    this.#rules = rules;
    this.#output = output;
    this.#next = rules.firstSeq;
    const { promise, reject } = Promise.withResolvers<never>();
    this.broken = promise;
    this.#break = reject;
    this.broken.catch(() => {});
    // A debug adapter that has gone is noticed by its end.
    output.on('error', () => {});
    input.on('data', (bytes: Buffer) => this.#read(bytes));
    this.closed = new Promise((resolve) => input.once('close', resolve));
    void this.closed.then(() => this.#abandon());
  }

  /** Sends a request; resolves with the response, whatever it says. Fails the wire if it takes longer than `limit` ms. */
  async request(command: string, args: Raw | null | undefined, limit?: number): Promise<Raw> {
    const { promise, resolve, reject } = Promise.withResolvers<Raw>();
    const seq = this.send({ type: 'request', command, ...(args === undefined ? {} : { arguments: args }) });
    this.#pending.set(seq, { command, resolve, reject });
    const late = () => this.fail(`There is no answer to ${command} after ${limit} ms.`);
    const timer = limit === undefined ? undefined : setTimeout(late, limit);
    try {
      return await this.unlessBroken(promise);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends any message; `seq` if it is not the next one. */
  send(message: Raw, seq = this.#next++): number {
    const bytes = Buffer.from(JSON.stringify({ seq, ...message }));
    this.transcript.push(`client: ${bytes}`);
    this.#output.write(`Content-Length: ${bytes.length}\r\n\r\n`);
    this.#output.write(bytes);
    return seq;
  }

  unlessBroken<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.broken]);
  }

  /** The client chokes. */
  fail(why: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = new Error(`${why}\n${this.transcript.slice(-30).join('\n')}`);
    this.#break(this.#failure);
  }

  /** Throws what has been broken so far. */
  assertWhole(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #abandon(): void {
    for (const { command, reject } of this.#pending.values()) {
      const error = new Error(
        `The debug adapter has ended; ${command} was not answered.\n${this.transcript.join('\n')}`,
      );
      // Who killed it waits for no answer.
      reject(error);
    }
    this.#pending.clear();
  }

  #read(bytes: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, bytes]);
    for (;;) {
      const end = this.#buffer.indexOf('\r\n\r\n');
      if (end === -1) return;
      const header = this.#buffer.subarray(0, end).toString('latin1');
      // Helix splits at ": " and gives the connection up at anything else (helix-dap/src/transport.rs).
      const length = /^Content-Length: (\d+)$/.exec(header)?.[1];
      if (length === undefined) {
        this.fail(`This header is not understood by every client: ${JSON.stringify(header)}`);
        return;
      }
      const start = end + 4;
      if (this.#buffer.length < start + Number(length)) return;
      const text = this.#buffer.subarray(start, start + Number(length)).toString('utf8');
      this.#buffer = this.#buffer.subarray(start + Number(length));
      this.transcript.push(`adapter: ${text.slice(0, 600)}`);
      try {
        this.#hear(JSON.parse(text));
      } catch (error) {
        this.fail(error instanceof Error ? error.message : String(error));
      }
    }
  }

  #hear(message: unknown): void {
    if (!isRaw(message)) throw new Error('A message is not an object.');
    this.#heard++;
    if (message.seq !== this.#heard) throw new Error(`seq is ${message.seq} where ${this.#heard} was due.`);
    this.#rules.check(message);
    if (isResponse(message)) this.#answered(message);
    else if (isEvent(message)) this.#rules.event(message.event, message.body);
    else if (isRequest(message)) this.#rules.asked(message);
    else throw new Error(`There is no such type of message: ${message.type}`);
  }

  #answered(response: Raw): void {
    const seq = Number(response.request_seq);
    const pending = this.#pending.get(seq);
    if (pending === undefined) throw new Error(`Nothing waits for an answer to ${response.request_seq}.`);
    if (response.command !== pending.command) throw new Error(`${response.command} answers ${pending.command}.`);
    if (typeof response.success !== 'boolean') throw new Error('A response has no success.');
    this.#pending.delete(seq);
    pending.resolve(response);
  }
}

/** What a failed response says. */
export function failureIn(response: Raw): string {
  const format = field(field(response.body, 'error'), 'format');
  return `${response.command}: ${response.message ?? ''} ${typeof format === 'string' ? format : ''}`;
}
