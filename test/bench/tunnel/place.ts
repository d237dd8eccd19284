/** The cluster with everything that all sides need: the server, a workload to replace, a client in a pod, and the programs here. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { ensureCluster, stopCluster, type TestCluster } from '../../cluster/cluster.ts';
import { buildAgentImage } from '../../cluster/images/agent.ts';
import { imageCache } from '../../stage/cache.ts';
import type { Kubectl } from '../../stage/kubectl.ts';
import { kubectlOf, removeNamespace } from '../../stage/shop.ts';
import { awaitDeployment, deploymentOf, namespacesOf } from '../../stage/workloads.ts';
import type { Way } from './client.ts';
import { buildProbe, buildProbeImage, probeImage } from './probe.ts';

export const namespace = 'bench-tunnel';
export const port = 7000;
const clusterName = process.env.KUBERNETES_LOCAL_TEST_CLUSTER ?? 'bench';

/** Processes of the cluster that everything passes which comes from this computer. */
interface Passage {
  readonly node: number;
  readonly components: readonly number[];
}

export interface Place extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly kubectl: Kubectl;
  readonly passage: Passage;
  /** A folder for files of the run. */
  readonly folder: string;
  /** Port of the server that runs here. */
  readonly localPort: number;
  /** From this computer, by an address that leads to the server. */
  fromHere(address: string): Way;
  /** From a pod, to a Service. */
  fromPod(service: string): Way;
}

export async function openPlace(say: (text: string) => void): Promise<Place> {
  await using undo = new AsyncDisposableStack();
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-bench-'));
  undo.defer(() => rmSync(folder, { recursive: true, force: true }));
  const probe = join(folder, 'probe');
  await buildProbe(probe);
  const images = [await buildProbeImage(probe, say), await buildAgentImage(imageCache())];
  const cluster = await ensureCluster({ name: clusterName, onProgress: say });
  undo.defer(() => stopCluster(clusterName));
  for (const image of images) {
    say(`Loading ${image.name}`);
    await cluster.load(image);
  }
  const kubectl = kubectlOf(cluster);
  say(`Deploying into namespace ${namespace}`);
  // A run that was broken off may have left a session, and pods of an older probe.
  await removeNamespace(kubectl, namespace);
  await deploy(kubectl);
  const local = await serveHere(probe);
  undo.defer(local.stop);
  const inPod = [...cluster.kubectl, 'exec', '-i', '-n', namespace, 'deployment/client', '--'];
  const passage = await passageOf(cluster);
  const all = undo.move();
  return {
    cluster,
    kubectl,
    passage,
    folder,
    localPort: local.port,
    fromHere: (address) => ({ probe: [probe], wrk: ['wrk'], address }),
    fromPod: (service) => ({
      probe: [...inPod, '/bin/probe'],
      wrk: [...inPod, '/bin/wrk'],
      address: `${service}:${port}`,
    }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

async function deploy(kubectl: Kubectl): Promise<void> {
  const names = ['server', 'replaced', 'client'];
  const command = ['/bin/probe', 'serve', `${port}`];
  const items = [
    ...namespacesOf([namespace]),
    ...names.flatMap((name) => [
      named(deploymentOf({ name, command, port, container: { image: probeImage } })),
      named({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { selector: { app: name }, ports: [{ port }] },
      }),
    ]),
  ];
  await kubectl.run(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  for (const name of names) await awaitDeployment(kubectl, name, namespace);
}

function named(item: object): object {
  const metadata = 'metadata' in item && typeof item.metadata === 'object' ? item.metadata : {};
  return { ...item, metadata: { ...metadata, namespace } };
}

const servingSchema = z.object({ port: z.number() });

async function serveHere(probe: string): Promise<{ readonly port: number; stop(): Promise<void> }> {
  const child = spawn(probe, ['serve', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const { value, done } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  if (done) throw new Error('the server ended');
  return {
    port: servingSchema.parse(JSON.parse(value)).port,
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}

const onTheWay = ['kube-apiserver', 'kubelet', 'containerd'];

async function passageOf(cluster: TestCluster): Promise<Passage> {
  const status = await cluster.status();
  if (status.state !== 'running') throw new Error(`the cluster is ${status.state}`);
  const { components } = status.detail.node;
  const pids = onTheWay.map((name) => components.find((each) => each.name === name)?.outsidePid ?? 0);
  if (pids.includes(0)) throw new Error(`not all of ${onTheWay.join(', ')} run`);
  return { node: status.detail.nodePid, components: pids };
}
