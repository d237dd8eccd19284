/** One measured comparison: what interleaved runs gave, their spread, and the bar that is promised. */

/**
 * What keeps a promise: a ratio ours/other up to this, or, where it is given, a difference ours-other up to that; a ratio of at
 * least so much; ours alone up to a limit in the unit of the measure; or nothing, where a figure is only stated.
 */
export type Bar =
  | { readonly ratio: number; readonly difference?: number }
  | { readonly leastRatio: number }
  | { readonly limit: number }
  | { readonly stated: true };

export interface Measure {
  readonly measure: string;
  readonly unit: string;
  readonly ours: number;
  readonly oursSpread: readonly [lowest: number, highest: number];
  readonly other: number;
  readonly otherSpread: readonly [lowest: number, highest: number];
  readonly otherName: string;
  readonly ratio: number;
  readonly difference: number;
  readonly bar: Bar;
  readonly holds: boolean;
  readonly runs: number;
}

/** Runs of both sides, in the order in which they were taken. */
export interface Samples {
  readonly ours: readonly number[];
  readonly other: readonly number[];
}

/** Makes one number of the samples of a side. */
export type Statistic = (values: readonly number[]) => number;

/** Compares samples by their median, or by another statistic; a `bar` that is a number is a ratio. */
export function compare(
  measure: string,
  unit: string,
  otherName: string,
  promised: number | Bar,
  samples: Samples,
  statistic: Statistic = median,
): Measure {
  const bar = typeof promised === 'number' ? { ratio: promised } : promised;
  const ours = statistic(samples.ours);
  const other = statistic(samples.other);
  const ratio = ours / other;
  const difference = ours - other;
  return {
    measure,
    unit,
    ours: round(ours),
    oursSpread: spread(samples.ours),
    other: round(other),
    otherSpread: spread(samples.other),
    otherName,
    ratio: round(ratio),
    difference: round(difference),
    bar,
    holds: keeps(bar, { ours, ratio, difference }),
    runs: samples.ours.length,
  };
}

/** The measures as a table for people. */
export function table(measures: readonly Measure[]): string {
  const cell = (value: number, [lowest, highest]: readonly [number, number], unit: string) =>
    `${value} ${unit} (${lowest}–${highest})`;
  const rows = measures.map((each) => [
    each.measure,
    cell(each.ours, each.oursSpread, each.unit),
    `${cell(each.other, each.otherSpread, each.unit)} ${each.otherName}`,
    `${each.ratio}`,
    `${each.difference} ${each.unit}`,
    barOf(each),
    verdict(each),
    `${each.runs}`,
  ]);
  return markdownTable(['measure', 'ours (spread)', 'other (spread)', 'ratio', 'difference', 'bar', '', 'runs'], rows);
}

/** Rows of cells as a table of Markdown. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function keeps(bar: Bar, { ours, ratio, difference }: { ours: number; ratio: number; difference: number }): boolean {
  if ('stated' in bar) return true;
  if ('limit' in bar) return ours <= bar.limit;
  if ('leastRatio' in bar) return ratio >= bar.leastRatio;
  return ratio <= bar.ratio || (bar.difference !== undefined && difference <= bar.difference);
}

/** The bar in words; empty where a figure is only stated. */
export function barOf({ bar, unit, otherName }: Measure): string {
  if ('stated' in bar) return '';
  if ('limit' in bar) return `≤ ${round(bar.limit)} ${unit}`;
  if ('leastRatio' in bar) return bar.leastRatio === 1 ? `≥ ${otherName}` : `≥ ${bar.leastRatio} × ${otherName}`;
  return bar.difference === undefined ? `≤ ${bar.ratio}` : `≤ ${bar.ratio} or ≤ ${bar.difference} ${unit} more`;
}

/** Whether the promise is kept, and by which of its halves where it has two. Empty where a figure is only stated. */
export function verdict({ holds, ratio, bar }: Measure): string {
  if ('stated' in bar) return '';
  if (!holds) return 'missed';
  if (!('difference' in bar)) return 'holds';
  return ratio <= bar.ratio ? 'holds by ratio' : 'holds by difference';
}

/** Why the promise of this name is missed, as it stands below the table. `where`: in which of several rows. */
export function missedBecause(name: string, reasons: Readonly<Record<string, string>>, where = ''): string {
  return `Missed: *${name}*${where}. ${reasons[name] ?? 'No profile has shown the reason yet.'}`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  const lower = sorted[Math.ceil(middle) - 1];
  if (upper === undefined || lower === undefined) throw new Error('no samples');
  return (upper + lower) / 2;
}

/** The statistic that answers the smallest sample that at least this share of them does not exceed: 0.99 for p99. */
export function percentile(share: number): Statistic {
  return (values) => {
    const found = [...values].sort((a, b) => a - b)[Math.max(0, Math.ceil(share * values.length) - 1)];
    if (found === undefined) throw new Error('no samples');
    return found;
  };
}

function spread(values: readonly number[]): [number, number] {
  return [round(Math.min(...values)), round(Math.max(...values))];
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
