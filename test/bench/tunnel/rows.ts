/** What is promised of the tunnel, and whether the samples keep it. */
import { type Bar, compare, type Measure, median, percentile, type Statistic } from '../measure.ts';
import type { Plan } from './plan.ts';
import type { Quantity, Samples, WayName } from './samples.ts';

/** A line of the table. */
export interface Row {
  readonly measure: Measure;
  /** What was measured, without the round-trip time; `reasons` has it if a promise is missed. */
  readonly name: string;
  /** In ms; not there if it is no matter of time. */
  readonly rtt?: number;
  /** The same inside the cluster, where it was measured: the limit. */
  readonly direct?: number;
  /** How often each side was measured, and what a sample is. */
  readonly samples: string;
}

interface Spec {
  readonly name: string;
  readonly unit: string;
  readonly quantity: Quantity;
  readonly ours: 'outbound' | 'inbound';
  /** Direct access where kubectl has nothing. */
  readonly other: 'kubectl' | 'direct';
  readonly statistic?: Statistic;
  readonly bar: (rtt: number) => Bar;
}

const stated = (): Bar => ({ stated: true });
const atLeastKubectl = (): Bar => ({ leastRatio: 1 });
const oneRoundTrip = (rtt: number): Bar => ({ limit: 1.15 * rtt + 2 });
const twoRoundTrips = (rtt: number): Bar => ({ limit: 2 * rtt + 10 });
const p99 = percentile(0.99);
const outbound = { ours: 'outbound', other: 'kubectl' } as const;
const inbound = { ours: 'inbound', other: 'direct' } as const;

/** What is measured at each round-trip time, in the order of the table. */
const specs: readonly Spec[] = [
  { name: 'new connection, outbound, p50', unit: 'ms', quantity: 'connection', ...outbound, bar: oneRoundTrip },
  {
    name: 'new connection, outbound, p99',
    unit: 'ms',
    quantity: 'connection',
    ...outbound,
    statistic: p99,
    bar: oneRoundTrip,
  },
  { name: 'new connection, inbound, p50', unit: 'ms', quantity: 'connection', ...inbound, bar: oneRoundTrip },
  {
    name: 'new connection, inbound, p99',
    unit: 'ms',
    quantity: 'connection',
    ...inbound,
    statistic: p99,
    bar: oneRoundTrip,
  },
  { name: 'one stream, download', unit: 'Gbit/s', quantity: 'download', ...outbound, bar: atLeastKubectl },
  { name: 'one stream, upload', unit: 'Gbit/s', quantity: 'upload', ...outbound, bar: atLeastKubectl },
  { name: 'one stream, inbound, to the cluster', unit: 'Gbit/s', quantity: 'download', ...inbound, bar: stated },
  { name: 'one stream, inbound, to this computer', unit: 'Gbit/s', quantity: 'upload', ...inbound, bar: stated },
  {
    name: 'CPU of daemon and agent, or of kubectl, download',
    unit: 's/GB',
    quantity: 'download own CPU',
    ...outbound,
    bar: stated,
  },
  {
    name: 'CPU of daemon and agent, or of kubectl, upload',
    unit: 's/GB',
    quantity: 'upload own CPU',
    ...outbound,
    bar: stated,
  },
  {
    name: 'CPU of API server, kubelet, containerd, download',
    unit: 's/GB',
    quantity: 'download cluster CPU',
    ...outbound,
    bar: stated,
  },
  {
    name: 'CPU of API server, kubelet, containerd, upload',
    unit: 's/GB',
    quantity: 'upload cluster CPU',
    ...outbound,
    bar: stated,
  },
  { name: 'streams at once, download', unit: 'Gbit/s', quantity: 'streams download', ...outbound, bar: atLeastKubectl },
  { name: 'streams at once, upload', unit: 'Gbit/s', quantity: 'streams upload', ...outbound, bar: atLeastKubectl },
  {
    name: 'small request beside a download, p99',
    unit: 'ms',
    quantity: 'beside download',
    ...outbound,
    statistic: p99,
    bar: twoRoundTrips,
  },
  {
    name: 'small request beside an upload, p99',
    unit: 'ms',
    quantity: 'beside upload',
    ...outbound,
    statistic: p99,
    bar: twoRoundTrips,
  },
  { name: 'that download meanwhile', unit: 'Gbit/s', quantity: 'beside download rate', ...outbound, bar: stated },
  { name: 'that upload meanwhile', unit: 'Gbit/s', quantity: 'beside upload rate', ...outbound, bar: stated },
  { name: 'HTTP requests, outbound', unit: '/s', quantity: 'requests', ...outbound, bar: atLeastKubectl },
  { name: 'HTTP requests, inbound', unit: '/s', quantity: 'requests', ...inbound, bar: stated },
];

/** KB that an idle connection may cost both ends together. */
export const idleLimit = 40;

/** The whole table. */
export function rowsOf(samples: Samples, plan: Plan): readonly Row[] {
  return [...specs.flatMap((spec) => plan.rtts.map((rtt) => rowAt(spec, rtt, samples))), ...memoryRows(samples, plan)];
}

function rowAt(
  { name, unit, quantity, ours, other, statistic = median, bar }: Spec,
  rtt: number,
  samples: Samples,
): Row {
  const direct = samples.of(quantity, 0, 'direct');
  const values = {
    ours: samples.of(quantity, rtt, ours),
    other: other === 'direct' ? direct : samples.of(quantity, rtt, other),
  };
  return {
    name,
    rtt,
    measure: compare(`${name}, RTT ${rtt} ms`, unit, other, bar(rtt), values, statistic),
    ...(direct.length > 0 && { direct: statistic(direct) }),
    samples: `${values.ours.length}`,
  };
}

function memoryRows(samples: Samples, { idleSteps }: Plan): readonly Row[] {
  const most = Math.max(...idleSteps);
  const row = (
    name: string,
    unit: string,
    quantity: Quantity,
    at: number,
    ours: WayName,
    bar: Bar,
    other?: Quantity,
  ): Row => {
    const values = samples.of(quantity, at, ours);
    // Where kubectl has nothing of the kind, ours stands alone.
    const beside = other ? samples.of(other, at, 'kubectl') : values;
    const measure = compare(name, unit, other ? 'kubectl' : '', bar, { ours: values, other: beside });
    return { name, measure, samples: `${values.length}` };
  };
  const each = `each of ${most} idle connections`;
  return [
    row(`${each}, outbound, both ends`, 'KB', 'idle both', most, 'outbound', { limit: idleLimit }, 'idle both'),
    row(`${each}, outbound, daemon`, 'KB', 'idle daemon', most, 'outbound', { stated: true }, 'idle daemon'),
    row(`${each}, outbound, agent`, 'KB', 'idle agent', most, 'outbound', { stated: true }),
    row(`${each}, inbound, both ends`, 'KB', 'idle both', most, 'inbound', { limit: idleLimit }),
    row(`${each}, inbound, daemon`, 'KB', 'idle daemon', most, 'inbound', { stated: true }),
    row(`${each}, inbound, agent`, 'KB', 'idle agent', most, 'inbound', { stated: true }),
    row('agent at rest, memory', 'MB', 'rest agent memory', 0, 'outbound', { stated: true }),
    row('agent at rest, of one processor', '%', 'rest agent CPU', 0, 'outbound', { stated: true }),
    row('daemon at rest, memory', 'MB', 'rest daemon memory', 0, 'outbound', { stated: true }),
  ];
}
