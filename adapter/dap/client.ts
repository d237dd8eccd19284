/** What the client is told, and when: nothing that says "it is over" reaches it before the surroundings are undone. */
import { OutputEvent, TerminatedEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Channel } from './channel.ts';
import type { Raw, Request } from './message.ts';

export class Client {
  readonly #channel: Channel;
  readonly #undo: () => Promise<void>;
  #undoing: Promise<void> | undefined;
  #undone = false;
  /** What waits for the undo, in order. */
  #waiting: Raw[] | undefined;
  #terminated = false;

  /** `undo` is called at most once and must not reject. */
  constructor(channel: Channel, undo: () => Promise<void>) {
    this.#channel = channel;
    this.#undo = undo;
  }

  /** Sends a message; order is kept, so it may have to wait behind one that waits. */
  send(message: Raw): void {
    if (this.#waiting === undefined) this.#channel.send(message);
    else this.#waiting.push(message);
  }

  respond(request: Request, answer: Raw): void {
    this.send({ type: 'response', request_seq: Number(request.seq), command: request.command, ...answer });
  }

  refuse(request: Request, why: string): void {
    this.respond(request, { success: false, message: why });
  }

  /** A line for the user: VS Code shows `important` as a notification too. */
  tell(text: string, category: 'important' | 'console'): void {
    if (text === '') return;
    const event: DebugProtocol.OutputEvent = new OutputEvent(`${text}\n`, category);
    this.send({ ...event });
  }

  /** What the program wrote, where its debug adapter does not say so itself. */
  print(text: string, stream: 'stdout' | 'stderr'): void {
    this.send({ ...new OutputEvent(text, stream) });
  }

  /** Says that the session is over, unless that was said. */
  sayTerminated(): void {
    if (!this.#terminated) this.sendAfterUndo({ ...new TerminatedEvent() });
  }

  /** Sends a message when the surroundings are undone, and all later ones after it. */
  sendAfterUndo(message: Raw): void {
    if (message.event === 'terminated') this.#terminated = true;
    this.holdUntilUndone();
    this.send(message);
  }

  /** Lets all that is sent from now on wait for the undo. */
  holdUntilUndone(): void {
    if (this.#undone) return;
    this.#waiting ??= [];
    void this.undo();
  }

  /** Undoes the surroundings, once; then everything that waited leaves. Never rejects. */
  undo(): Promise<void> {
    this.#undoing ??= this.#undo().then(() => {
      this.#undone = true;
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      for (const message of waiting) this.#channel.send(message);
    });
    return this.#undoing;
  }
}
