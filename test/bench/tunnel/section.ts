/** The table, the plots and the words around them, for the terminal and for docs/performance.md. */
import { barOf, markdownTable, median, missedBecause, percentile, verdict } from '../measure.ts';
import { plotPath } from '../page.ts';
import { barChart, type Line, lineChart } from '../plot.ts';
import { type Plan, wrkSecondsAt } from './plan.ts';
import { reasons } from './reasons.ts';
import { idleLimit, type Row } from './rows.ts';
import type { Quantity, Samples, WayName } from './samples.ts';

/** The table, and below it why promises are missed. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => {
    const { measure, name, rtt, direct, samples } = row;
    const hasKubectl = measure.otherName === 'kubectl';
    return [
      name,
      rtt === undefined ? '' : `${rtt} ms`,
      withSpread(measure.ours, measure.oursSpread, measure.unit),
      hasKubectl ? withSpread(measure.other, measure.otherSpread, measure.unit) : '–',
      direct === undefined ? '' : `${short(direct)} ${measure.unit}`,
      barOf(measure),
      verdict(measure),
      samples,
    ];
  });
  const head = ['measure', 'RTT', 'ours (spread)', 'kubectl port-forward (spread)', 'direct', 'bar', '', 'samples'];
  return [markdownTable(head, cells), ...missedPromises(rows)].join('\n\n');
}

/** One paragraph for each kind of missed promise. */
function missedPromises(rows: readonly Row[]): readonly string[] {
  const missed = new Map<string, number[]>();
  for (const { measure, name, rtt } of rows) {
    if (!measure.holds) missed.set(name, [...(missed.get(name) ?? []), ...(rtt === undefined ? [] : [rtt])]);
  }
  return [...missed].map(([name, rtts]) => {
    const where = rtts.length === 0 ? '' : ` at RTT ${rtts.join(', ')} ms`;
    return missedBecause(name, reasons, where);
  });
}

/** The section of docs/performance.md. */
export function sectionOf(rows: readonly Row[], plan: Plan, machine: string): string {
  const pictures = [...pictureTitles].map(([name, title]) => `![${title}](${plotPath(name)})`);
  return [methodOf(plan), tableOf(rows), `${machine}, Kubernetes on the same machine.`, ...pictures].join('\n\n');
}

const pictureTitles: ReadonlyMap<string, string> = new Map([
  ['tunnel-connection', 'New connection until its first byte is back'],
  ['tunnel-throughput', 'Throughput of one stream'],
  ['tunnel-streams', 'Throughput of many streams at once'],
  ['tunnel-beside', 'Small request beside a transfer, p99'],
  ['tunnel-http', 'HTTP requests over kept connections'],
  ['tunnel-memory', 'Memory of idle connections, both ends together'],
]);

