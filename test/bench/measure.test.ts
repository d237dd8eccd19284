import { describe, expect, it } from 'vitest';
import { type Bar, barOf, compare, median, percentile, table, verdict } from './measure.ts';

const measure = (bar: number | Bar, ours: readonly number[], other: readonly number[]) =>
  compare('a way', 'ms', 'kubectl', bar, { ours, other });

describe('statistics', () => {
  it('takes the middle of the samples, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([9, 1, 5, 6])).toBe(5.5);
  });

  it('takes the smallest sample that is not exceeded by the share', () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentile(0.99)(hundred)).toBe(99);
    expect(percentile(0.5)(hundred)).toBe(50);
    expect(percentile(0.99)([3, 1, 2])).toBe(3);
    expect(percentile(0)([3, 1, 2])).toBe(1);
  });

  it('has no answer without samples', () => {
    expect(() => median([])).toThrow('no samples');
    expect(() => percentile(0.99)([])).toThrow('no samples');
  });
});

describe('bars', () => {
  it.each<[string, number | Bar, number, number, boolean, string]>([
    ['a ratio', 1.3, 13, 10, true, 'holds'],
    ['a ratio', 1.3, 14, 10, false, 'missed'],
    ['a ratio or a difference', { ratio: 1.05, difference: 2 }, 12, 10, true, 'holds by difference'],
    ['a ratio or a difference', { ratio: 1.05, difference: 2 }, 10.5, 10, true, 'holds by ratio'],
    ['a ratio or a difference', { ratio: 1.05, difference: 2 }, 12.1, 10, false, 'missed'],
    ['at least as much', { leastRatio: 1 }, 10, 10, true, 'holds'],
    ['at least as much', { leastRatio: 1 }, 9.9, 10, false, 'missed'],
    ['a limit of ours alone', { limit: 25 }, 25, 1, true, 'holds'],
    ['a limit of ours alone', { limit: 25 }, 25.1, 100, false, 'missed'],
    ['nothing promised', { stated: true }, 1000, 1, true, ''],
  ])('%s: %j, ours %d, other %d', (_, bar, ours, other, holds, words) => {
    const found = measure(bar, [ours], [other]);
    expect(found.holds).toBe(holds);
    expect(verdict(found)).toBe(words);
  });

  it('says each bar in words', () => {
    const words = (bar: number | Bar) => barOf(measure(bar, [1], [1]));
    expect(words(1.3)).toBe('≤ 1.3');
    expect(words({ ratio: 1.05, difference: 0.3 })).toBe('≤ 1.05 or ≤ 0.3 ms more');
    expect(words({ leastRatio: 1 })).toBe('≥ kubectl');
    expect(words({ leastRatio: 0.9 })).toBe('≥ 0.9 × kubectl');
    expect(words({ limit: 1.15 * 20 + 2 })).toBe('≤ 25 ms');
    expect(words({ stated: true })).toBe('');
  });

  it('judges by the statistic that is asked for', () => {
    const samples = { ours: [1, 1, 30], other: [1] };
    expect(compare('p50', 'ms', 'kubectl', { limit: 25 }, samples)).toMatchObject({ ours: 1, holds: true });
    expect(compare('p99', 'ms', 'kubectl', { limit: 25 }, samples, percentile(0.99))).toMatchObject({
      ours: 30,
      oursSpread: [1, 30],
      holds: false,
    });
  });
});

it('shows measures as a table', () => {
  expect(table([measure(1.3, [2, 4], [2])]).split('\n')).toEqual([
    '| measure | ours (spread) | other (spread) | ratio | difference | bar |  | runs |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    '| a way | 3 ms (2–4) | 2 ms (2–2) kubectl | 1.5 | 1 ms | ≤ 1.3 | missed | 2 |',
  ]);
});
