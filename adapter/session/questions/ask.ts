/**
 * Questions of the daemon to the user, asked by the client that connects: it has the terminal or the window.
 * This folder: what the daemon asks the user, and what may be answered.
 */
import { z } from 'zod';
import type { AskConsent, Consent } from '../../network/helper/consent.ts';
import {
  type PortAnswer,
  type PortQuestion,
  portAnswerSchema,
  portQuestionSchema,
} from '../../network/ports/resolve-conflict.ts';
import { unlessAborted } from '../../within.ts';
import { type HeldAnswer, type HeldQuestion, heldAnswerSchema, heldQuestionSchema } from './held-question.ts';

const consentSchema: z.ZodType<Consent> = z.enum(['granted', 'refused', 'impossible']);

const questionSchema = z.discriminatedUnion('about', [
  /** May privileges be asked for? `text` says what for. */
  z.object({ about: z.literal('privileges'), text: z.string() }),
  z.object({ about: z.literal('port'), question: portQuestionSchema }),
  /** Somebody else holds the target. */
  z.object({ about: z.literal('held'), question: heldQuestionSchema }),
]);
export type Question = z.infer<typeof questionSchema>;

/** What a client can ask its user; `impossible` where there is nobody to ask. */
export interface Ask {
  readonly consent: AskConsent;
  port(question: PortQuestion, signal: AbortSignal): Promise<PortAnswer>;
  held(question: HeldQuestion, signal: AbortSignal): Promise<HeldAnswer>;
}

/** Consent as "elevate" of the launch configuration says, which may have answered the question beforehand. */
export function consentAs(elevate: 'ask' | 'never' | 'allow', ask: Pick<Ask, 'consent'>): AskConsent {
  if (elevate === 'ask') return (text, signal) => ask.consent(text, signal);
  return async () => (elevate === 'allow' ? 'granted' : 'refused');
}

/** Lets `ask` answer a question that came over the socket. */
export async function answerQuestion(ask: Ask, value: unknown, signal: AbortSignal): Promise<string> {
  const asked = questionSchema.parse(value);
  switch (asked.about) {
    case 'privileges':
      return ask.consent(asked.text, signal);
    case 'port':
      return ask.port(asked.question, signal);
    case 'held':
      return ask.held(asked.question, signal);
  }
}

/** Questions sent by `send`, which rejects if the client is gone; then nobody can be asked any more. */
export function askThrough(send: (question: Question, signal: AbortSignal) => Promise<unknown>): Ask {
  const answer = async <T>(schema: z.ZodType<T>, question: Question, signal: AbortSignal, otherwise: T): Promise<T> => {
    try {
      return schema.parse(await unlessAborted(send(question, signal), signal));
    } catch {
      signal.throwIfAborted();
      return otherwise;
    }
  };
  return {
    consent: (text, signal) => answer(consentSchema, { about: 'privileges', text }, signal, 'impossible'),
    port: (question, signal) => answer(portAnswerSchema, { about: 'port', question }, signal, 'impossible'),
    held: (question, signal) => answer(heldAnswerSchema, { about: 'held', question }, signal, 'impossible'),
  };
}
