/** Waiting for what VS Code shows. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Locator } from 'playwright-core';

const patienceMilliseconds = 30_000;

/** Waits until `look` finds something; an Error says what it waited for. */
export async function until<T>(
  look: () => Promise<T | undefined>,
  what: string | (() => string),
  milliseconds = patienceMilliseconds,
): Promise<T> {
  const end = Date.now() + milliseconds;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > end) throw new Error(`VS Code did not show ${typeof what === 'string' ? what : what()}`);
    await delay(50);
  }
}

/** The text of the first of these elements as it is shown now; empty if there is none. */
export async function shownText(elements: Locator): Promise<string> {
  return (await elements.allInnerTexts())[0] ?? '';
}
