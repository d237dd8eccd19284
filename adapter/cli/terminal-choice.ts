/** Asks at the terminal which of several answers is meant. */
import { askLine, canAsk, ownTerminal, type Terminal } from './terminal-question.ts';

/** A question with the answers that it allows; one of them is `cancel`. */
interface ChoiceQuestion<A extends string> {
  readonly text: string;
  readonly choices: readonly { readonly answer: A; readonly text: string }[];
}

/** The chosen answer; `cancel` for an empty line and the end of the input, `impossible` without a terminal. */
export async function choose<A extends string>(
  question: ChoiceQuestion<A>,
  signal: AbortSignal,
  terminal: Terminal = ownTerminal(),
): Promise<A | 'cancel' | 'impossible'> {
  if (!canAsk(terminal)) return 'impossible';
  const { choices } = question;
  const list = choices.map(({ text }, index) => `  ${index + 1}  ${text}\n`).join('');
  const fallback = choices.findIndex(({ answer }) => answer === 'cancel') + 1;
  terminal.output.write(`${question.text}\n${list}`);
  for (;;) {
    const answer = await askLine(`Your choice [${fallback}]: `, terminal, signal);
    if (answer === undefined || answer === '') return 'cancel';
    const choice = /^\d+$/.test(answer) ? choices[Number(answer) - 1] : undefined;
    if (choice !== undefined) return choice.answer;
    terminal.output.write(`Please type a number from 1 to ${choices.length}.\n`);
  }
}
