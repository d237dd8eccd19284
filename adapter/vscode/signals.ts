/** From VS Code's cancellation to an AbortSignal. */
import type * as vscode from 'vscode';

/** A signal that is aborted when the token is cancelled. Dispose of it when the work is done. */
export function signalOf(token: vscode.CancellationToken | undefined): { readonly signal: AbortSignal } & Disposable {
  const abort = new AbortController();
  if (token?.isCancellationRequested === true) abort.abort();
  const listening = token?.onCancellationRequested(() => abort.abort());
  return { signal: abort.signal, [Symbol.dispose]: () => listening?.dispose() };
}
