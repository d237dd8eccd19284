/**
 * How long connecting and disconnecting take, against the bare rollout of the same change by kubectl; how connect time grows
 * with Services and replicas; and what the agent costs: its image, its start, its memory and processor time at rest.
 */
import { ensureCluster, stopCluster } from '../../cluster/cluster.ts';
import { deployShop, kubectlOf, loadImages } from '../../stage/shop.ts';
import type { Benchmark } from '../benchmark.ts';
import { compare, type Measure, median, percentile } from '../measure.ts';
import { atRest, runningAgents } from './agent.ts';
import { atItsMoment } from './beat.ts';
import { forServices, growReplicas, growServices } from './growth.ts';
import { weighImage } from './image.ts';
import { growthTables, imageTable, plotsOf, sectionOf, type Taken, tableOf } from './section.ts';
import { measureKubectl, measureOurs, type OwnRun, type Run, type Subject } from './sides.ts';

const clusterName = 'bench';
const namespace = 'bench-connect';
/** What connect, disconnect and each replica more may cost, of what they cost kubectl. */
const ratio = 1.3;
/** Milliseconds, from its container's process to "agent started". */
const startLimit = 300;
/** Milliseconds that one Service may cost more among many than among few; less cannot be told from noise. */
const perService = 0.25;
const restSeconds = 10;

const sizes = {
  full: { services: [1, 10, 100, 1_000], serviceRuns: 5, replicas: [1, 5, 10, 20] },
  quick: { services: [1, 10, 100], serviceRuns: 1, replicas: [1, 3] },
};
/** Large ones take long, and their steps of a second weigh less. */
const replicaRuns = (size: number): number => (size < 10 ? 3 : 2);

export const benchConnect: Benchmark = async ({ runs, quick, machine, say }) => {
  const plan = quick ? sizes.quick : sizes.full;
  const image = await weighImage();
  const cluster = await ensureCluster({ name: clusterName, onProgress: say });
  try {
    await loadImages(cluster, say);
    const place = { kubectl: kubectlOf(cluster), kubeconfig: cluster.kubeconfig };
    await deployShop(place.kubectl, namespace, say);
    const main = await inTurn({ ...place, namespace, name: 'cart' }, runs, say);
    const services = await growServices(place, plan.services, plan.serviceRuns, say);
    const replicas = await growReplicas(place, plan.replicas, quick ? () => 1 : replicaRuns, say);
    const taken: Taken = { services, replicas, image };
    const measures = [...main, perServiceMeasure(taken), perReplicaMeasure(taken), imageMeasure(taken)];
    const report = [tableOf(measures), growthTables(taken), imageTable(taken)].join('\n\n');
    return { measures, report, section: sectionOf(measures, taken, machine), plots: plotsOf(taken) };
  } finally {
    await stopCluster(clusterName);
  }
};

/** Connect and disconnect of both sides in turn, and the agents of ours. */
async function inTurn(subject: Subject, runs: number, say: (text: string) => void): Promise<readonly Measure[]> {
  const ours: OwnRun[] = [];
  const other: Run[] = [];
  const starts: number[] = [];
  const rest: { readonly memory: number; readonly cpu: number }[] = [];
  // The first run of either side warms caches of image layers and files.
  for (let run = 0; run <= runs; run++) {
    await atItsMoment(run, runs);
    const own = await measureOurs(subject, async () => {
      if (run === 0) return;
      const agents = await runningAgents(subject);
      starts.push(...agents.map(({ start }) => start));
      if (run === runs) rest.push(...(await atRest(agents, restSeconds)));
      await atItsMoment(run, runs);
    });
    await atItsMoment(run, runs);
    const bare = await measureKubectl(subject, () => atItsMoment(run, runs));
    const shown = starts.slice(-2).map((each) => Math.round(each));
    say(`run ${run}: ours ${seconds(own)}, kubectl ${seconds(bare)}, agents started in ${shown.join(' and ')} ms`);
    if (run === 0) continue;
    ours.push(own);
    other.push(bare);
  }
  const both = (value: (run: Run) => number) => ({ ours: ours.map(value), other: other.map(value) });
  return [
    compare(
      'connect, 2 replicas',
      's',
      'kubectl',
      ratio,
      both(({ connect }) => connect),
    ),
    compare(
      'disconnect, 2 replicas',
      's',
      'kubectl',
      ratio,
      both(({ disconnect }) => disconnect),
    ),
    alone('agent start, p50', 'ms', { limit: startLimit }, starts),
    alone('agent start, the slowest', 'ms', { limit: startLimit }, starts, percentile(1)),
    alone(
      'agent at rest, memory',
      'MiB',
      { stated: true },
      rest.map(({ memory }) => memory),
    ),
    alone(
      'agent at rest, processor',
      'ms/s',
      { stated: true },
      rest.map(({ cpu }) => cpu),
    ),
  ];
}

/** A figure beside which there is no other. */
function alone(
  measure: string,
  unit: string,
  bar: { readonly limit: number } | { readonly stated: true },
  samples: readonly number[],
  statistic = median,
): Measure {
  return compare(measure, unit, 'nothing', bar, { ours: samples, other: samples }, statistic);
}

function perServiceMeasure({ services }: Taken): Measure {
  const perOne = (size: number) => {
    const least = median((services.get(1) ?? []).map(forServices));
    return (services.get(size) ?? []).map((run) => ((forServices(run) - least) / (size - 1)) * 1000);
  };
  const [few = 1, many = 1] = [...services.keys()].slice(-2);
  const bar = { ratio: 1, difference: perService };
  return compare(`a Service more, among ${many} (other: among ${few})`, 'ms', `among ${few}`, bar, {
    ours: perOne(many),
    other: perOne(few),
  });
}

function perReplicaMeasure({ replicas }: Taken): Measure {
  const [most = 1] = [...replicas.ours.keys()].slice(-1);
  const perOne = (by: Taken['replicas']['ours']) => {
    const least = median((by.get(1) ?? []).map(({ connect }) => connect));
    return (by.get(most) ?? []).map(({ connect }) => (connect - least) / (most - 1));
  };
  return compare(`a replica more, of ${most}`, 's', 'kubectl', ratio, {
    ours: perOne(replicas.ours),
    other: perOne(replicas.kubectl),
  });
}

function imageMeasure({ image }: Taken): Measure {
  return alone('agent image', 'MB', { stated: true }, [image.archive]);
}

function seconds({ connect, disconnect }: Run): string {
  return `${connect.toFixed(2)} s + ${disconnect.toFixed(2)} s`;
}
