/** One measured comparison: medians of interleaved runs, their spread, and the bar that is promised. */

/** What keeps a promise: a ratio ours/other up to this, or, where it is given, a difference ours-other up to that. */
export interface Bar {
  readonly ratio: number;
  /** In the unit of the measure. */
  readonly difference?: number;
}

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

/** Compares samples; a `bar` that is a number is a ratio. */
export function compare(
  measure: string,
  unit: string,
  otherName: string,
  promised: number | Bar,
  samples: Samples,
): Measure {
  const bar = typeof promised === 'number' ? { ratio: promised } : promised;
  const ours = median(samples.ours);
  const other = median(samples.other);
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
    holds: withinRatio(ratio, bar) || withinDifference(difference, bar),
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
  return [['measure', 'ours (spread)', 'other (spread)', 'ratio', 'difference', 'bar', '', 'runs'], ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .toSpliced(1, 0, '|---|---|---|---|---|---|---|---|')
    .join('\n');
}

function withinRatio(ratio: number, bar: Bar): boolean {
  return ratio <= bar.ratio;
}

function withinDifference(difference: number, bar: Bar): boolean {
  return bar.difference !== undefined && difference <= bar.difference;
}

function barOf({ bar, unit }: Measure): string {
  return bar.difference === undefined ? `≤ ${bar.ratio}` : `≤ ${bar.ratio} or ≤ ${bar.difference} ${unit} more`;
}

/** Whether the promise is kept, and by which of its two halves. */
function verdict({ holds, ratio, bar }: Measure): string {
  if (!holds) return 'MISSED';
  if (bar.difference === undefined) return 'holds';
  return withinRatio(ratio, bar) ? 'holds by ratio' : 'holds by difference';
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  const lower = sorted[Math.ceil(middle) - 1];
  if (upper === undefined || lower === undefined) throw new Error('no samples');
  return (upper + lower) / 2;
}

function spread(values: readonly number[]): [number, number] {
  return [round(Math.min(...values)), round(Math.max(...values))];
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
