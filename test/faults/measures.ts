/** What a run measures beside the matrix: load through cuts of the network, and one connection after another. */
import { runCycles } from './cycles.ts';
import { type LoadOptions, type LoadResult, runLoad } from './load.ts';

export interface LoadRun {
  readonly options: LoadOptions;
  readonly result: LoadResult;
}

export interface CyclesRun {
  /** For the page, a line each. */
  readonly lines: readonly string[];
  readonly failures: readonly string[];
}

const cuts = { cutSeconds: 2, rate: 500 };

/** Once with a road that is frozen and once with one that resets; `whole` is what a night has time for. */
export async function measureLoad(whole: boolean, say: (text: string) => void): Promise<readonly LoadRun[]> {
  const size = whole ? { seconds: 600, cutEverySeconds: 60 } : { seconds: 60, cutEverySeconds: 20 };
  const runs: LoadRun[] = [];
  for (const reset of [false, true]) {
    const options = { ...size, ...cuts, reset };
    say(`load: ${options.rate} requests/s for ${options.seconds} s, ${reset ? 'reset' : 'frozen'} now and then`);
    runs.push({ options, result: await runLoad(options) });
  }
  return runs;
}

/** 1,000 cycles, or as many as a run by day has time for. */
export async function measureCycles(whole: boolean, say: (text: string) => void): Promise<CyclesRun> {
  const wanted = whole ? 1_000 : 25;
  say(`${wanted} cycles of connect and disconnect`);
  const { cycles, seconds, growths, failures } = await runCycles({ cycles: wanted });
  return {
    lines: [
      `${cycles} cycles in one process in ${seconds} s; medians of the first and of the last fifth:`,
      ...growths.map(
        ({ what, first, last, allowed }) => `${what}: ${first}, then ${last} (${allowed} more are allowed)`,
      ),
    ],
    failures,
  };
}
