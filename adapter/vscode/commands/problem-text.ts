/** How a problem reads in a message of VS Code, and which buttons it gets. */
import type { ProblemData } from '../../problem.ts';
import { type Remedy, remediesFor } from '../../remedies.ts';

export interface ProblemText {
  readonly message: string;
  /** Shown beneath the message, in a dialog only. */
  readonly detail: string;
  readonly remedies: readonly Remedy[];
}

/** VS Code shows further buttons in a menu that is easily overlooked. */
const mostButtons = 3;

/** The text for a dialog, or for a message at the edge of the window, which has one paragraph only. */
export function problemText({ code, what, why, remedy }: ProblemData, isDialog: boolean): ProblemText {
  const remedies = remediesFor(code).slice(0, mostButtons);
  if (isDialog) return { message: what, detail: [why, remedy].filter(Boolean).join('\n\n'), remedies };
  const sentences = [what, why, remedy].filter(Boolean).map((text) => (/[.!?:…]$/.test(text) ? text : `${text}.`));
  return { message: sentences.join(' '), detail: '', remedies };
}
