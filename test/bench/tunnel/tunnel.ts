/** The tunnel beside `kubectl port-forward`, with direct access inside the cluster as the limit. */
import type { Benchmark } from '../benchmark.ts';
import { openPlace } from './place.ts';
import { planOf } from './plan.ts';
import { rowsOf } from './rows.ts';
import { plotsOf, sectionOf, tableOf } from './section.ts';
import { takeSamples } from './take.ts';

export const benchTunnel: Benchmark = async ({ runs, quick, machine, say }) => {
  const plan = planOf(runs, quick);
  await using place = await openPlace(say);
  const samples = await takeSamples(place, plan, say);
  const rows = rowsOf(samples, plan);
  return {
    measures: rows.map((row) => row.measure),
    report: tableOf(rows),
    section: sectionOf(rows, plan, machine),
    plots: plotsOf(samples, plan),
  };
};
