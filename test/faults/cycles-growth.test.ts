import { expect, it } from 'vitest';
import { type Cycle, type Growth, growths } from './cycles-growth.ts';

const held: Cycle = { heap: 40_000_000, rss: 150_000_000, descriptors: 25, handles: 6 };
const cycles = (count: number, more: (index: number) => Partial<Cycle>): readonly Cycle[] =>
  Array.from({ length: count }, (_, index) => ({ ...held, ...more(index) }));
const grown = (all: readonly Growth[]) =>
  all.filter(({ first, last, allowed }) => last - first > allowed).map(({ what }) => what);

it('nothing grows where each cycle holds the same, but for a peak and for the first ones', () => {
  const steady = cycles(100, (index) => ({
    heap: index === 70 ? 90_000_000 : held.heap,
    descriptors: index < 3 ? 40 : held.descriptors,
  }));
  expect(grown(growths(steady))).toEqual([]);
});

it.each([
  ['heap', (index: number) => ({ heap: held.heap + index * 100_000 })],
  ['rss', (index: number) => ({ rss: held.rss + index * 1_000_000 })],
  ['descriptors', (index: number) => ({ descriptors: held.descriptors + Math.floor(index / 20) })],
  ['handles', (index: number) => ({ handles: held.handles + Math.floor(index / 10) })],
] as const)('%s that grows a little at every cycle is found', (what, more) => {
  expect(grown(growths(cycles(100, more)))).toEqual([what]);
});

it('too few cycles are no proof', () => {
  expect(() => growths(cycles(7, () => ({})))).toThrow(/too few/);
});
