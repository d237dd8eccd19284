/** What a run of the load has seen, as a table, and as the section of docs/performance.md between its markers. */
import type { Check } from './checks.ts';

export interface Outcome {
  readonly check: Pick<Check, 'name' | 'direction'> & { readonly part: string };
  readonly passed: boolean;
  /** What has been seen, or what was wrong. */
  readonly text: string;
  readonly seconds: number;
}

/** One row for each check. */
export function table(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ check, passed, text, seconds }) => [
    check.part,
    check.name,
    check.direction,
    passed ? 'right' : 'WRONG',
    // A table has one line for each row.
    text.split('\n')[0]?.replaceAll('|', '\\|') ?? '',
    `${seconds.toFixed(0)} s`,
  ]);
  return [['part', 'what', 'connections', '', 'seen', 'took'], ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .toSpliced(1, 0, '|---|---|---|---|---|---|')
    .join('\n');
}

const markers = ['<!-- load -->', '<!-- end load -->'] as const;

/** The page with this text between the markers. An Error if the page has no such place. */
export function withSection(page: string, text: string): string {
  const [begin, end] = markers.map((marker) => page.indexOf(marker));
  if (begin === undefined || end === undefined || begin < 0 || end < begin) {
    throw new Error(`the page has no "${markers[0]}" before a "${markers[1]}"`);
  }
  return `${page.slice(0, begin + markers[0].length)}\n${text}\n${page.slice(end)}`;
}
