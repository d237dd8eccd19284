/** The box at the top of VS Code's window: the command palette, lists to choose from, questions for a text. */

import { setTimeout as delay } from 'node:timers/promises';
import { errors, type Locator, type Page } from 'playwright-core';
import { z } from 'zod';
import { until } from './until.ts';

const questionShape = z
  .object({
    /** Its title, and its placeholder or prompt. */
    text: z.string(),
    value: z.string(),
    rows: z.array(z.string()),
    chosen: z.string().optional(),
    /** Keys go to it. */
    hasFocus: z.boolean(),
  })
  .nullable();

/** What it shows. */
export type ShownQuestion = NonNullable<z.infer<typeof questionShape>>;

export class QuickInput {
  readonly #page: Page;
  readonly #box: Locator;

  constructor(page: Page) {
    this.#page = page;
    this.#box = page.locator('.quick-input-widget');
  }

  /** Opens it by a key chord; once more if VS Code, which is still starting, does not hear the first. */
  async open(chord: string): Promise<void> {
    await until(async () => {
      await this.#page.keyboard.press(chord);
      const isOpen = this.#box.waitFor({ timeout: 2_000 }).then(() => true as const);
      return isOpen.catch((error: unknown) => {
        if (error instanceof errors.TimeoutError) return undefined;
        throw error;
      });
    }, `anything at ${chord}`);
  }

  /** Types into it what is looked for, and takes the row of this name once it is the one that Enter takes. */
  async find(text: string, row: string | RegExp): Promise<void> {
    await this.#box.locator('input').first().fill(text);
    await this.#untilChosen(row);
    await this.#page.keyboard.press('Enter');
  }

  /** Waits for the question with this in its title, placeholder or prompt. */
  async question(about: RegExp): Promise<ShownQuestion> {
    return until(
      async () => {
        const shown = await this.shown();
        return shown?.hasFocus && about.test(shown.text) ? shown : undefined;
      },
      `a question about ${about}, not ${JSON.stringify(await this.shown())}`,
    );
  }

  /** Waits for a question and answers with one of its rows, by the arrow keys; without a row with the chosen one. */
  async choose(about: RegExp, row?: RegExp): Promise<ShownQuestion> {
    await this.question(about);
    await this.#box.locator('.monaco-list-row').first().waitFor();
    for (let presses = 0; row !== undefined; presses++) {
      const shown = await this.shown();
      if (shown?.chosen !== undefined && row.test(shown.chosen)) break;
      if (presses > 50) throw new Error(`There is no ${row} among ${shown?.rows.join(', ')}`);
      if (shown?.rows.some((name) => row.test(name))) await this.#page.keyboard.press('ArrowDown');
      else await delay(50);
    }
    const shown = await this.question(about);
    await this.#enter(shown);
    return shown;
  }

  /** Waits for a question for a text and answers it; without a text with what stands there. */
  async type(about: RegExp, text?: string): Promise<ShownQuestion> {
    const shown = await this.question(about);
    if (text !== undefined) await this.#box.locator('input').first().fill(text);
    await this.#enter(shown);
    return shown;
  }

  /** Waits until it is closed. */
  async closed(): Promise<void> {
    await this.#box.waitFor({ state: 'hidden' });
  }

  /** What it shows now; undefined if it is closed. */
  async shown(): Promise<ShownQuestion | undefined> {
    // In the page, in one go: what it shows changes while one looks.
    const shown: unknown = await this.#box.evaluateAll(([box]) => {
      if (!box?.checkVisibility()) return null;
      const textOf = (selector: string) => box.querySelector(selector)?.textContent ?? '';
      const input = box.querySelector('.quick-input-box input');
      const rows = [...box.querySelectorAll('.monaco-list-row')].map((row) => ({
        name: row.getAttribute('aria-label') ?? '',
        focused: row.classList.contains('focused'),
      }));
      return {
        text: [textOf('.quick-input-title'), input?.placeholder ?? '', textOf('.quick-input-message')].join(' / '),
        value: input?.value ?? '',
        rows: rows.map(({ name }) => name),
        chosen: rows.find(({ focused }) => focused)?.name,
        hasFocus: box.contains(box.ownerDocument.activeElement),
      };
    });
    return questionShape.parse(shown) ?? undefined;
  }

  /** Takes the answer, and waits until the question is gone. */
  async #enter({ text }: ShownQuestion): Promise<void> {
    await this.#page.keyboard.press('Enter');
    await until(async () => ((await this.shown())?.text !== text ? true : undefined), `anything but ${text}`);
  }

  async #untilChosen(row: string | RegExp): Promise<void> {
    await until(
      async () => {
        const chosen = (await this.shown())?.chosen;
        if (chosen === undefined) return undefined;
        return (typeof row === 'string' ? chosen.startsWith(row) : row.test(chosen)) ? chosen : undefined;
      },
      `the row ${row}, not ${JSON.stringify(await this.shown())}`,
    );
  }
}
