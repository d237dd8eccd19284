/** Tells the client how far connecting is: as DAP progress with a Cancel button, or as lines in the debug console. */
import { OutputEvent, ProgressEndEvent, ProgressStartEvent, ProgressUpdateEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';

export class Progress {
  readonly id: string;
  readonly #send: (event: DebugProtocol.Event) => void;
  readonly #asEvents: boolean;
  #last = '';
  #ended = false;

  /** `request` is the sequence number of the client's request that the progress belongs to. */
  constructor(options: {
    id: string;
    title: string;
    request: number;
    asEvents: boolean;
    send(event: DebugProtocol.Event): void;
  }) {
    this.id = options.id;
    this.#send = options.send;
    this.#asEvents = options.asEvents;
    if (!this.#asEvents) return;
    const start: DebugProtocol.ProgressStartEvent = new ProgressStartEvent(options.id, options.title);
    start.body.requestId = options.request;
    start.body.cancellable = true;
    this.#send(start);
  }

  report(text: string, percentage?: number): void {
    if (this.#ended) return;
    if (this.#asEvents) {
      const update: DebugProtocol.ProgressUpdateEvent = new ProgressUpdateEvent(this.id, text);
      if (percentage !== undefined) update.body.percentage = Math.min(100, Math.max(0, percentage));
      this.#send(update);
    } else if (text !== this.#last) {
      this.#last = text;
      this.#send(new OutputEvent(`${text}\n`, 'console'));
    }
  }

  end(text?: string): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#asEvents) this.#send(new ProgressEndEvent(this.id, text));
  }
}
