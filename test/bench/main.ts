/**
 * `npm run bench -- NAME [--json] [--runs N]`: one benchmark, always against something else in the same run.
 * With `--json` the last line is one JSON object.
 */
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { benchConnect } from './connect.ts';
import { benchDap } from './dap.ts';
import { benchHosts } from './hosts.ts';
import { type Measure, table } from './measure.ts';

/** Every benchmark of the project. */
const benchmarks: Readonly<Record<string, (runs: number, say: (text: string) => void) => Promise<readonly Measure[]>>> =
  {
    connect: benchConnect,
    dap: benchDap,
    hosts: benchHosts,
  };

const fewestRuns = 10;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false }, runs: { type: 'string', default: `${fewestRuns}` } },
});
const [name = ''] = positionals;
const benchmark = benchmarks[name];
const runs = Number(values.runs);
if (!benchmark || !Number.isInteger(runs) || runs < fewestRuns) {
  console.error(
    `Use: npm run bench -- NAME [--json] [--runs N]   N ≥ ${fewestRuns}; NAME: ${Object.keys(benchmarks).join(', ')}`,
  );
  process.exit(2);
}

const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform} ${process.arch}`;
const measures = await benchmark(runs, (text) => console.error(text));
console.log(`\n${machine}\n\n${table(measures)}\n`);
if (values.json) console.log(JSON.stringify({ name, machine, measures }));
process.exit(measures.every((measure) => measure.holds) ? 0 : 1);
