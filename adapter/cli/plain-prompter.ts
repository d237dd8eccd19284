/** The questions of the one-time prompt as plain lines that are answered by a line: nothing moves, nothing is drawn again. */
import type { ChoiceQuestion, Prompter, TextQuestion } from '../configure/prompter.ts';
import { unlessAborted } from '../within.ts';
import { cancelled, inOneLine } from './terminal-prompter.ts';
import { askLine, ownTerminal, type Terminal } from './terminal-question.ts';

/** Whether the user, for example one with a screen reader, or the terminal asks for that: `ACCESSIBLE`, `TERM=dumb`. */
export function wantsPlainLines({ ACCESSIBLE: accessible = '', TERM }: NodeJS.ProcessEnv): boolean {
  return !['', '0', 'false'].includes(accessible) || TERM === 'dumb';
}

export class PlainPrompter implements Prompter {
  readonly #terminal: Terminal;

  constructor(terminal: Terminal = ownTerminal()) {
    this.#terminal = terminal;
  }

  async choose<T>({ title, choices, initial }: ChoiceQuestion<T>, signal: AbortSignal): Promise<T> {
    const list = choices.map((choice, index) => `  ${index + 1}  ${inOneLine(choice)}\n`).join('');
    this.#terminal.output.write(`${title}\n${list}`);
    const first = 1 + choices.findIndex(({ value }) => initial !== undefined && value === initial) || 1;
    for (;;) {
      const answer = await this.#line(`Your choice, a number [${first}]: `, signal);
      const chosen = /^\d*$/.test(answer) ? choices[(answer === '' ? first : Number(answer)) - 1] : undefined;
      if (chosen !== undefined) return chosen.value;
      this.#terminal.output.write(`Please type a number from 1 to ${choices.length}.\n`);
    }
  }

  async enter({ title, initial, check }: TextQuestion, signal: AbortSignal): Promise<string> {
    for (;;) {
      const answer = (await this.#line(initial === '' ? `${title} ` : `${title} [${initial}]: `, signal)) || initial;
      const objection = check(answer);
      if (objection === undefined) return answer;
      this.#terminal.output.write(`${objection}\n`);
    }
  }

  async wait<T>(what: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    this.#terminal.output.write(`${what} …\n`);
    return await unlessAborted(work(signal), signal);
  }

  async #line(question: string, signal: AbortSignal): Promise<string> {
    const answer = await askLine(question, this.#terminal, signal);
    if (answer === undefined) throw cancelled(signal);
    return answer;
  }
}
