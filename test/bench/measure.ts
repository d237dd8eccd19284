/** One measured comparison: medians of interleaved runs, their spread, and the bar that is promised. */

export interface Measure {
  readonly measure: string;
  readonly unit: string;
  readonly ours: number;
  readonly oursSpread: readonly [lowest: number, highest: number];
  readonly other: number;
  readonly otherSpread: readonly [lowest: number, highest: number];
  readonly otherName: string;
  readonly ratio: number;
  /** The highest ratio that keeps the promise. */
  readonly bar: number;
  readonly holds: boolean;
  readonly runs: number;
}

/** Runs of both sides, in the order in which they were taken. */
export interface Samples {
  readonly ours: readonly number[];
  readonly other: readonly number[];
}

/** Compares samples; `bar` is the highest ratio ours/other that keeps the promise. */
export function compare(measure: string, unit: string, otherName: string, bar: number, samples: Samples): Measure {
  const ours = median(samples.ours);
  const other = median(samples.other);
  const ratio = ours / other;
  return {
    measure,
    unit,
    ours: round(ours),
    oursSpread: spread(samples.ours),
    other: round(other),
    otherSpread: spread(samples.other),
    otherName,
    ratio: round(ratio),
    bar,
    holds: ratio <= bar,
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
    `≤ ${each.bar}`,
    each.holds ? 'holds' : 'MISSED',
    `${each.runs}`,
  ]);
  return [['measure', 'ours (spread)', 'other (spread)', 'ratio', 'bar', '', 'runs'], ...rows]
    .map((row) => `| ${row.join(' | ')} |`)
    .toSpliced(1, 0, '|---|---|---|---|---|---|---|')
    .join('\n');
}

function median(values: readonly number[]): number {
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
