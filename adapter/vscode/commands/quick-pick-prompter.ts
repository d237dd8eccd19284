/** The one-time prompt in the window: quick picks and input boxes, one after the other. */
import * as vscode from 'vscode';
import type { Choice, ChoiceQuestion, Prompter, TextQuestion } from '../../configure/prompter.ts';
import { Problem } from '../../problem.ts';
import { withProgress } from './progress.ts';

export class QuickPickPrompter implements Prompter {
  readonly #title: string;
  readonly #isNumbered: boolean;
  #step = 0;

  /** `title` stands above every question. Where there are several, they are numbered. */
  constructor(title: string, questions: 'one' | 'several' = 'one') {
    this.#title = title;
    this.#isNumbered = questions === 'several';
  }

  choose<T>({ title, choices, initial }: ChoiceQuestion<T>, signal: AbortSignal): Promise<T> {
    const pick = vscode.window.createQuickPick<vscode.QuickPickItem & { readonly choice: Choice<T> }>();
    pick.placeholder = title;
    pick.matchOnDescription = true;
    pick.items = choices.map((choice) => ({
      label: choice.label,
      ...(choice.description !== undefined && { description: choice.description }),
      choice,
    }));
    const first = pick.items.find(({ choice }) => initial !== undefined && choice.value === initial);
    // An empty list would mean that Enter takes none; otherwise VS Code makes it the first.
    if (first !== undefined) pick.activeItems = [first];
    return this.#ask(pick, signal, () => {
      const [item] = pick.selectedItems;
      return item && { answer: item.choice.value };
    });
  }

  enter({ title, initial, check }: TextQuestion, signal: AbortSignal): Promise<string> {
    const box = vscode.window.createInputBox();
    box.prompt = title;
    box.value = initial;
    const validate = () => {
      const objection = check(box.value);
      // Undefined cannot be given where it has been set: an empty text takes the objection away.
      box.validationMessage = objection ?? '';
      return objection;
    };
    box.onDidChangeValue(validate);
    return this.#ask(box, signal, () => (validate() === undefined ? { answer: box.value } : undefined));
  }

  wait<T>(what: string, work: (signal: AbortSignal) => Promise<T>, signal: AbortSignal): Promise<T> {
    return withProgress(what, (_report, inner) => work(inner), signal);
  }

  /** Shows it until `accepted` has an answer. Problem cancelled if it is closed without one, or the signal is aborted. */
  async #ask<T>(
    input: vscode.QuickInput & { readonly onDidAccept: vscode.Event<void> },
    signal: AbortSignal,
    accepted: () => { readonly answer: T } | undefined,
  ): Promise<T> {
    if (signal.aborted) throw Problem.cancelled(signal.reason);
    input.title = this.#title;
    this.#step++;
    if (this.#isNumbered) input.step = this.#step;
    input.ignoreFocusOut = true;
    const close = () => input.hide();
    signal.addEventListener('abort', close, { once: true });
    try {
      return await new Promise<T>((resolve, reject) => {
        input.onDidAccept(() => {
          const result = accepted();
          if (result !== undefined) resolve(result.answer);
        });
        input.onDidHide(() => reject(Problem.cancelled()));
        input.show();
      });
    } finally {
      signal.removeEventListener('abort', close);
      input.dispose();
    }
  }
}
