/** What the user sees and is asked while a session begins and stands, in this window. */
import * as vscode from 'vscode';
import { Notices } from './commands/notices.ts';
import { showProblem } from './commands/problem-message.ts';
import { askConsent, askHeld, askPort } from './commands/questions.ts';
import type { ConnectionSurface } from './connections/connections.ts';
import type { Services } from './services.ts';

/** `services` is asked for when something is to be shown: the connections are among them. */
export function windowSurface(output: vscode.LogOutputChannel, services: () => Services): ConnectionSurface {
  const notices = new Notices({ output });
  return {
    progress: async (title, work, signal) =>
      vscode.window.withProgress(
        { location: vscode.ProgressLocation.Notification, title: `Kubernetes Local: ${title}`, cancellable: true },
        async (progress, token) => {
          const abort = new AbortController();
          using _listening = onCancel(token, () => abort.abort());
          // Awaited here: whoever cancels is listened to until it is over.
          return await work((message) => progress.report({ message }), AbortSignal.any([abort.signal, signal]));
        },
      ),
    notice: (notice) => notices.show(notice),
    ask: {
      consent: (text, signal) => askConsent(text, signal),
      port: (question, signal) => askPort(question, signal),
      held: (question, signal) => askHeld(question, signal),
    },
    lost: (problem, { target }) => void showProblem(problem, services(), { target }),
  };
}

function onCancel(token: vscode.CancellationToken, act: () => void): Disposable {
  if (token.isCancellationRequested) act();
  const listening = token.onCancellationRequested(act);
  return { [Symbol.dispose]: () => void listening.dispose() };
}
