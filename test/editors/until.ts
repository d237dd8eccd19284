/** Waiting for what an editor shows. */
import { setTimeout as delay } from 'node:timers/promises';

/** Asks again and again until there is an answer (anything but false, '', null and undefined); an Error says what did not come. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  { limit = 60_000, seen }: { readonly limit?: number; readonly seen?: () => Promise<string> } = {},
): Promise<T> {
  const end = Date.now() + limit;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) {
      const instead = seen === undefined ? '' : `:\n${await seen()}`;
      throw new Error(`Waited ${limit / 1000} s for ${what}, in vain${instead}`);
    }
    await delay(100);
  }
}
