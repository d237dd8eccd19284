/** What the client is told, and when: nothing that says "it is over" reaches it before the surroundings are undone. */
import { OutputEvent, TerminatedEvent } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Problem } from '../problem.ts';
import type { Raw, Request } from './message.ts';
import { inOneText, type RemedyOf, withHelp } from './problem-response.ts';
import type { Channel } from './wire/channel.ts';

/** These show no output of the category "important" (dape.el; DSPDebugTarget.java of LSP4E). */
const withoutImportant = new Set<unknown>(['dape', 'lsp4e.debug']);

export interface ClientOptions {
  readonly channel: Channel;
  /** Called at most once; must not reject. */
  readonly undo: () => Promise<void>;
  /** Named in each error of ours. */
  readonly logPath?: () => string | undefined;
  /** Added to each error of ours. */
  readonly remedy?: RemedyOf;
}

export class Client {
  /** The `clientID` of its `initialize`. */
  id: unknown;
  readonly #channel: Channel;
  readonly #undo: () => Promise<void>;
  readonly #logPath: () => string | undefined;
  readonly #remedy: RemedyOf;
  #undoing: Promise<void> | undefined;
  #undone = false;
  /** What waits for the undo, in order. */
  #waiting: Raw[] | undefined;
  #terminated: 'by us' | 'by the debugger' | undefined;

  constructor({ channel, undo, logPath = () => undefined, remedy = () => undefined }: ClientOptions) {
    this.#channel = channel;
    this.#undo = undo;
    this.#logPath = logPath;
    this.#remedy = remedy;
  }

  /** Sends a message; order is kept, so it may have to wait behind one that waits. */
  send(message: Raw): void {
    if (this.#waiting === undefined) this.#channel.send(message);
    else this.#waiting.push(message);
  }

  respond(request: Request, answer: Raw): void {
    this.send({
      type: 'response',
      request_seq: Number(request.seq),
      command: request.command,
      ...withHelp(answer, this.#logPath(), this.#remedy),
    });
  }

  refuse(request: Request, why: string): void {
    this.respond(request, { success: false, message: why });
  }

  /** An error that is no answer to anything. */
  tellProblem(problem: Problem): void {
    this.tell(inOneText(problem, this.#logPath()), 'important');
  }

  /** A line for the user: VS Code shows `important` as a notification too. */
  tell(text: string, category: 'important' | 'console'): void {
    if (text === '') return;
    const shown = category === 'important' && withoutImportant.has(this.id) ? 'stderr' : category;
    const event: DebugProtocol.OutputEvent = new OutputEvent(`${text}\n`, shown);
    this.send({ ...event });
  }

  /** What the program wrote, where its debug adapter does not say so itself. */
  print(text: string, stream: 'stdout' | 'stderr'): void {
    this.send({ ...new OutputEvent(text, stream) });
  }

  /** Whether it was told that the session is over. */
  get hasHeardTerminated(): boolean {
    return this.#terminated !== undefined && this.#waiting === undefined;
  }

  /** Says that the session is over, unless that was said. */
  sayTerminated(): void {
    if (this.#terminated !== undefined) return;
    this.#terminated = 'by us';
    this.sendAfterUndo({ ...new TerminatedEvent() });
  }

  /** The debugger's `terminated`; not if it only repeats ours, for some clients end once more then. */
  passTerminated(event: Raw): void {
    if (this.#terminated === 'by us') return;
    this.#terminated = 'by the debugger';
    this.sendAfterUndo(event);
  }

  /** Sends a message when the surroundings are undone, and all later ones after it. */
  sendAfterUndo(message: Raw): void {
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