/** SVG by the name of the file. */
export function plotsOf(samples: Samples, plan: Plan): Readonly<Record<string, string>> {
  const title = (name: string) => pictureTitles.get(name) ?? name;
  const over = (quantity: Quantity, way: WayName, name: string, statistic = median): Line => ({
    name,
    points: plan.rtts.map((rtt) => [rtt, short(statistic(samples.of(quantity, rtt, way)))]),
  });
  const promised = (name: string, bar: (rtt: number) => number): Line => ({
    name,
    dashed: true,
    points: plan.rtts.map((rtt) => [rtt, bar(rtt)]),
  });
  const groups = plan.rtts.map((rtt) => `RTT ${rtt} ms`);
  const bars = (quantity: Quantity, way: WayName, name: string) => ({
    name,
    values: plan.rtts.map((rtt) => short(median(samples.of(quantity, rtt, way)))),
  });
  const idle = (way: WayName, name: string): Line => ({
    name,
    points: plan.idleSteps.map((count) => [count, short((median(samples.of('idle both', count, way)) * count) / 1024)]),
  });
  const p99 = percentile(0.99);
  const x = 'round-trip time to the API server, ms';
  return {
    'tunnel-connection': lineChart({
      title: title('tunnel-connection'),
      x,
      y: 'ms',
      lines: [
        over('connection', 'outbound', 'outbound, p50'),
        over('connection', 'outbound', 'outbound, p99', p99),
        over('connection', 'inbound', 'inbound, p50'),
        over('connection', 'kubectl', 'kubectl, p50'),
        over('connection', 'kubectl', 'kubectl, p99', p99),
        promised('promised', (rtt) => 1.15 * rtt + 2),
      ],
    }),
    'tunnel-throughput': lineChart({
      title: title('tunnel-throughput'),
      x,
      y: 'Gbit/s',
      lines: [
        over('download', 'outbound', 'download'),
        over('upload', 'outbound', 'upload'),
        over('download', 'kubectl', 'kubectl, download'),
        over('upload', 'kubectl', 'kubectl, upload'),
      ],
    }),
    'tunnel-streams': barChart({
      title: `${title('tunnel-streams')} (${plan.streams})`,
      y: 'Gbit/s',
      groups,
      bars: [
        bars('streams download', 'outbound', 'download'),
        bars('streams download', 'kubectl', 'kubectl, download'),
        bars('streams upload', 'outbound', 'upload'),
        bars('streams upload', 'kubectl', 'kubectl, upload'),
      ],
    }),
    'tunnel-beside': lineChart({
      title: title('tunnel-beside'),
      x,
      y: 'ms',
      lines: [
        over('beside download', 'outbound', 'beside a download', p99),
        over('beside upload', 'outbound', 'beside an upload', p99),
        over('beside download', 'kubectl', 'kubectl, download', p99),
        over('beside upload', 'kubectl', 'kubectl, upload', p99),
        promised('promised', (rtt) => 2 * rtt + 10),
      ],
    }),
    'tunnel-http': barChart({
      title: `${title('tunnel-http')} (wrk, ${plan.wrkConnections})`,
      y: 'requests/s',
      groups,
      bars: [
        bars('requests', 'outbound', 'outbound'),
        bars('requests', 'kubectl', 'kubectl'),
        bars('requests', 'inbound', 'inbound'),
      ],
    }),
    'tunnel-memory': lineChart({
      title: title('tunnel-memory'),
      x: 'idle connections',
      y: 'MB',
      lines: [
        idle('outbound', 'outbound'),
        idle('inbound', 'inbound'),
        idle('kubectl', 'kubectl'),
        { name: 'promised', dashed: true, points: plan.idleSteps.map((count) => [count, (count * idleLimit) / 1024]) },
      ],
    }),
  };
}

function methodOf(plan: Plan): string {
  const { smallRounds, connectionsPerRound, besidePerRound, largeRounds, streamBytes, streams, manyStreamBytes } = plan;
  const megabytes = (bytes: number) => bytes / 1e6;
  return `The same program (\`test/bench/tunnel/probe/\`) is server and client on all ways. All ways take turns in each round, while one session and one
\`kubectl port-forward\` of the cluster's own version stand:

- *ours, outbound*: from this computer through the listeners of \`kubernetes-local connect\` (mode \`env\`) to a Service;
- *ours, inbound*: from a pod to the Service of the replaced workload, answered by a server on this computer. kubectl has nothing for that;
- *kubectl port-forward*: from this computer to the same server's pod, at a port of localhost;
- *direct*: from a pod to the same server's Service. It does not pass the road to the API server, so it has no round-trip time: the limit.

RTT is what is added on the road to the API server.

- *New connection*: from dialling until the echo of one byte is back, one after the other; ${smallRounds} rounds of ${connectionsPerRound}. *Small request*: the same beside
  a transfer on another connection that does not end; ${smallRounds} rounds of ${besidePerRound}.
- *One stream*: ${megabytes(streamBytes)} MB on a connection that is open, a download from asking to the last byte, an upload until the server says that
  it has all; ${largeRounds} rounds. *Streams at once*: ${streams} of ${megabytes(manyStreamBytes)} MB each. *CPU*: all threads of the processes during *one stream*; for API
  server, kubelet and containerd, which both pass, less what they use while nothing passes.
- *HTTP requests*: wrk with ${plan.wrkConnections} connections for ${plan.rtts.map((rtt) => wrkSecondsAt(rtt, plan)).join(', ')} s, ${largeRounds} rounds. Its connections are opened once, inside of that time.
- *Idle connections*: growth of resident memory once it rests, each time in a new session, ${plan.idleRuns} of each; each connection has echoed one byte.
- *At rest*: a session that has carried ${connectionsPerRound} connections.

p50 and p99 are over all samples, everything else is the median; the spread is the lowest and the highest sample.`;
}

function withSpread(value: number, [lowest, highest]: readonly [number, number], unit: string): string {
  return `${short(value)} ${unit} (${short(lowest)}–${short(highest)})`;
}

/** Three digits are more than the runs agree on. */
function short(value: number): number {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
