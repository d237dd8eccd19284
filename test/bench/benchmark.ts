/** What every benchmark is given and answers; main.ts runs them. */
import type { Measure } from './measure.ts';

interface BenchmarkRun {
  /** How often each side is measured; a benchmark may say that some measures take fewer. */
  readonly runs: number;
  /** For development: all measures, but small ones, whose figures mean little. */
  readonly quick: boolean;
  /** Processors, memory, Node and platform, for the page. */
  readonly machine: string;
  /** Tells the person who waits what goes on. */
  readonly say: (text: string) => void;
}

interface Outcome {
  readonly measures: readonly Measure[];
  /** What stands on standard output instead of the plain table of the measures. */
  readonly report?: string;
  /** What `--write` puts between `<!-- bench NAME -->` and `<!-- end bench NAME -->` in docs/performance.md. */
  readonly section?: string;
  /** SVG by name; `--write` puts them into docs/images/performance/ (`plotPath` of page.ts says under which path). */
  readonly plots?: Readonly<Record<string, string>>;
}

export type Benchmark = (run: BenchmarkRun) => Promise<Outcome>;
