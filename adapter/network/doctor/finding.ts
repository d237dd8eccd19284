/** What the doctor says of one matter. */

/** `limited`: it works, with the loss that the text names. */
type Outcome = 'ok' | 'limited' | 'not possible';

export interface Finding {
  /** What was looked at, in a few words. */
  readonly subject: string;
  readonly outcome: Outcome;
  /** What was found, in sentences for the user. */
  readonly text: string;
  /** What the user can do, if something can be done. */
  readonly remedy?: string | undefined;
}

export function ok(subject: string, text: string): Finding {
  return { subject, outcome: 'ok', text };
}

export function limited(subject: string, text: string, remedy?: string): Finding {
  return { subject, outcome: 'limited', text, ...(remedy !== undefined && { remedy }) };
}

export function notPossible(subject: string, text: string, remedy?: string): Finding {
  return { subject, outcome: 'not possible', text, ...(remedy !== undefined && { remedy }) };
}
