/** Asks at the terminal whether something may be done with administrator rights. */
import type { Consent } from '../network/helper/consent.ts';
import { askLine, canAsk, ownTerminal, type Terminal } from './terminal-question.ts';

/** Shows what would be done and asks for a yes; anything else is a no. `impossible` without a terminal. */
export async function askConsent(
  text: string,
  signal: AbortSignal,
  terminal: Terminal = ownTerminal(),
): Promise<Consent> {
  if (!canAsk(terminal)) return 'impossible';
  const answer = await askLine(`${text.trimEnd()}\nDo you agree? [y/N] `, terminal, signal);
  return /^(y|yes)$/i.test(answer ?? '') ? 'granted' : 'refused';
}
