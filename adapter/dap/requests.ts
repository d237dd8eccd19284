/**
 * The requests that went to one side and wait for its answer.
 * Each side sees our own sequence numbers only; this maps them back to the numbers of whoever asked.
 */

import { numberOf, type Raw, type Request, type Response } from './message.ts';
import type { Channel } from './wire/channel.ts';

type Waiting =
  | { readonly from: 'other side'; readonly request: Request }
  | { readonly from: 'us'; readonly resolve: (response: Response) => void };

/** An answer to a request of the other side, ready to be sent there. */
export interface Answer {
  readonly request: Request;
  readonly message: Raw;
}

export class Requests {
  readonly #channel: Channel;
  readonly #waiting = new Map<number, Waiting>();

  constructor(channel: Channel) {
    this.#channel = channel;
  }

  /** Sends a request of the other side; `message` if it is to arrive in other words. */
  forward(request: Request, message: Raw = request): void {
    this.#waiting.set(this.#channel.send(message), { from: 'other side', request });
  }

  /** Sends a request of our own. Never rejects; does not resolve if no answer comes. */
  ask(message: Raw): Promise<Response> {
    return new Promise((resolve) => {
      this.#waiting.set(this.#channel.send(message), { from: 'us', resolve });
    });
  }

  /** Takes a response. Undefined if it was for us, or for nobody: an answer given twice goes nowhere. */
  answer(response: Response): Answer | undefined {
    const seq = Number(response.request_seq);
    const waiting = this.#waiting.get(seq);
    this.#waiting.delete(seq);
    if (waiting === undefined) return undefined;
    if (waiting.from === 'us') {
      waiting.resolve(response);
      return undefined;
    }
    const { request } = waiting;
    // `command` is missing in error responses of dape, and differs if we put the request in other words.
    const message = { ...response, request_seq: Number(request.seq), command: request.command };
    return { request, message };
  }

  /** The number under which a waiting request of the other side arrived here. */
  sentAs(seq: unknown): number | undefined {
    for (const [sent, waiting] of this.#waiting) {
      if (waiting.from === 'other side' && Number(waiting.request.seq) === numberOf(seq)) return sent;
    }
    return undefined;
  }

  /** The asker's number of a waiting request that arrived here as `sent`. */
  askedAs(sent: unknown): number | undefined {
    const waiting = this.#waiting.get(numberOf(sent));
    return waiting?.from === 'other side' ? Number(waiting.request.seq) : undefined;
  }

  /** Gives up waiting for the answer to a request of the other side: one that comes later goes nowhere. */
  withdraw(request: Request): void {
    for (const [sent, waiting] of this.#waiting) {
      if (waiting.from === 'other side' && waiting.request === request) this.#waiting.delete(sent);
    }
  }

  /** All requests of the other side that will not be answered any more. */
  abandon(): readonly Request[] {
    const requests = [...this.#waiting.values()].flatMap((one) => (one.from === 'other side' ? [one.request] : []));
    this.#waiting.clear();
    return requests;
  }
}
