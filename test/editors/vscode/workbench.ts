/** A window of VS Code, worked with by the keyboard alone, as a user works who has no mouse. */
import { type Browser, errors, type Locator, type Page } from 'playwright-core';
import { run } from '../../cluster/run.ts';
import { Debugging } from './debugging.ts';
import { QuickInput, type ShownQuestion } from './quick-input.ts';
import { shownText, until } from './until.ts';

/** Something the user did, and when it was done, in milliseconds since the count began. */
export interface Interaction {
  readonly what: string;
  readonly at: number;
}

/** A message in the corner of the window, or a dialog in its middle. */
export interface Message {
  readonly text: string;
  readonly buttons: readonly string[];
}

export class Workbench implements AsyncDisposable {
  readonly page: Page;
  readonly debugging: Debugging;
  readonly #input: QuickInput;
  readonly #close: () => Promise<void>;
  #interactions: Interaction[] = [];
  #since = performance.now();

  private constructor(page: Page, close: () => Promise<void>) {
    this.page = page;
    this.#close = close;
    this.#input = new QuickInput(page);
    this.debugging = new Debugging(this);
  }

  /** Opens a window; resolves when its folder is shown and our extension was started. */
  static async open(browser: Browser, address: string): Promise<Workbench> {
    const context = await browser.newContext({ viewport: { width: 1200, height: 750 }, reducedMotion: 'reduce' });
    const page = await context.newPage();
    // Windows that are closed ask no questions.
    page.on('dialog', (dialog) => void dialog.accept().catch(() => {}));
    const workbench = new Workbench(page, () => context.close());
    try {
      await page.goto(address);
      await workbench.#started().catch(async (error: unknown) => {
        // A page of a busy server can stay empty; a person would load it again.
        if (!(error instanceof errors.TimeoutError)) throw error;
        await page.goto(address);
        await workbench.#started();
      });
      return workbench;
    } catch (error) {
      await context.close();
      throw error;
    }
  }

  /** Waits until the folder and our extension are there. */
  async #started(): Promise<void> {
    await this.page.locator('.explorer-folders-view .monaco-list-row').first().waitFor();
    await this.statusItem(/^Kubernetes Local:/);
  }

  /**
   * Waits until VS Code has loaded what it loads last (its `LifecyclePhase.Eventually`). Before that it misses the progress of a
   * debug adapter: `DebugProgressContribution` begins to listen then.
   */
  async settled(): Promise<void> {
    await this.page.waitForFunction(
      () => performance.getEntriesByName('code/LifecyclePhase/Eventually').length > 0,
      undefined,
      { timeout: 60_000 },
    );
  }

  /** What the user did since `countAnew`: one for each command, answer and key chord. */
  get interactions(): readonly Interaction[] {
    return this.#interactions;
  }

  countAnew(): void {
    this.#interactions = [];
    this.#since = performance.now();
  }

  /** One key chord, such as `Control+Shift+F5`. */
  async press(chord: string): Promise<void> {
    await this.page.keyboard.press(chord);
    this.#did(chord);
  }

  /** A command of the command palette, by its whole title. */
  async command(title: string): Promise<void> {
    await this.#command(title);
    this.#did(title);
  }

  async #command(title: string): Promise<void> {
    await this.#input.open('F1');
    await this.#input.find(`>${title}`, title);
  }

  /** Answers a question that shows rows; with the row it begins with unless another is named. */
  async choose(about: RegExp, row?: RegExp): Promise<ShownQuestion> {
    const shown = await this.#input.choose(about, row);
    this.#did(`${shown.chosen}`);
    return shown;
  }

  /** Answers a question for a text; with what stands there unless another is given. */
  async type(about: RegExp, text?: string): Promise<ShownQuestion> {
    const shown = await this.#input.type(about, text);
    this.#did(text ?? shown.value);
    return shown;
  }

  /** The question that is shown now. */
  question(about: RegExp): Promise<ShownQuestion> {
    return this.#input.question(about);
  }

  /** Opens a file of the folder, and puts the cursor into a line of it. */
  async openFile(name: string, line = 1, column = 1): Promise<void> {
    await this.#input.open('Control+p');
    await this.#input.find(name, name);
    await this.page.locator(`.tab.active[aria-label^="${name}"]`).waitFor();
    await this.#input.closed();
    await this.goTo(line, column);
    this.#did(`open ${name}`);
  }

  /** Puts the cursor somewhere in the file that is open. */
  async goTo(line: number, column = 1): Promise<void> {
    await this.#input.open('Control+g');
    await this.#input.find(`:${line}:${column}`, new RegExp(`line ${line}, column ${column}\\b`));
    await this.#input.closed();
    await this.statusItem(new RegExp(`^Ln ${line}, Col ${column}\\b`));
  }

  /** Waits until the file or document of this name is the one that is worked with. */
  async tab(name: string): Promise<void> {
    await this.page.locator(`.editor-group-container.active .tab.active[aria-label^="${name}"]`).waitFor();
    await this.page.locator('.editor-group-container.active .view-line').first().waitFor();
  }

  /** Puts something that happened into the list of interactions, for its time. */
  note(what: string): void {
    this.#did(`(${what})`);
  }

  /** The text of the file or document that is open, as far as it is shown. */
  async editorText(): Promise<string> {
    const lines = await this.page.locator('.editor-group-container.active .view-line').all();
    const placed = await Promise.all(
      lines.map(async (line) => ({ top: (await line.boundingBox())?.y ?? 0, text: await shownText(line) })),
    );
    return placed
      .sort((a, b) => a.top - b.top)
      .map(({ text }) => text.replaceAll('\u00a0', ' '))
      .join('\n');
  }

  /** Waits for an item of the status bar whose accessible name is this. */
  async statusItem(name: RegExp): Promise<string> {
    let items: readonly string[] = [];
    return until(
      async () => {
        items = await this.statusItems();
        return items.find((item) => name.test(item));
      },
      () => `${name} in the status bar, only ${items.join('; ')}`,
    );
  }

  /** The accessible names of all items of the status bar. */
  statusItems(): Promise<readonly string[]> {
    return namesOf(
      this.page.locator('.statusbar .statusbar-item').filter({ visible: true }).locator('.statusbar-item-label'),
    );
  }

  /** The accessible names of the rows of a view, by its title. */
  rowsOf(view: string): Promise<readonly string[]> {
    return namesOf(this.#view(view).locator('.monaco-list-row'));
  }

  /** Waits for a row of a view, and gives its accessible name. */
  async row(view: string, name: RegExp): Promise<string> {
    let rows: readonly string[] = [];
    return until(
      async () => {
        rows = await this.rowsOf(view);
        return rows.find((row) => name.test(row));
      },
      () => `${name} in ${view}, only ${rows.join('; ')}`,
    );
  }

  /** Waits until a view has no rows. */
  async noRows(view: string): Promise<void> {
    await until(
      async () => (await this.rowsOf(view)).length === 0 || undefined,
      () => `${view} without rows`,
    );
  }

  /** Waits for a message in the corner. */
  notification(about: RegExp): Promise<Message> {
    return this.#message('.notifications-toasts .notification-list-item', about);
  }

  /** Waits for a dialog in the middle. */
  dialog(about: RegExp): Promise<Message> {
    return this.#message('.monaco-dialog-box', about);
  }

  /** Takes a button of a message or dialog by the keyboard: the Tab key goes to it, Enter takes it. */
  async takeButton(within: 'notification' | 'dialog', name: RegExp): Promise<void> {
    if (within === 'notification') await this.#command('Notifications: Focus Notification Toast');
    const focused = this.page.locator(':focus');
    await until(async () => {
      if (name.test(await shownText(focused))) return true;
      await this.page.keyboard.press('Tab');
      return undefined;
    }, `the focus on a button ${name}`);
    await this.page.keyboard.press('Enter');
    this.#did(`button ${name.source}`);
  }

  /** What asks for the user's attention now: dialogs, messages and the question at the top, in lines. */
  async attention(): Promise<string> {
    const boxes = this.page
      .locator('.monaco-dialog-box, .notifications-toasts .notification-list-item, .quick-input-widget')
      .filter({ visible: true });
    const texts = await boxes.allInnerTexts();
    return texts.map((text) => text.trim().replaceAll(/\s*\n\s*/g, ' | ')).join('\n');
  }

  /**
   * Writes what the window shows into a file, as PNG. For the documentation (`closed`: views that take the room of
   * others) with few colours, by ImageMagick.
   */
  async picture(path: string, closed?: readonly string[]): Promise<void> {
    for (const view of closed ?? []) {
      const header = this.page.locator(`.pane-header.expanded[aria-label^="${view}"]`);
      if (await header.isVisible()) await header.click();
    }
    await this.page.screenshot({ path, animations: 'disabled' });
    // As many colours as a window of an editor has; a third of the bytes.
    if (closed !== undefined)
      await run(['mogrify', '+dither', '-colors', '128', '-define', 'png:compression-level=9', path]);
  }

  /** Closes the window as a user does. */
  async close(): Promise<void> {
    await this.page.close({ runBeforeUnload: true });
    await until(async () => this.page.isClosed() || undefined, 'the end of the window');
    await this.#close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }

  #view(title: string): Locator {
    return this.page.locator('.pane').filter({ has: this.page.locator(`.pane-header[aria-label^="${title}"]`) });
  }

  async #message(selector: string, about: RegExp): Promise<Message> {
    const boxes = this.page.locator(selector).filter({ hasText: about });
    await boxes.first().waitFor();
    const buttons = await boxes.first().locator('.monaco-button:visible').allInnerTexts();
    return { text: await shownText(boxes.first()), buttons: buttons.map((text) => text.trim()).filter(Boolean) };
  }

  #did(what: string): void {
    this.#interactions.push({ what, at: performance.now() - this.#since });
  }
}

/** What a screen reader calls these elements. */
async function namesOf(elements: Locator): Promise<readonly string[]> {
  const names = await elements.evaluateAll((found) =>
    found.map((element) => String(element.getAttribute('aria-label'))),
  );
  return names.map((name) => name.trim());
}
