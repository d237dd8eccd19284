/** Work that is waited for, shown as a notification with Cancel. */
import * as vscode from 'vscode';
import { Problem } from '../../problem.ts';
import { category } from '../identifiers.ts';
import { signalOf } from '../signals.ts';

/**
 * Runs `work` with a signal that Cancel aborts, or `outer`. Throws Problem cancelled if it was, whatever `work` throws then.
 */
export async function withProgress<T>(
  title: string,
  work: (report: (step: string) => void, signal: AbortSignal) => Promise<T>,
  outer?: AbortSignal,
): Promise<T> {
  const options = { location: vscode.ProgressLocation.Notification, title: `${category}: ${title}`, cancellable: true };
  return await vscode.window.withProgress(options, async (progress, token) => {
    using cancel = signalOf(token);
    const signal = outer === undefined ? cancel.signal : AbortSignal.any([cancel.signal, outer]);
    try {
      return await work((message) => progress.report({ message }), signal);
    } catch (error) {
      throw signal.aborted ? Problem.cancelled(error) : error;
    }
  });
}
