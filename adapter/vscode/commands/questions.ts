/** The daemon's questions as dialogs of the window. */
import * as vscode from 'vscode';
import type { Consent } from '../../network/helper/consent.ts';
import type { PortAnswer, PortQuestion } from '../../network/ports/resolve-conflict.ts';
import type { HeldAnswer, HeldQuestion } from '../../session/questions/held-question.ts';
import { consentDialog, type DialogText, dapDialog, dapQuestion, heldDialog, portDialog } from './question-text.ts';

const questionEvent = 'kubernetesLocal/question';
const answerRequest = 'kubernetesLocal/answer';

/** Whether administrator rights may be asked for. A dialog cannot be taken back: aborting only ends the waiting. */
export async function askConsent(text: string, signal?: AbortSignal): Promise<Consent> {
  return (await ask(consentDialog(text), signal)) ?? 'refused';
}

/** What is to be done about a port in use. */
export async function askPort(question: PortQuestion, signal?: AbortSignal): Promise<PortAnswer> {
  return (await ask(portDialog(question), signal)) ?? 'cancel';
}

/** What is to be done about a target that somebody else holds. */
export async function askHeld(question: HeldQuestion, signal?: AbortSignal): Promise<HeldAnswer> {
  return (await ask(heldDialog(question), signal)) ?? 'cancel';
}

/** Answers a question of a debug adapter; does nothing for other events. Rejects if the session is gone. */
export async function answerDapQuestion(
  session: vscode.DebugSession,
  { event, body }: Pick<vscode.DebugSessionCustomEvent, 'event' | 'body'>,
): Promise<void> {
  const question = event === questionEvent ? dapQuestion(body) : undefined;
  if (question === undefined) return;
  const choice = await ask(dapDialog(question));
  await session.customRequest(answerRequest, { id: question.id, ...(choice !== undefined && { choice }) });
}

/** The chosen answer; undefined if the dialog was closed without one. Throws the signal's reason. */
async function ask<T>({ message, detail, buttons }: DialogText<T>, signal?: AbortSignal): Promise<T | undefined> {
  signal?.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = () => aborted.reject(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const shown = vscode.window.showWarningMessage(message, { modal: true, detail }, ...buttons);
    return (await Promise.race([shown, aborted.promise]))?.answer;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
