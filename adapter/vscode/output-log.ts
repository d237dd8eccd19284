/** The output channel as a log of this program: what is done, secrets masked. */
import type * as vscode from 'vscode';
import type { Level, Log } from '../diagnostics/log.ts';
import { Redactor } from '../diagnostics/redactor.ts';

export class OutputLog implements Log {
  readonly redactor = new Redactor();
  readonly #channel: vscode.LogOutputChannel;

  constructor(channel: vscode.LogOutputChannel) {
    this.#channel = channel;
  }

  write(level: Level, message: string, details: Readonly<Record<string, unknown>> = {}): void {
    const text = this.redactor.redact(message);
    const more = Object.keys(details).length === 0 ? '' : ` ${JSON.stringify(this.redactor.redactData(details))}`;
    this.#channel[level](`${text}${more}`);
  }
}
