/** The questions of the one-time prompt at a terminal: on standard error, for standard output may be a file. */
import type { Choice, ChoiceQuestion, Prompter, TextQuestion } from '../configure/prompter.ts';
import { Problem } from '../problem.ts';
import { unlessAborted } from '../within.ts';
import { waitingLine } from './waiting-line.ts';

/** Longer lists are searched by typing. */
const longestPlainList = 12;
const shownOfLongList = 10;

/** Loaded when the first question is asked: most commands ask none. */
const load = () => import('@clack/prompts');

/** Where is asked; the library takes keys one by one from it. */
interface Place {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}

export class TerminalPrompter implements Prompter {
  readonly #place: Place;

  constructor(place: Place = { input: process.stdin, output: process.stderr }) {
    const { output } = place;
    // Where nobody has told the terminal its size, the library would write one character a line.
    output.columns ||= 80;
    output.rows ||= 24;
    this.#place = place;
  }

  async choose<T>({ title, choices, initial }: ChoiceQuestion<T>, signal: AbortSignal): Promise<T> {
    const { select, autocomplete, isCancel } = await load();
    // The library compares values; texts are safe to compare.
    const options = choices.map((choice, index) => ({ value: String(index), label: inOneLine(choice) }));
    const first = Math.max(
      0,
      choices.findIndex(({ value }) => initial !== undefined && value === initial),
    );
    const common = { message: title, options, initialValue: String(first), signal, ...this.#place };
    const answer =
      options.length > longestPlainList
        ? await autocomplete({
            ...common,
            maxItems: shownOfLongList,
            placeholder: 'Type to search',
            filter: (text, { value }) => isFound(text, choices[Number(value)]),
          })
        : await select(common);
    const chosen = isCancel(answer) ? undefined : choices[Number(answer)];
    if (chosen === undefined) throw cancelled(signal);
    return chosen.value;
  }

  async enter({ title, initial, check }: TextQuestion, signal: AbortSignal): Promise<string> {
    const { text, isCancel } = await load();
    const answer = await text({
      message: title,
      initialValue: initial,
      validate: (value) => check(value ?? ''),
      signal,
      ...this.#place,
    });
    if (isCancel(answer)) throw cancelled(signal);
    return answer;
  }

  async wait<T>(what: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    // Not the library's: it ends the process with code 0 at Ctrl-C.
    using _line = waitingLine(what, this.#place.output);
    return await unlessAborted(work(signal), signal);
  }
}

/** What leads elsewhere is always offered. */
function isFound(text: string, choice: Choice<unknown> | undefined): boolean {
  if (choice === undefined) return false;
  return choice.label.endsWith('…') || inOneLine(choice).toLowerCase().includes(text.toLowerCase());
}

/** A choice with what is said of it. */
export function inOneLine({ label, description }: Choice<unknown>): string {
  return description === undefined ? label : `${label} (${description})`;
}

/** Problem cancelled, in the words of the signal if that is why. */
export function cancelled(signal: AbortSignal): Problem {
  if (signal.aborted && signal.reason instanceof Problem) return signal.reason;
  return new Problem({ code: 'cancelled', what: 'Cancelled.', why: 'Nothing was written.', remedy: '' });
}
