/** Answers questions without asking, where one answer is nearly always right; whoever is behind it gets the others. */
import type { ChoiceQuestion, Prompter, TextQuestion } from '../configure/prompter.ts';
import { Problem } from '../problem.ts';

export class UsualAnswers implements Prompter {
  readonly #behind: Prompter | undefined;

  /** Without anybody behind, questions without a usual answer are Problem bad-arguments, which names the option to give. */
  constructor(behind: Prompter | undefined) {
    this.#behind = behind;
  }

  async choose<T>(question: ChoiceQuestion<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (question.initial !== undefined) return question.initial;
    if (this.#behind !== undefined) return await this.#behind.choose(question, signal);
    const labels = question.choices.filter(({ label }) => !label.endsWith('…')).map(({ label }) => label);
    throw nobodyToAsk(question, labels.length === 0 ? '' : `The answers are: ${labels.join(', ')}.`);
  }

  async enter(question: TextQuestion, signal: AbortSignal): Promise<string> {
    signal.throwIfAborted();
    if (question.check(question.initial) === undefined) return question.initial;
    if (this.#behind !== undefined) return await this.#behind.enter(question, signal);
    throw nobodyToAsk(question, '');
  }

  async wait<T>(what: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#behind === undefined ? await work(signal) : await this.#behind.wait(what, work, signal);
  }
}

function nobodyToAsk({ title, option }: { readonly title: string; readonly option?: string }, why: string): Problem {
  return new Problem({
    code: 'bad-arguments',
    what: `Nobody can be asked: ${title}`,
    why,
    remedy: option === undefined ? 'Run it in a terminal.' : `Give the option ${option}, or run it in a terminal.`,
  });
}
