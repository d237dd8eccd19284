/** The status bar item: shows what stands, and opens the menu. */
import * as vscode from 'vscode';
import type { ConnectionState } from '../connections/state.ts';
import { type StatusText, statusText } from './status-text.ts';

export class StatusItem implements vscode.Disposable {
  readonly #item: vscode.StatusBarItem;

  constructor() {
    this.#item = vscode.window.createStatusBarItem('kubernetes-local.status', vscode.StatusBarAlignment.Left, 0);
    this.#item.name = 'Kubernetes Local';
    this.#item.command = { command: 'kubernetes-local.menu', title: 'Show what can be done' };
    this.#item.show();
  }

  show(state: ConnectionState): void {
    const status = statusText(state);
    this.#item.text = status.text;
    this.#item.tooltip = tooltip(status);
    this.#item.accessibilityInformation = { label: status.spoken, role: 'button' };
  }

  dispose(): void {
    this.#item.dispose();
  }
}

/** Names come from the cluster: they are appended as text, not as markdown. */
function tooltip({ lines, spoken }: StatusText): vscode.MarkdownString {
  const markdown = new vscode.MarkdownString();
  markdown.appendText(spoken);
  for (const { about, text } of lines) markdown.appendMarkdown(`\n\n**${about}** `).appendText(text);
  return markdown.appendMarkdown('\n\nClick to see what can be done.');
}
