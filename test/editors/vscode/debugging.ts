/** What a window of VS Code shows of a debug session. */
import { shownText, until } from './until.ts';
import type { Workbench } from './workbench.ts';

export class Debugging {
  readonly #workbench: Workbench;

  constructor(workbench: Workbench) {
    this.#workbench = workbench;
  }

  /** Waits until the program stands at this line of this file: the editor shows it, and the cursor is there. */
  async stoppedAt(file: string, line: number): Promise<void> {
    await this.#page.locator('.editor-group-container.active .debug-top-stack-frame-line').waitFor();
    await this.#page.locator(`.tab.active[aria-label^="${file}"]`).waitFor();
    await this.#workbench.statusItem(new RegExp(`^Ln ${line},`));
  }

  /** Waits until the program runs. */
  async running(): Promise<void> {
    await this.#page.locator('.debug-toolbar .codicon-debug-pause').waitFor();
  }

  /** Waits until no debug session is there. */
  async ended(): Promise<void> {
    await this.#page.locator('.debug-toolbar').waitFor({ state: 'hidden' });
  }

  /** What the debugger says of the expression at the cursor, asked for by the keyboard. */
  async hover(): Promise<string> {
    await this.#page.keyboard.press('Control+k');
    await this.#page.keyboard.press('Control+i');
    const hover = this.#page.locator('.debug-hover-widget').filter({ visible: true });
    await hover.waitFor();
    return until(async () => (await shownText(hover)).trim() || undefined, 'a value');
  }

  /** The lines of the debug console. */
  console(): Promise<readonly string[]> {
    return this.#page.locator('.repl .monaco-list-row').allInnerTexts();
  }

  /** Waits for a line in the debug console. */
  said(text: RegExp): Promise<string> {
    return until(
      async () => (await this.console()).find((line) => text.test(line)),
      () => `${text} in the debug console`,
    );
  }

  /** The actions of the debug toolbar that can be taken now, by their names. */
  async actions(): Promise<readonly string[]> {
    const actions = this.#page.locator('.debug-toolbar .action-label:not(.disabled)');
    return actions.evaluateAll((found) => found.map((element) => String(element.getAttribute('aria-label'))));
  }

  get #page() {
    return this.#workbench.page;
  }
}
