import { expect, it } from 'vitest';
import { planOf } from './plan.ts';
import { reasons } from './reasons.ts';
import { type Row, rowsOf } from './rows.ts';
import { type Quantity, Samples, type WayName } from './samples.ts';
import { plotsOf, sectionOf, tableOf } from './section.ts';

const plan = planOf(10, false);
const machine = '2 × a processor';

/** Samples of a tunnel that keeps all promises; `worse` says what it does not. */
function samplesOf(worse: Partial<Record<Quantity, number>> = {}): Samples {
  const samples = new Samples();
  const add = (quantity: Quantity, at: number, ways: Partial<Record<WayName, number>>) => {
    for (const [way, value] of Object.entries(ways)) {
      const given = way === 'outbound' ? (worse[quantity] ?? value) : value;
      samples.add(quantity, at, way as WayName, [given, given, given]);
    }
  };
  const rates = ['download', 'upload', 'streams download', 'streams upload', 'requests'] as const;
  const costs = ['download own CPU', 'upload own CPU', 'download cluster CPU', 'upload cluster CPU'] as const;
  for (const rtt of plan.rtts) {
    const direct = rtt === 0;
    add('connection', rtt, {
      outbound: rtt + 1,
      inbound: rtt + 1,
      kubectl: 3 * rtt + 4,
      ...(direct && { direct: 0.1 }),
    });
    for (const quantity of rates)
      add(quantity, rtt, { outbound: 2, inbound: 2, kubectl: 1, ...(direct && { direct: 9 }) });
    for (const quantity of costs) add(quantity, rtt, { outbound: 5, inbound: 5, kubectl: 4 });
    for (const direction of ['download', 'upload'] as const) {
      add(`beside ${direction}`, rtt, { outbound: rtt + 5, kubectl: 4 * rtt, ...(direct && { direct: 1 }) });
      add(`beside ${direction} rate`, rtt, { outbound: 2, kubectl: 1, ...(direct && { direct: 9 }) });
    }
  }
  for (const count of plan.idleSteps) {
    add('idle both', count, { outbound: 30, inbound: 31, kubectl: 42 });
    add('idle daemon', count, { outbound: 15, inbound: 15, kubectl: 42 });
    add('idle agent', count, { outbound: 15, inbound: 16 });
  }
  add('rest agent memory', 0, { outbound: 60 });
  add('rest agent CPU', 0, { outbound: 0.3 });
  add('rest daemon memory', 0, { outbound: 100 });
  return samples;
}

const missed = (rows: readonly Row[]) =>
  rows.filter(({ measure }) => !measure.holds).map(({ measure }) => measure.measure);

it('keeps all promises where the samples do', () => {
  expect(missed(rowsOf(samplesOf(), plan))).toEqual([]);
});

it('misses exactly what the samples miss, at the round-trip times at which they do', () => {
  const rows = rowsOf(samplesOf({ connection: 20, download: 0.9, 'idle both': 41, 'beside upload': 60 }), plan);
  expect(missed(rows)).toEqual([
    'new connection, outbound, p50, RTT 0 ms',
    'new connection, outbound, p99, RTT 0 ms',
    'one stream, download, RTT 0 ms',
    'one stream, download, RTT 20 ms',
    'one stream, download, RTT 80 ms',
    'small request beside an upload, p99, RTT 0 ms',
    'small request beside an upload, p99, RTT 20 ms',
    'each of 2000 idle connections, outbound, both ends',
  ]);
});

it('says why below the table, once for each kind of promise', () => {
  const table = tableOf(rowsOf(samplesOf({ download: 0.9, 'idle both': 41 }), plan));
  expect(table).toContain(
    '| one stream, download | 20 ms | 0.9 Gbit/s (0.9–0.9) | 1 Gbit/s (1–1) | 9 Gbit/s | ≥ kubectl | missed | 3 |',
  );
  expect(table.match(/^Missed: \*one stream, download\* at RTT 0, 20, 80 ms\./gm)).toHaveLength(1);
  expect(table).toContain('Missed: *each of 2000 idle connections, outbound, both ends*. ');
  expect(tableOf(rowsOf(samplesOf(), plan))).not.toContain('Missed');
});

it('says that kubectl has nothing for connections from the cluster', () => {
  const line = tableOf(rowsOf(samplesOf(), plan))
    .split('\n')
    .find((each) => each.startsWith('| new connection, inbound, p50 | 80 ms |'));
  expect(line).toBe('| new connection, inbound, p50 | 80 ms | 81 ms (81–81) | – | 0.1 ms | ≤ 94 ms | holds | 3 |');
});

it('has reasons only for promises that there are', () => {
  const names = new Set(rowsOf(samplesOf(), plan).map(({ name }) => name));
  expect(Object.keys(reasons).filter((name) => !names.has(name))).toEqual([]);
});

it('shows every plot in the section', () => {
  const samples = samplesOf();
  const section = sectionOf(rowsOf(samples, plan), plan, machine);
  const shown = [...section.matchAll(/^!\[[^\]]+\]\(images\/performance\/(.+)\.svg\)$/gm)].map((match) => match[1]);
  expect(shown).toEqual(Object.keys(plotsOf(samples, plan)));
  expect(section).toContain(machine);
});
