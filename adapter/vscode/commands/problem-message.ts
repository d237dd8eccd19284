/** Shows a problem, with buttons that do something about it. */
import * as vscode from 'vscode';
import type { Problem } from '../../problem.ts';
import type { Services } from '../services.ts';
import type { About } from './about.ts';
import { problemText } from './problem-text.ts';
import { performRemedy } from './remedy.ts';

export interface ProblemContext extends About {
  /** The start of a debug session failed: the user waits for it, so it is a dialog. */
  readonly isDebugStart?: boolean;
  /** Does again what failed; default: starts debugging again. */
  readonly again?: () => unknown;
}

/**
 * Shows it until the user has answered; nothing is shown of what the user cancelled. Never rejects.
 * Who has to go on meanwhile does not wait for it.
 */
export async function showProblem(problem: Problem, services: Services, about: ProblemContext = {}): Promise<void> {
  const { isDebugStart = false } = about;
  if (problem.code === 'cancelled') return;
  services.output.error(`(${problem.code}) ${problem.message}`, ...(problem.cause ? [problem.cause] : []));
  const { message, detail, remedies } = problemText(problem, isDebugStart);
  const buttons = remedies.map((remedy) => ({ title: remedy.label, remedy }));
  const options = isDebugStart ? { modal: true, detail } : {};
  const chosen = await vscode.window.showErrorMessage(message, options, ...buttons);
  if (chosen === undefined) return;
  try {
    await performRemedy(chosen.remedy, about, problem.remedy);
  } catch (error) {
    services.output.error('The remedy failed.', error instanceof Error ? error : String(error));
    void vscode.window.showErrorMessage(error instanceof Error ? error.message : String(error));
  }
}
