/**
 * `npm run load -- [bytes] [storm] [slow] [protocols]`, or all of it: whether all is right under load, through the public command `connect` on
 * the real cluster, in both directions. The exit code is 0 if everything was right.
 *
 *   --seed N          the same data, sizes and order again; without it one is chosen, and said
 *   --gigabytes N     to the cluster, and as much from it (10)
 *   --connections N   short connections of each direction (10,000)
 *   --stalled N       connections of each direction whose reader stops, on each side (64)
 *   --write           writes the section of docs/performance.md
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { allChecks } from './all-checks.ts';
import { type Part, parts, shown } from './checks.ts';
import { type Outcome, table, withSection } from './report.ts';
import { openStage } from './stage.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seed: { type: 'string' },
    gigabytes: { type: 'string', default: '10' },
    connections: { type: 'string', default: '10000' },
    stalled: { type: 'string', default: '64' },
    write: { type: 'boolean', default: false },
  },
});
const wishes: readonly string[] = positionals.length === 0 || positionals.includes('all') ? parts : positionals;
const wanted = parts.filter((part) => wishes.includes(part));
const size = {
  bytesEachWay: Number(values.gigabytes) * 1e9,
  connections: Number(values.connections),
  stalled: Number(values.stalled),
  protocols: 1,
};
if (wanted.length < wishes.length || !Object.values(size).every((value) => value > 0)) {
  console.error(
    `Use: npm run load -- [${parts.join('] [')}] [--seed N] [--gigabytes N] [--connections N] [--stalled N] [--write]`,
  );
  process.exit(2);
}
const seed = values.seed ?? `${Math.floor(Math.random() * 1_000_000)}`;
const say = (text: string) => console.error(`${new Date().toISOString().slice(11, 19)} ${text}`);

say(`seed ${seed}`);
const outcomes = await look(wanted);
const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
const text = `${table(outcomes)}\n\n${machine}; seed ${seed}.`;
console.log(`\n${text}\n`);
if (values.write) {
  const page = join(import.meta.dirname, '..', '..', 'docs', 'performance.md');
  writeFileSync(page, withSection(readFileSync(page, 'utf8'), text));
}
process.exit(outcomes.every(({ passed }) => passed) ? 0 : 1);

async function look(chosen: readonly Part[]): Promise<Outcome[]> {
  await using stage = await openStage({ namespace: 'load', protocols: chosen.includes('protocols'), say });
  const seen: Outcome[] = [];
  for (const check of allChecks.filter(({ part }) => chosen.includes(part))) {
    say(`${check.name}, ${check.direction}`);
    const run = () => check.run({ stage, size, seed, say: (line) => say(`  ${line}`) });
    const one = await outcome(check, run);
    if (!one.passed) say(`  what was written meanwhile: ${await stage.keepLogs()}`);
    seen.push(one);
  }
  const end = { part: 'end', name: 'the end of the session', direction: 'both' } as const;
  seen.push(
    await outcome(end, async () => {
      await stage.end();
      return 'workload, hosts file and processes are as before';
    }),
  );
  return seen;
}

async function outcome(check: Outcome['check'], run: () => Promise<string>): Promise<Outcome> {
  const began = performance.now();
  const since = () => (performance.now() - began) / 1000;
  try {
    const text = await run();
    say(`  right: ${text} (${shown(since(), 1)} s)`);
    return { check, passed: true, text, seconds: since() };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    say(`  WRONG: ${text}`);
    return { check, passed: false, text, seconds: since() };
  }
}
