/** The tables, the plots and the words around them, for the terminal and for docs/performance.md. */
import { barOf, type Measure, markdownTable, median, missedBecause, verdict } from '../measure.ts';
import { plotPath } from '../page.ts';
import { lineChart } from '../plot.ts';
import { type BySize, forServices } from './growth.ts';
import type { ImageWeight } from './image.ts';
import { reasons } from './reasons.ts';
import type { OwnRun, Run } from './sides.ts';

/** Everything that was measured. */
export interface Taken {
  readonly services: BySize<OwnRun>;
  readonly replicas: { readonly ours: BySize<Run>; readonly kubectl: BySize<Run> };
  readonly image: ImageWeight;
}

/** Runs of both sides, and below why promises are missed; a measure that has only one side shows what it is held against. */
export function tableOf(measures: readonly Measure[]): string {
  const cell = (value: number, [lowest, highest]: readonly [number, number], unit: string) =>
    `${short(value)} ${unit} (${short(lowest)}–${short(highest)})`;
  const rows = measures.map((each) => {
    const isAlone = 'limit' in each.bar || 'stated' in each.bar;
    return [
      each.measure,
      cell(each.ours, each.oursSpread, each.unit),
      isAlone ? '–' : cell(each.other, each.otherSpread, each.unit),
      isAlone ? '' : `${short(each.ratio)}`,
      barOf(each),
      verdict(each),
      `${each.runs}`,
    ];
  });
  const table = markdownTable(['measure', 'ours (spread)', 'other (spread)', 'ratio', 'bar', '', 'samples'], rows);
  const missed = measures.filter(({ holds }) => !holds).map(({ measure }) => missedBecause(measure, reasons));
  return [table, ...missed].join('\n\n');
}

/** What was measured at each size. */
export function growthTables({ services, replicas }: Taken): string {
  const spread = (values: readonly number[], digits: number) =>
    `${median(values).toFixed(digits)} s (${Math.min(...values).toFixed(digits)}–${Math.max(...values).toFixed(digits)})`;
  const connects = (runs: readonly Run[]) => runs.map(({ connect }) => connect);
  const ofServices = [...services].map(([size, runs]) => [
    `${size}`,
    spread(connects(runs), 2),
    spread(runs.map(forServices), 3),
    `${runs.length}`,
  ]);
  const ofReplicas = [...replicas.ours].map(([size, runs]) => {
    const other = replicas.kubectl.get(size) ?? [];
    const ratio = median(connects(runs)) / median(connects(other));
    return [`${size}`, spread(connects(runs), 2), spread(connects(other), 2), ratio.toFixed(2), `${runs.length}`];
  });
  return [
    markdownTable(['Services', 'connect', 'of it for the Services', 'runs'], ofServices),
    markdownTable(['replicas', 'connect', 'kubectl', 'ratio', 'runs of each'], ofReplicas),
  ].join('\n\n');
}

/** What the image is made of. */
export function imageTable({ image }: Taken): string {
  const rows = [
    ['the archive', image.archive],
    ['the same, compressed with gzip, as a node pulls it', image.compressed],
    ['Node', image.node],
    ['C and C++ libraries', image.libraries],
    ['the reaper', image.reaper],
    ['the agent', image.agent],
  ] as const;
  return markdownTable(
    ['the agent’s image', 'MB'],
    rows.map(([what, megabytes]) => [what, megabytes.toFixed(megabytes < 10 ? 3 : 1)]),
  );
}

/** The section of docs/performance.md. */
export function sectionOf(measures: readonly Measure[], taken: Taken, machine: string): string {
  const pictures = [...titles].map(([name, title]) => `![${title}](${plotPath(name)})`);
  const where = `${machine}, Kubernetes on the same machine.`;
  return [method, tableOf(measures), growthTables(taken), imageTable(taken), where, ...pictures].join('\n\n');
}

const method = `It starts a cluster of its own. The sample shop's \`cart\`: two replicas with a sidecar, rolled out one after the other as
Deployments do by default. Both sides in turn. The kubelet looks at its containers once a second, and both sides end at such a look; the runs
begin at moments that are spread evenly over that second, for both sides alike, so that neither always begins at a lucky one.

- *Ours, connect*: from the start of \`kubernetes-local connect\` until it says "Ready": kubeconfig, rights, environment, names,
  patch, both agents ready with their tunnels, self-test through the Service. The reaper is made beside it, as usual.
- *kubectl, connect*: \`kubectl patch\` of the same fields with the agent's image, but a server that is ready at once, then
  \`kubectl rollout status\`.
- *Ours, disconnect*: from Ctrl-C until the command has ended: hosts file, reverse patch, reaper removed, old image everywhere, no
  agent pod left.
- *kubectl, disconnect*: \`kubectl rollout undo\`, \`kubectl rollout status\`, and \`kubectl wait --for=delete\` for the pods of the change.
- *Agent start*: from the moment at which the kernel makes the container's process (runc's fork, 10 ms exact) until the agent's log
  says "agent started".
- *Growth*: a Deployment of \`sleep\` in mode \`hosts\` among so many Services (one replica), and of so many replicas. What a connect
  works for the Services is the time of its steps *the Services*, *listeners* and *names*, which \`--timings\` shows. A
  Service or replica more costs what the largest size took longer than one, divided by their number.`;

const titles: ReadonlyMap<string, string> = new Map([
  ['connect-services', 'Connect among many Services'],
  ['connect-replicas', 'Connect of many replicas'],
]);

/** SVG by the name of the file. */
export function plotsOf({ services, replicas }: Taken): Readonly<Record<string, string>> {
  const title = (name: string) => titles.get(name) ?? name;
  const points = <T>(by: BySize<T>, value: (run: T) => number) =>
    [...by].map(([size, runs]) => [size, short(median(runs.map(value)))] as const);
  return {
    'connect-services': lineChart({
      title: title('connect-services'),
      x: 'Services',
      y: 's',
      lines: [
        { name: 'connect', points: points(services, ({ connect }) => connect) },
        { name: 'of it for the Services', points: points(services, forServices) },
      ],
    }),
    'connect-replicas': lineChart({
      title: title('connect-replicas'),
      x: 'replicas',
      y: 's',
      lines: [
        { name: 'connect', points: points(replicas.ours, ({ connect }) => connect) },
        { name: 'kubectl', points: points(replicas.kubectl, ({ connect }) => connect) },
      ],
    }),
  };
}

function short(value: number): number {
  return Number(value.toPrecision(3));
}
