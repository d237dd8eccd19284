/** How a finding of the doctor is shown: its outcome, what was found, and under it what to do. */
import type { Finding } from '../network/doctor/finding.ts';
import { wrap } from './text-layout.ts';

const outcomeWidth = 'not possible'.length;

/** The lines of one finding, no wider than `width`. */
export function describeFinding({ outcome, subject, text, remedy }: Finding, width: number): readonly string[] {
  const indent = ' '.repeat(outcomeWidth + 2);
  const room = Math.max(width - indent.length, 20);
  const remedies = remedy === undefined ? [] : wrap(`→ ${remedy}`, room, '  ');
  return [...wrap(`${subject}: ${text}`, room), ...remedies].map((line, index) =>
    index === 0 ? `${outcome.padEnd(outcomeWidth)}  ${line}` : `${indent}${line}`,
  );
}
