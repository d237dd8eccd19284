/**
 * How long connecting and disconnecting take, against the bare rollout of the same change by kubectl: the same image
 * with the same resources and readiness probe in the same Deployment, but a server that is ready at once and no product.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ensureCluster, stopCluster } from '../cluster/cluster.ts';
import { product } from '../stage/product.ts';
import { deployShop, kubectlOf, loadImages, type Shop } from '../stage/shop.ts';
import { lineThat } from './line-that.ts';
import { compare, type Measure, type Samples } from './measure.ts';

const bar = 1.3;
const clusterName = 'bench';
const namespace = 'bench-connect';
const agentImage = 'kubernetes-local.test/agent:1';

/** Measures `connect` and `disconnect`, runs of both sides in turn. */
export async function benchConnect(runs: number, say: (text: string) => void): Promise<readonly Measure[]> {
  const cluster = await ensureCluster({ name: clusterName, onProgress: say });
  try {
    await loadImages(cluster, say);
    const shop = await deployShop(kubectlOf(cluster), namespace, say);
    const connect: { ours: number[]; other: number[] } = { ours: [], other: [] };
    const disconnect: { ours: number[]; other: number[] } = { ours: [], other: [] };
    // The first run of either side warms caches of image layers and files.
    for (let run = -1; run < runs; run++) {
      const ours = await measureOurs(cluster.kubeconfig);
      const other = await measureKubectl(shop);
      say(`run ${run + 1}: ours ${seconds(ours)}, kubectl ${seconds(other)}`);
      if (run < 0) continue;
      connect.ours.push(ours.connect);
      connect.other.push(other.connect);
      disconnect.ours.push(ours.disconnect);
      disconnect.other.push(other.disconnect);
    }
    const measure = (name: string, other: string, samples: Samples) => compare(name, 's', other, bar, samples);
    return [
      measure('connect (2 replicas)', 'kubectl patch, rollout status', connect),
      measure('disconnect (2 replicas)', 'kubectl rollout undo, status, wait for deletion', disconnect),
    ];
  } finally {
    await stopCluster(clusterName);
  }
}

interface Run {
  readonly connect: number;
  readonly disconnect: number;
}

function seconds({ connect, disconnect }: Run): string {
  return `${connect.toFixed(2)} s + ${disconnect.toFixed(2)} s`;
}

/** From the start of the command to "Ready", and from Ctrl-C to its exit, when all is undone. */
async function measureOurs(kubeconfig: string): Promise<Run> {
  const [command = '', ...args] = product();
  const started = performance.now();
  const child = spawn(
    command,
    [
      ...args,
      'connect',
      '--target',
      'service/cart',
      '-n',
      namespace,
      '--kubeconfig',
      kubeconfig,
      '--agent-image',
      agentImage,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const exited = once(child, 'exit');
  await lineThat(child, (line) => line.startsWith('Ready.'));
  const connected = performance.now();
  child.kill('SIGINT');
  const [code] = await exited;
  if (code !== 0) throw new Error(`"connect" ended with ${code}`);
  return { connect: (connected - started) / 1000, disconnect: (performance.now() - connected) / 1000 };
}

async function measureKubectl({ kubectl }: Shop): Promise<Run> {
  const deployment = ['deployment/cart', '-n', namespace];
  const started = performance.now();
  await kubectl.run(['patch', ...deployment, '--type=strategic', '-p', JSON.stringify(bareChange)]);
  await kubectl.run(['rollout', 'status', ...deployment, '--timeout=120s']);
  const changed = performance.now();
  const replaced = await podNames(kubectl);
  await kubectl.run(['rollout', 'undo', ...deployment]);
  await kubectl.run(['rollout', 'status', ...deployment, '--timeout=120s']);
  // Both sides end when no pod of the change is left, which "rollout status" alone does not wait for.
  await kubectl.run(['wait', '--for=delete', ...replaced, '-n', namespace, '--timeout=120s']);
  return { connect: (changed - started) / 1000, disconnect: (performance.now() - changed) / 1000 };
}

async function podNames(kubectl: Shop['kubectl']): Promise<readonly string[]> {
  const text = await kubectl.run(['get', 'pods', '-n', namespace, '-l', 'app=cart', '-o', 'name']);
  return text.split('\n').filter(Boolean);
}

/** What the product changes in the pod template, without the product. */
const bareChange = {
  spec: {
    template: {
      spec: {
        containers: [
          {
            name: 'cart',
            image: agentImage,
            command: [
              '/bin/node',
              '-e',
              "process.on('SIGTERM', () => process.exit()); require('node:http').createServer((_, r) => r.end()).listen(57011)",
            ],
            readinessProbe: { httpGet: { path: '/ready', port: 57011 }, periodSeconds: 1 },
            livenessProbe: { httpGet: { path: '/live', port: 57011 } },
            resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '192Mi' } },
          },
        ],
      },
    },
  },
};
