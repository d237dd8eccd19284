/** Whether what a process holds grows from cycle to cycle, and leaks to prove that growth is found. */
import { closeSync, openSync } from 'node:fs';

/** What the process held after one cycle. */
export interface Cycle {
  /** Bytes, after all garbage was collected. */
  readonly heap: number;
  readonly rss: number;
  readonly descriptors: number;
  readonly handles: number;
}

/** The medians of the first and of the last fifth of all cycles. */
export interface Growth {
  readonly what: string;
  readonly first: number;
  readonly last: number;
  /** It may grow by this: the engine compiles and caches what runs often, which ends by itself. */
  readonly allowed: number;
}

const megabyte = 1_000_000;
/** The first cycles load code and fill caches. */
const warmUp = 3;

/** How each of them grew. @throws if there are too few cycles to tell. */
export function growths(cycles: readonly Cycle[]): readonly Growth[] {
  const settled = cycles.slice(warmUp);
  const fifth = Math.floor(settled.length / 5);
  if (fifth === 0) throw new Error(`${cycles.length} cycles are too few: at least ${warmUp + 5} are needed`);
  const growth = (what: keyof Cycle, allowed: number): Growth => ({
    what,
    first: median(settled.slice(0, fifth).map((each) => each[what])),
    last: median(settled.slice(-fifth).map((each) => each[what])),
    allowed,
  });
  return [growth('heap', 3 * megabyte), growth('rss', 40 * megabyte), growth('descriptors', 1), growth('handles', 2)];
}

export type Plant = 'memory' | 'descriptors';

/** Each makes what leaks a little at every call. */
export const plants: Readonly<Record<Plant, () => () => void>> = {
  memory: () => {
    const kept: object[] = [];
    return () => {
      for (let index = 0; index < 50_000; index++) kept.push({ index });
    };
  },
  descriptors: () => {
    const kept: number[] = [];
    return () => {
      kept.push(openSync('/dev/null', 'r'));
      // So many of them would end the test itself.
      if (kept.length > 10_000) for (const file of kept.splice(0)) closeSync(file);
    };
  },
};

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
