/**
 * How long 1,000 Services take on this computer in mode `hosts`: from their list to listeners on all their ports and names
 * in the real hosts file, as the daemon's own log says it, through the public command and a real cluster. Beside it the
 * same with 100 Services, to see how it grows.
 */
import { spawn } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, watch } from 'node:fs';
import { connect as dial } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ensureCluster, stopCluster } from '../cluster/cluster.ts';
import { product } from '../stage/product.ts';
import { deployShop, kubectlOf, loadImages, type Shop } from '../stage/shop.ts';
import { isDaemon, processesOf } from '../stage/world.ts';
import { lineThat } from './line-that.ts';
import { compare, type Measure } from './measure.ts';

const clusterName = 'bench';
const agentImage = 'kubernetes-local.test/agent:1';
const many = 1_000;
const few = 100;
/** Seconds that are promised for `many`. */
const promise = 2;
/** What one Service may cost more among many than among few. */
const growth = 1.5;

interface Run {
  /** From the list to names that work, in seconds. */
  readonly seconds: number;
  readonly writes: number;
  readonly descriptors: number;
}

/** Measures set-ups of both sizes in turn. Needs root, for it writes the hosts file. */
export async function benchHosts(runs: number, say: (text: string) => void): Promise<readonly Measure[]> {
  const cluster = await ensureCluster({ name: clusterName, onProgress: say });
  try {
    await loadImages(cluster, say);
    const big = await deployShop(kubectlOf(cluster), 'bench-hosts-many', say);
    const small = await deployShop(kubectlOf(cluster), 'bench-hosts-few', say);
    say(`Creating ${many + few} Services`);
    await addServices(big, many);
    await addServices(small, few);
    const ours: Run[] = [];
    const other: Run[] = [];
    for (let run = 0; run < runs; run++) {
      const one = await measure(cluster.kubeconfig, big.namespace, many);
      const two = await measure(cluster.kubeconfig, small.namespace, few);
      say(
        `run ${run + 1}: ${many} Services ${one.seconds} s, ${few} Services ${two.seconds} s; ${one.writes} write, ${one.descriptors} descriptors`,
      );
      ours.push(one);
      other.push(two);
    }
    const seconds = (all: readonly Run[]) => all.map((run) => run.seconds);
    return [
      compare(`set-up of ${many} Services`, 's', 'as promised', 1, {
        ours: seconds(ours),
        other: runsOf(runs, promise),
      }),
      compare('set-up for each Service', 'ms', `among ${few}`, growth, {
        ours: seconds(ours).map((each) => (each / many) * 1000),
        other: seconds(other).map((each) => (each / few) * 1000),
      }),
      compare('writes of the hosts file', 'writes', 'as promised', 1, {
        ours: ours.map((run) => run.writes),
        other: runsOf(runs, 1),
      }),
      compare('descriptors of the daemon', 'open', 'one a port and 100', 1, {
        ours: ours.map((run) => run.descriptors),
        other: runsOf(runs, 2 * many + 100),
      }),
    ];
  } finally {
    await stopCluster(clusterName);
  }
}

function runsOf(count: number, value: number): readonly number[] {
  return Array.from({ length: count }, () => value);
}

/** Services with two ports each, so that a few descriptors more are needed than there are Services. */
async function addServices(shop: Shop, count: number): Promise<void> {
  const items = Array.from({ length: count }, (_, index) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `service-${index}` },
    spec: {
      ports: [
        { name: 'http', port: 80 },
        { name: 'metrics', port: 9090 },
      ],
    },
  }));
  const list = { apiVersion: 'v1', kind: 'List', items };
  await shop.kubectl.run(['apply', '--server-side', '-n', shop.namespace, '-f', '-'], JSON.stringify(list));
}

async function measure(kubeconfig: string, namespace: string, count: number): Promise<Run> {
  const state = mkdtempSync(join(tmpdir(), 'kubernetes-local-state-'));
  let writes = 0;
  const watcher = watch('/etc', (event, file) => {
    if (event === 'rename' && file === 'hosts') writes++;
  });
  const [command = '', ...args] = product();
  const place = ['-n', namespace, '--kubeconfig', kubeconfig, '--agent-image', agentImage];
  const child = spawn(command, [...args, 'connect', '--target', 'cart', '--network', 'hosts', ...place], {
    env: { ...process.env, KUBERNETES_LOCAL_STATE: state },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const exited = once(child, 'exit');
  try {
    await lineThat(child, (line) => line.startsWith('Ready.'));
    const daemon = processesOf(state).find((each) => isDaemon(each.command))?.pid ?? 0;
    const descriptors = readdirSync(`/proc/${daemon}/fd`).length;
    await reach(count);
    const run = { seconds: setUpSeconds(state), writes, descriptors };
    child.kill('SIGINT');
    const [code] = await exited;
    if (code !== 0) throw new Error(`"connect" ended with ${code}`);
    return run;
  } finally {
    watcher.close();
    child.kill('SIGKILL');
    rmSync(state, { recursive: true, force: true });
  }
}

/** The last Service is there, by name and on both ports. */
async function reach(count: number): Promise<void> {
  const { address } = await lookup(`service-${count - 1}`);
  for (const port of [80, 9090]) {
    const socket = dial(port, address);
    // Nothing stands behind this Service: the cluster refuses, which may come before we see that somebody had listened.
    await once(socket, 'connect').catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'ECONNRESET')) throw error;
    });
    socket.on('error', () => {}).destroy();
  }
}

const entrySchema = z.object({ message: z.string(), milliseconds: z.number().optional() });
const steps = ['the listeners are open', 'the names are known'];

function setUpSeconds(state: string): number {
  const entries = readdirSync(state, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.log'))
    .flatMap((file) => readFileSync(join(state, file), 'utf8').split('\n'))
    .filter((line) => line !== '')
    .map((line) => entrySchema.parse(JSON.parse(line)));
  const milliseconds = steps.map((step) => entries.find(({ message }) => message === step)?.milliseconds);
  const [open, publish] = milliseconds;
  if (open === undefined || publish === undefined)
    throw new Error('the log of the daemon does not say how long it took');
  return (open + publish) / 1000;
}
