/**
 * Questions to the user of a client that has an extension of ours: the custom event `kubernetesLocal/question`, answered by
 * the custom request `kubernetesLocal/answer`. They are asked while `launch` waits, so no request of DAP would do.
 */
import type { Client } from './client.ts';
import { field, type Request } from './message.ts';
import type { Question } from './surroundings.ts';

export const questionEvent = 'kubernetesLocal/question';
export const answerCommand = 'kubernetesLocal/answer';

export class Questions {
  readonly #client: Client;
  readonly #open = new Map<number, (choice: string | undefined) => void>();
  #last = 0;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Resolves with the id of the chosen answer; undefined if the user dismissed the question. Rejects when aborted. */
  ask(question: Question, signal: AbortSignal): Promise<string | undefined> {
    signal.throwIfAborted();
    const id = ++this.#last;
    const answered = Promise.withResolvers<string | undefined>();
    const abort = () => answered.reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    this.#open.set(id, answered.resolve);
    this.#client.send({ type: 'event', event: questionEvent, body: { id, ...question } });
    return answered.promise.finally(() => {
      this.#open.delete(id);
      signal.removeEventListener('abort', abort);
    });
  }

  /** Takes the client's answer. One to a question that nobody asks any more is refused. */
  answered(request: Request): void {
    const choice = field(request.arguments, 'choice');
    const resolve = this.#open.get(Number(field(request.arguments, 'id')));
    if (resolve === undefined) {
      this.#client.refuse(request, 'Nobody asks that question any more.');
      return;
    }
    this.#client.respond(request, { success: true });
    resolve(typeof choice === 'string' ? choice : undefined);
  }
}
