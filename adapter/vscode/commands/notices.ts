/** What a session has to tell while it stands: all of it into the log, warnings to the user too, each once. */
import * as vscode from 'vscode';
import type { Notice } from '../../session/protocol.ts';
import type { Services } from '../services.ts';

export class Notices {
  readonly #output: Services['output'];
  readonly #shown = new Set<string>();

  constructor({ output }: Pick<Services, 'output'>) {
    this.#output = output;
  }

  show({ level, text }: Notice): void {
    if (level === 'info') {
      this.#output.info(text);
      return;
    }
    this.#output.warn(text);
    if (this.#shown.has(text)) return;
    this.#shown.add(text);
    void this.#tell(text);
  }

  async #tell(text: string): Promise<void> {
    const log = 'Open Log';
    if ((await vscode.window.showWarningMessage(text, log)) === log) this.#output.show(true);
  }
}
