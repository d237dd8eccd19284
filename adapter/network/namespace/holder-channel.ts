/** Asks a holder process: numbered requests over Node's IPC channel, each with one reply, which may bring a socket. */
import type { ChildProcess, Serializable } from 'node:child_process';
import { Socket as DatagramSocket } from 'node:dgram';
import { Server, Socket } from 'node:net';
import { unlessAborted } from '../../within.ts';
import { type HolderReply, type HolderRequest, replySchema, startedId, type Unnumbered } from './holder-protocol.ts';

export interface Answer {
  readonly reply: HolderReply;
  /** The socket or server that came with it. */
  readonly handle: unknown;
}

export class HolderChannel {
  /** The holder runs. Rejects if it ends before it says so. */
  readonly started: Promise<void>;
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<Answer>>();
  #last = startedId;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.started = this.#wait(startedId).then(() => {});
    // Whoever waits for it gets the error; nobody has to.
    this.started.catch(() => {});
    child.on('message', (message, handle) => this.#receive(message, handle));
    child.once('disconnect', () => this.#fail(new Error('the process that holds the private network ended')));
    child.once('error', (error) => this.#fail(error));
  }

  /** Rejects with an error of the holder's message and code, or with the signal's reason. A late answer's socket is closed. */
  async ask(request: Unnumbered<HolderRequest>, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const id = ++this.#last;
    const answer = this.#wait(id);
    this.#child.send({ ...request, id }, (error) => {
      if (error) this.#settle(id)?.reject(error);
    });
    try {
      return await unlessAborted(answer, signal);
    } catch (error) {
      if (this.#settle(id)) answer.catch(() => {});
      throw error;
    }
  }

  #wait(id: number): Promise<Answer> {
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(id, waiting);
    return waiting.promise;
  }

  #settle(id: number): PromiseWithResolvers<Answer> | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #receive(message: Serializable, handle: unknown): void {
    const parsed = replySchema.safeParse(message);
    const waiting = parsed.success ? this.#settle(parsed.data.id) : undefined;
    if (!parsed.success || waiting === undefined) {
      if (handle instanceof Socket) handle.destroy();
      if (handle instanceof Server || handle instanceof DatagramSocket) handle.close();
      return;
    }
    const { error } = parsed.data;
    if (error === undefined) waiting.resolve({ reply: parsed.data, handle });
    else waiting.reject(Object.assign(new Error(error.message), error.code !== undefined && { code: error.code }));
  }

  #fail(error: Error): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of all) waiting.reject(error);
  }
}
