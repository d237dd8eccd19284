/**
 * Load through an intercepted Service while the road to the cluster is cut again and again: who calls between the cuts loses
 * nothing. `node test/faults/load.ts --seconds 600` runs it alone; npm run faults runs it too.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { ensureCluster } from '../cluster/cluster.ts';
import { buildAgentImage } from '../cluster/images/agent.ts';
import { freePort, placeOptions, startCommand } from '../e2e/command-line.ts';
import { imageCache } from '../stage/cache.ts';
import type { Kubectl } from '../stage/kubectl.ts';
import { removeNamespace, type Shop } from '../stage/shop.ts';
import { agentImage, openWorld, sharedCluster, type World } from '../stage/world.ts';

export interface LoadOptions {
  readonly seconds: number;
  readonly cutEverySeconds: number;
  readonly cutSeconds: number;
  /** Requests a second. */
  readonly rate: number;
  /** Cut by resets; else nothing passes and nothing is told. */
  readonly reset: boolean;
}

export interface LoadResult {
  readonly requests: number;
  readonly lost: number;
  /** Those that no cut touched between their beginning and their end. */
  readonly lostOutsideCuts: number;
  /** Milliseconds, of all that were answered. */
  readonly p50: number;
  readonly p99: number;
  readonly cuts: number;
  /** Losses by the second of the run in which they ended. */
  readonly bySecond: Readonly<Record<number, number>>;
  /** How they were lost, with how many. */
  readonly reasons: Readonly<Record<string, number>>;
}

const namespace = 'faults-load';
/** New connections may wait for 10 s; a little more, so that it is seen whether they do. */
const patienceMilliseconds = 12_000;
/** A reset is on its way for a moment, and the clocks of the road and of this process are read one after the other. */
const blurMilliseconds = 100;

const generatorSchema = z.object({
  requests: z.number(),
  p50: z.number(),
  p99: z.number(),
  losses: z.array(z.object({ begun: z.number(), ended: z.number(), kept: z.boolean(), why: z.string() })),
});

/** Runs the load once on the cluster of the end-to-end tests, in a namespace of its own, and proves the undo behind it. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const cluster = await ensureCluster({ name: sharedCluster, onProgress: () => {} });
  await cluster.load(await buildAgentImage(imageCache()));
  await using world = await openWorld(namespace, deployReceiver);
  const before = await world.snapshot();
  const port = await freePort();
  const target = ['run', '--target', 'receiver', '--network', 'env', '--port', `http:${port}`, ...placeOptions(world)];
  const session = startCommand(world, [...target, '--', world.node, '-e', receiver('here', port)]);
  try {
    await session.saw('listens');
    const begun = Date.now();
    const generated = generate(world, options);
    const cuts = await cutAgainAndAgain(world, options, generated);
    const result = judge(await generated, cuts, begun);
    // Said now: should something be left behind, that is the outcome, and these figures would be lost.
    process.stderr.write(`${JSON.stringify(result)}\n`);
    return result;
  } finally {
    await world.cluster.restore();
    session.kill('SIGTERM');
    await session.ended;
    await world.asBefore(before);
  }
}

interface Cut {
  readonly begun: number;
  readonly ended: number;
}

/** Cuts until the generator has sent everything; never in the last seconds, so that all answers can come. */
async function cutAgainAndAgain(
  { cluster }: World,
  { seconds, cutEverySeconds, cutSeconds, reset }: LoadOptions,
  generated: Promise<unknown>,
): Promise<readonly Cut[]> {
  const failed = generated.then(() => new Promise<never>(() => {}));
  const cuts: Cut[] = [];
  for (let at = cutEverySeconds; at + cutSeconds + 5 <= seconds; at += cutEverySeconds) {
    await Promise.race([delay((cutEverySeconds - cutSeconds) * 1000), failed]);
    const begun = Date.now();
    await cluster.cut(0, { reset });
    await delay(cutSeconds * 1000);
    await cluster.restore();
    cuts.push({ begun, ended: Date.now() });
  }
  return cuts;
}

