/** What is in the cluster: servers that are called from here, a workload that is replaced, and pods that call it. */
import { apply } from '../apps/files/files.ts';
import type { Kubectl } from '../stage/kubectl.ts';
import type { Shop } from '../stage/shop.ts';
import { awaitDeployment, namespacesOf } from '../stage/workloads.ts';
import { inImage, loadImage } from './images.ts';
import type { Ports } from './peer/asks.ts';

/** The workload in whose place this computer is; also the name of its Service. */
export const target = 'target';
/** The Service of the peer in the cluster. */
export const server = 'server';
/** A pod that calls; the pod of `postgres` has PostgreSQL's clients. */
export const caller = 'caller';

/** The ports of the peer's Services. */
export const peerPorts: Ports = { tasks: 7001, speaker: 7002, http1: 8080, http2: 8081, websocket: 8082, tls: 8443 };
/** The other ports of the target, beside the peer's; those of the Services `grpc`, `redis` and `postgres` are the same. */
export const otherPorts = { grpc: 50051, health: 8088, redis: 6379, postgres: 5432 } as const;

export interface Certificate {
  readonly key: string;
  readonly certificate: string;
}

/** What the target's memory limit is while its agent runs: less than 128 Mi is raised to it. */
export const agentLimit = 192 * 2 ** 20;
const smallLimit = '64Mi';

/** Deploys into a new namespace. `protocols`: with the servers of real protocols, and a sidecar with probes of the target's ports. */
export async function deployLoad(
  kubectl: Kubectl,
  namespace: string,
  tls: Certificate,
  protocols: boolean,
): Promise<Shop> {
  const peer = { address: '0.0.0.0', ports: peerPorts, tls };
  const grpc = [inImage.grpcHealth, 'serve', '0.0.0.0', `${otherPorts.grpc}`, `${otherPorts.health}`];
  const ports = { ...peerPorts, ...otherPorts };
  const idle = [inImage.node, '-e', "process.on('SIGTERM', () => process.exit()); setInterval(() => {}, 1e9)"];
  const all = {
    [target]: workload(target, { command: grpc, ready: otherPorts.grpc, ports, sidecars: protocols ? [watcher] : [] }),
    [caller]: workload(caller, { command: idle }),
    [server]: workload(server, {
      command: [inImage.node, inImage.peer, 'serve', JSON.stringify(peer)],
      ready: peerPorts.websocket,
      ports: peerPorts,
    }),
    ...(protocols && {
      grpc: workload('grpc', { command: grpc, ready: otherPorts.grpc, ports: { grpc: otherPorts.grpc } }),
      redis: workload('redis', {
        command: ['/bin/redis-server', '--protected-mode', 'no', '--save', ''],
        ready: otherPorts.redis,
        ports: { redis: otherPorts.redis },
      }),
      postgres: workload('postgres', {
        image: 'kubernetes-local.test/postgresql:1',
        ready: otherPorts.postgres,
        ports: { postgres: otherPorts.postgres },
      }),
    }),
  };
  await apply(kubectl, namespacesOf([namespace]));
  await apply(kubectl, Object.values(all).flat(), namespace);
  await Promise.all(Object.keys(all).map((name) => awaitDeployment(kubectl, name, namespace)));
  return { kubectl, namespace, request: async () => '' };
}

interface Contents {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly ready?: number;
  readonly ports?: Readonly<Record<string, number>>;
  readonly sidecars?: readonly object[];
}

/** The kubelet's probes of a sidecar may lead to the ports of the container beside it; nothing of a sidecar is changed. */
const watcher = {
  name: 'watcher',
  image: 'kubernetes-local.test/busybox:1',
  imagePullPolicy: 'IfNotPresent',
  command: ['/bin/sleep', '1000000'],
  readinessProbe: { grpc: { port: otherPorts.grpc }, periodSeconds: 1 },
  livenessProbe: { httpGet: { path: '/health', port: otherPorts.health }, periodSeconds: 1, failureThreshold: 60 },
};

function workload(
  name: string,
  { image = loadImage, command, ready, ports = {}, sidecars = [] }: Contents,
): readonly object[] {
  const labels = { app: name };
  const named = Object.entries(ports).map(([portName, port]) => ({ name: portName, port }));
  const container = {
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    ...(command && { command }),
    ...(name === target && { resources: { limits: { memory: smallLimit } } }),
    ports: named.map(({ name, port }) => ({ name, containerPort: port })),
    ...(ready !== undefined && { readinessProbe: { tcpSocket: { port: ready }, periodSeconds: 1 } }),
  };
  const pod = { terminationGracePeriodSeconds: 0, containers: [container, ...sidecars] };
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: pod } },
  };
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: labels, ports: named } };
  return named.length === 0 ? [deployment] : [deployment, service];
}
