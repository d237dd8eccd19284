/** The seam between the one-time prompt and where its questions are shown: a terminal, or the window of an IDE. */

/** One of several answers. */
export interface Choice<T> {
  readonly label: string;
  /** Beside the label, in few words. */
  readonly description?: string;
  readonly value: T;
}

export interface ChoiceQuestion<T> {
  /** A short question, such as "Which Service runs on this computer?". */
  readonly title: string;
  readonly choices: readonly Choice<T>[];
  /** The option of the command line that answers it beforehand. */
  readonly option?: string;
  /** The one that Enter takes; default: the first. Set where it is nearly always right. */
  readonly initial?: T;
}

export interface TextQuestion {
  readonly title: string;
  readonly option?: string;
  readonly initial: string;
  /** Why this text cannot be the answer; undefined if it can. */
  check(text: string): string | undefined;
}

/** Asks the user. Each question throws Problem cancelled if the user went away from it. */
export interface Prompter {
  choose<T>(question: ChoiceQuestion<T>, signal: AbortSignal): Promise<T>;
  enter(question: TextQuestion, signal: AbortSignal): Promise<string>;
  /** Shows what is waited for while `work` runs; the user can end the waiting, which aborts the signal that `work` gets. */
  wait<T>(what: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T>;
}