function judge(generated: z.infer<typeof generatorSchema>, cuts: readonly Cut[], start: number): LoadResult {
  const { requests, p50, p99, losses } = generated;
  const touched = ({ begun, ended }: Cut) =>
    cuts.some((cut) => begun <= cut.ended + blurMilliseconds && ended >= cut.begun - blurMilliseconds);
  const count = (keys: readonly (string | number)[]): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
    return counts;
  };
  return {
    requests,
    lost: losses.length,
    lostOutsideCuts: losses.filter((loss) => !touched(loss)).length,
    p50,
    p99,
    cuts: cuts.length,
    bySecond: count(losses.map(({ ended }) => Math.floor((ended - start) / 1000))),
    reasons: count(losses.map(({ kept, why }) => `${why}, ${kept ? 'kept' : 'new'} connection`)),
  };
}

/** Runs the generator in a pod to its end. */
async function generate(world: World, { rate, seconds }: LoadOptions): Promise<z.infer<typeof generatorSchema>> {
  const { kubectl } = world.shop;
  const script = readFileSync(new URL('load-generator.ts', import.meta.url), 'utf8');
  const name = 'generator';
  const parameters = ['http://receiver/', String(rate), String(seconds), String(patienceMilliseconds)];
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name,
          image: agentImage,
          imagePullPolicy: 'IfNotPresent',
          command: ['/bin/node', '/load/generator.ts', ...parameters],
          volumeMounts: [{ name: 'load', mountPath: '/load' }],
        },
      ],
      volumes: [{ name: 'load', configMap: { name } }],
    },
  };
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { 'generator.ts': script } };
  const items = { apiVersion: 'v1', kind: 'List', items: [map, pod] };
  await kubectl.run(['apply', '-n', namespace, '-f', '-'], JSON.stringify(items));
  // While the road is cut there is nobody to ask.
  await delay(seconds * 1000);
  const wait = ['wait', `pod/${name}`, '-n', namespace, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s'];
  await kubectl.run(wait);
  const log = await kubectl.run(['logs', name, '-n', namespace]);
  await kubectl.run(['delete', 'pod,configmap', name, '-n', namespace]);
  return generatorSchema.parse(JSON.parse(log));
}

/** A small server, as one line of JavaScript. */
function receiver(answer: string, port: number): string {
  return `require('node:http').createServer((_, response) => response.end('${answer}')).listen(${port}, () => console.error('listens'))`;
}

/** The workload that is intercepted: two pods behind a Service. */
async function deployReceiver(kubectl: Kubectl, place: string): Promise<Shop> {
  // An earlier run's may be on its way out.
  await removeNamespace(kubectl, place);
  const labels = { app: 'receiver' };
  const container = {
    name: 'receiver',
    image: agentImage,
    imagePullPolicy: 'IfNotPresent',
    command: ['/bin/node', '-e', receiver('there', 8080)],
    ports: [{ name: 'http', containerPort: 8080 }],
    readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 1 },
  };
  const items = [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: place } },
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'receiver', namespace: place, labels },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } },
      },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'receiver', namespace: place },
      spec: { selector: labels, ports: [{ name: 'http', port: 80, targetPort: 'http' }] },
    },
  ];
  await kubectl.run(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await kubectl.run(['rollout', 'status', 'deployment/receiver', '-n', place, '--timeout=120s']);
  return { kubectl, namespace: place, request: () => Promise.reject(new Error('nobody in here makes requests')) };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string', default: '600' },
      every: { type: 'string', default: '60' },
      cut: { type: 'string', default: '2' },
      rate: { type: 'string', default: '500' },
      reset: { type: 'boolean', default: false },
    },
  });
  const result = await runLoad({
    seconds: Number(values.seconds),
    cutEverySeconds: Number(values.every),
    cutSeconds: Number(values.cut),
    rate: Number(values.rate),
    reset: values.reset,
  });
  process.stdout.write(`${JSON.stringify(result, undefined, 2)}\n`);
  if (result.lostOutsideCuts > 0) process.exitCode = 1;
}
