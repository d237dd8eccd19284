/**
 * A lane of the fault matrix: a namespace with a small workload, and a computer of its own for the product, so that
 * several sessions run side by side without seeing each other. The "computer" is a state folder, folders for temporary
 * and runtime files, and a copy of /etc that the product's processes see in place of the real one (a mount namespace).
 */
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestCluster } from '../cluster/cluster.ts';
import { admitDeveloper } from '../stage/developer.ts';
import type { Kubectl } from '../stage/kubectl.ts';
import { awaitDeployment, deploymentOf, namespacesOf } from '../stage/workloads.ts';
import { agentImage } from '../stage/world.ts';

export interface Lane {
  readonly namespace: string;
  /** All folders below. */
  readonly folder: string;
  readonly state: string;
  readonly etc: string;
  readonly temporary: string;
  readonly runtime: string;
  readonly links: string;
  /** The port of the program on this computer; the loopback interface is shared by all lanes. */
  readonly port: number;
  /** The command that starts kubernetes-local on this lane's computer, and its environment. */
  readonly product: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly place: { readonly kubeconfig: string; readonly namespace: string; readonly agentImage: string };
  /** The sessions that this lane has had. */
  readonly sessions: string[];
}

export const workload = 'cart';
export const containerPort = 8080;
/** The volume whose files have a link on the computer. */
export const mountPath = '/etc/cart';

const firstPort = 18_080;

/** Makes lane `number`; `product` starts the program on the real computer. */
export async function openLane(
  number: number,
  cluster: TestCluster,
  kubectl: Kubectl,
  product: readonly string[],
): Promise<Lane> {
  const namespace = `faults-${number}`;
  const folder = mkdtempSync(join(tmpdir(), `kl-faults-${number}-`));
  const [state, etc, temporary, runtime, links] = ['state', 'etc', 'tmp', 'run', 'links'].map((name) =>
    join(folder, name),
  );
  if (!state || !etc || !temporary || !runtime || !links) throw new Error('no folders');
  for (const path of [state, temporary, runtime, links]) mkdirSync(path, { mode: 0o700 });
  mkdirSync(join(state, 'sessions'), { mode: 0o700 });
  copyEtc(etc);
  await deploy(kubectl, namespace);
  const kubeconfig = await admitDeveloper(cluster, kubectl, namespace);
  const mounted = ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc && exec "$@"', etc];
  return {
    namespace,
    folder,
    state,
    etc,
    temporary,
    runtime,
    links,
    port: firstPort + number,
    product: [...mounted, ...product],
    environment: {
      ...process.env,
      KUBERNETES_LOCAL_STATE: state,
      KUBECONFIG: kubeconfig,
      TMPDIR: temporary,
      XDG_RUNTIME_DIR: runtime,
    },
    place: { kubeconfig, namespace, agentImage },
    sessions: [],
  };
}

/** The hosts file is a quiet one: that of this computer may hold lines of a session beside this run. */
function copyEtc(folder: string): void {
  const filter = (path: string) => !path.includes('kubernetes-local');
  cpSync('/etc', folder, { recursive: true, verbatimSymlinks: true, filter });
  rmSync(join(folder, 'hosts'), { force: true });
  writeFileSync(join(folder, 'hosts'), hostsFile, { mode: 0o644 });
}

/** With what an editor may have left: line ends of both kinds, no end of the last line. */
const hostsFile = '127.0.0.1 localhost\r\n::1 localhost ip6-localhost\n10.9.8.7 printer # mine\n10.9.8.6 scanner';

/** Removes the folders of a lane; its namespace goes with the cluster or is taken again. */
export function closeLane({ folder }: Lane): void {
  rmSync(folder, { recursive: true, force: true });
}

/** The folder of the one session that a lane has; undefined before its first. */
export function sessionFolder({ state }: Lane): string | undefined {
  const [name] = readdirSync(join(state, 'sessions'));
  return name === undefined ? undefined : join(state, 'sessions', name);
}

async function deploy(kubectl: Kubectl, namespace: string): Promise<void> {
  await kubectl.run(['delete', 'namespace', namespace, '--ignore-not-found', '--timeout=120s']);
  const deployment = deploymentOf({
    name: workload,
    command: ['/bin/busybox', 'httpd', '-f', '-p', `${containerPort}`, '-h', mountPath],
    port: containerPort,
    container: {
      env: [
        { name: 'GREETING', valueFrom: { configMapKeyRef: { name: 'cart', key: 'greeting' } } },
        { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'cart', key: 'password' } } },
      ],
      volumeMounts: [{ name: 'files', mountPath }],
    },
    pod: { volumes: [{ name: 'files', configMap: { name: 'cart' } }], terminationGracePeriodSeconds: 1 },
  });
  const items = [
    ...namespacesOf([namespace]),
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cart', namespace }, data: { greeting: 'hello' } },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'cart', namespace },
      stringData: { password: 'pear-in-the-dark' },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: workload, namespace },
      spec: { selector: { app: workload }, ports: [{ name: 'http', port: 80, targetPort: containerPort }] },
    },
  ];
  await kubectl.run(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  await kubectl.run(['apply', '-n', namespace, '-f', '-'], JSON.stringify(deployment));
  await awaitDeployment(kubectl, workload, namespace);
}
