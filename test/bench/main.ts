/**
 * `npm run bench -- NAME [--json] [--runs N] [--quick] [--write]`: one benchmark, always against something else in the same run.
 * With `--json` the last line is one JSON object; with `--write` the figures and plots go into docs/performance.md. Ends with 1
 * if a promise is not kept.
 */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import type { Benchmark } from './benchmark.ts';
import { benchConnect } from './connect/connect.ts';
import { benchDap } from './dap.ts';
import { benchHosts } from './hosts.ts';
import { type Measure, table } from './measure.ts';
import { writePlot, writeSection } from './page.ts';
import { benchTunnel } from './tunnel/tunnel.ts';

const measuresOnly =
  (bench: (runs: number, say: (text: string) => void) => Promise<readonly Measure[]>): Benchmark =>
  async ({ runs, say }) => ({ measures: await bench(runs, say) });

/** Every benchmark of the project. */
const benchmarks: Readonly<Record<string, Benchmark>> = {
  connect: benchConnect,
  dap: measuresOnly(benchDap),
  hosts: measuresOnly(benchHosts),
  tunnel: benchTunnel,
};

const fewestRuns = 10;
const quickRuns = 2;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    runs: { type: 'string' },
    quick: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const { quick, write } = values;
const [name = ''] = positionals;
const benchmark = benchmarks[name];
const fewest = quick ? quickRuns : fewestRuns;
const runs = Number(values.runs ?? fewest);
if (!benchmark || !Number.isInteger(runs) || runs < fewest || (quick && write)) {
  console.error(
    `Use: npm run bench -- NAME [--json] [--runs N] [--quick | --write]   N ≥ ${fewest}; NAME: ${Object.keys(benchmarks).join(', ')}`,
  );
  process.exit(2);
}

const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform} ${process.arch}`;
let said = '';
const say = (text: string) => {
  // A cluster that starts says the same again and again.
  if (text !== said) console.error(text);
  said = text;
};
const outcome = await benchmark({ runs, quick, machine, say });
const { measures, report, section, plots = {} } = outcome;
console.log(`\n${machine}\n\n${report ?? table(measures)}\n`);
if (write) {
  if (section === undefined) throw new Error(`The benchmark "${name}" writes no section of docs/performance.md.`);
  for (const [plot, svg] of Object.entries(plots)) writePlot(plot, svg);
  writeSection(name, section);
}
if (values.json) console.log(JSON.stringify({ name, machine, measures }));
process.exit(measures.every((measure) => measure.holds) ? 0 : 1);
