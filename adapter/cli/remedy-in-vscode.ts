/** Remedies as commands of our extension, which VS Code runs when the button of an error is pressed. */
import type { ProblemCode } from '../problem.ts';
import { remediesFor } from '../remedies.ts';
import type { SessionChoice } from '../session/client/session-choice.ts';

/** The first remedy for a problem as `url` and `urlLabel` of an error in DAP (an error has one link). */
export function remedyInVscode(
  code: ProblemCode,
  place: SessionChoice,
): { readonly url: string; readonly urlLabel: string } | undefined {
  const [first] = remediesFor(code);
  if (first === undefined) return undefined;
  const { command, label, page } = first;
  const argument = { command, ...(page !== undefined && { page }), ...place };
  return {
    url: `command:kubernetes-local.remedy?${encodeURIComponent(JSON.stringify([argument]))}`,
    urlLabel: label,
  };
}
