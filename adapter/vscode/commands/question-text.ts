/** The daemon's questions in the words of a dialog: one short line, the rest beneath it, short buttons. */
import { z } from 'zod';
import type { PortAnswer, PortQuestion } from '../../network/ports/resolve-conflict.ts';
import type { HeldAnswer, HeldQuestion } from '../../session/questions/held-question.ts';

/** A question that a debug adapter of ours sends in the event `kubernetesLocal/question`. */
const dapQuestionSchema = z.object({
  id: z.union([z.string(), z.number()]),
  about: z.enum(['privileges', 'port', 'held']),
  title: z.string(),
  text: z.string(),
  choices: z.array(z.object({ id: z.string(), label: z.string() })),
});
export type DapQuestion = z.infer<typeof dapQuestionSchema>;

/** The body of the event; undefined if it is not one. */
export function dapQuestion(body: unknown): DapQuestion | undefined {
  return dapQuestionSchema.safeParse(body).data;
}

export interface DialogText<T> {
  readonly message: string;
  readonly detail: string;
  /** Without the one that cancels: each dialog has that. */
  readonly buttons: readonly { readonly title: string; readonly answer: T }[];
}

/** The first line of a text is the message. */
function dialog<T>(text: string, buttons: DialogText<T>['buttons']): DialogText<T> {
  const [message = '', ...rest] = text.trim().split('\n');
  return { message, detail: rest.join('\n'), buttons };
}

/** May administrator rights be asked for? */
export function consentDialog(text: string): DialogText<'granted'> {
  return dialog(text, [{ title: 'Allow', answer: 'granted' }]);
}

/** What is to be done about a port in use? */
export function portDialog(question: PortQuestion): DialogText<PortAnswer> {
  return choiceDialog(question);
}

/** What is to be done about a target that somebody else holds? */
export function heldDialog(question: HeldQuestion): DialogText<HeldAnswer> {
  return choiceDialog(question);
}

function choiceDialog<A extends string>(question: {
  readonly text: string;
  readonly choices: readonly { readonly answer: A; readonly text: string }[];
}): DialogText<A> {
  const answers = question.choices.filter(({ answer }) => !isRefusal(answer));
  const text = withWholeAnswers(
    question.text,
    answers.map((each) => each.text),
  );
  return dialog(
    text,
    answers.map(({ answer, text: choice }) => ({ title: button(choice), answer })),
  );
}

/** A question that came through a debug adapter. */
export function dapDialog({ title, text, choices }: DapQuestion): DialogText<string> {
  const answers = choices.filter(({ id }) => !isRefusal(id));
  const detail = withWholeAnswers(
    text,
    answers.map(({ label }) => label),
  );
  return {
    message: title,
    detail: detail.trim(),
    buttons: answers.map(({ id, label }) => ({ title: button(label), answer: id })),
  };
}

/** A button has room for the first words of an answer only; the rest must not be lost. */
function withWholeAnswers(text: string, answers: readonly string[]): string {
  return [text, ...answers.filter((answer) => answer.includes(';'))].join('\n');
}

/** `cancel` and `refused` are what closing the dialog says. */
function isRefusal(id: string): boolean {
  return id === 'cancel' || id === 'refused';
}

/** Of "Use port 18080 instead; your program has to listen there." the words before the semicolon. */
function button(choice: string): string {
  return (choice.split(';')[0] ?? choice).replace(/\.$/, '');
}
