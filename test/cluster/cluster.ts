/**
 * The real Kubernetes that the tests use: started when it is needed, found again when it runs, replaced when it is
 * half-dead. This is what tests import; `main.ts` is the same for the command line, README.md says how it is made.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ensureBinary } from './binary.ts';
import { askRestart, askRoad, askStatus, askStop, type RunningStatus } from './control.ts';
import { ClusterError } from './error.ts';
import { clusterFolder, programOfCluster } from './folders.ts';
import { type LoadableImage, loadImage } from './image-store.ts';
import { defaultCacheDirectory } from './images/cache.ts';
import { buildPauseImage } from './images/pause.ts';
import { ensurePackages, nodePackages } from './packages.ts';
import { ensurePrivileges, privileged } from './privileges.ts';
import type { OnProgress } from './progress.ts';
import { run } from './run.ts';

/** A running cluster, as tests use it. */
export interface TestCluster {
  readonly name: string;
  /** Path of the administrator's kubeconfig; its one context is the cluster's name. */
  readonly kubeconfig: string;
  /** How to run kubectl of the cluster's own version as its administrator: program and first arguments. */
  readonly kubectl: readonly [string, ...string[]];
  /** URL of the API server. */
  readonly server: string;
  /** Makes an image known to the node; does nothing if the same is there. */
  load(image: LoadableImage): Promise<void>;
  /** Sets the round-trip time of the road to the API server, in ms. */
  setRtt(milliseconds: number): Promise<void>;
  /** Cuts the road: no byte and no end of a connection passes, until `restore` or for the given ms; or resets connections. */
  cut(milliseconds?: number, options?: { reset?: boolean }): Promise<void>;
  restore(): Promise<void>;
  /**
   * Starts a component that has ended (killed by its `outsidePid`) again and waits until it serves. Nothing else does: a
   * cluster that lost a component stays half-dead.
   */
  restart(component: string): Promise<void>;
  /** Path of a kubeconfig with a client certificate of this user and groups, for tests of RBAC. */
  userKubeconfig(user: string, groups?: readonly string[]): Promise<string>;
  /** What the cluster says of itself and its components now. */
  status(): Promise<ClusterStatus>;
}

/** Every state a cluster can be in. Half-dead: it runs, but not all of it or not well. */
export type ClusterStatus =
  | { readonly state: 'stopped' }
  | { readonly state: 'starting' | 'running'; readonly detail: RunningStatus }
  | { readonly state: 'half-dead'; readonly detail: RunningStatus; readonly reasons: readonly string[] };

export interface EnsureOptions {
  /** Several clusters run side by side under different names. */
  readonly name?: string;
  /** Round-trip time of the road, in ms. */
  readonly rtt?: number;
  readonly onProgress?: OnProgress;
  readonly signal?: AbortSignal;
}

/** The name that is meant where none is given. */
export const defaultName = 'test';

/** Makes sure that the cluster runs, is well and has an open road; a running one is reused as it is. */
export async function ensureCluster(options: EnsureOptions = {}): Promise<TestCluster> {
  const { name = defaultName, rtt = 0, onProgress = () => {}, signal } = options;
  const folder = clusterFolder(name);
  const found = await settledStatus(name, onProgress, signal);
  if (found.state === 'running') {
    onProgress(`cluster "${name}" runs`);
    await askRoad(controlSocket(folder), { do: 'restore' });
    await askRoad(controlSocket(folder), { do: 'rtt', milliseconds: rtt });
    return testCluster(found.detail);
  }
  if (found.state === 'half-dead') {
    onProgress(`replacing cluster "${name}": ${found.reasons.join('; ')}`);
    await stopCluster(name);
  }
  const [binary, pause] = await Promise.all([
    ensureBinary(onProgress, signal),
    ensurePackages(nodePackages, onProgress, signal).then(() => buildPauseImage(defaultCacheDirectory(), onProgress)),
  ]);
  await ensurePrivileges(signal);
  const detail = await start(binary, name, rtt, pause, onProgress, signal);
  return testCluster(detail);
}

/** A cluster that runs already; starts none. */
export async function runningCluster(name: string): Promise<TestCluster> {
  const detail = await askStatus(controlSocket(clusterFolder(name)), false);
  if (detail === undefined) {
    throw new ClusterError(`The cluster "${name}" does not run; start it with: npm run cluster -- up --name ${name}`);
  }
  return testCluster(detail);
}

/** The status of a cluster without starting it. */
export async function clusterStatus(name: string): Promise<ClusterStatus> {
  const detail = await askStatus(controlSocket(clusterFolder(name)), true);
  if (detail === undefined) return { state: 'stopped' };
  const reasons = whatIsWrong(detail);
  if (reasons.length > 0) return { state: 'half-dead', detail, reasons };
  return { state: detail.node.phase === 'ready' ? 'running' : 'starting', detail };
}

/** Ends a cluster, however dead it is, and all that it left; with `purge` its folder too. */
export async function stopCluster(name: string, options: { purge?: boolean } = {}): Promise<void> {
  const folder = clusterFolder(name);
  const recorded = await programOfCluster(folder);
  if (recorded !== undefined) {
    const asked = await askStop(controlSocket(folder)).catch(() => false);
    if (!asked) await killRoad(folder);
    await removeLeftovers(name, folder, recorded);
  }
  if (options.purge) await run(privileged(['rm', '-rf', '--one-file-system', '--', folder]));
}

const startBudget = 120_000;
/** A component may miss one check on a busy computer; a hung one misses all. */
const checks = 3;

function controlSocket(folder: string): string {
  return join(folder, 'control.sock');
}

function whatIsWrong({ node }: RunningStatus): string[] {
  const reasons = node.failure === '' ? [] : [node.failure];
  for (const component of node.components) {
    if (component.state === 'ended') reasons.push(`${component.name} ended ${component.ended}`);
    else if (node.phase === 'ready' && component.unwell !== '') reasons.push(`${component.name}: ${component.unwell}`);
  }
  if (node.phase === 'ready' && !node.nodeReady) reasons.push('the node is not Ready');
  return reasons;
}

/** The status after a start under way, and after what may be a moment's weakness. */
async function settledStatus(
  name: string,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<ClusterStatus> {
  const deadline = Date.now() + startBudget;
  let tries = 0;
  for (;;) {
    const status = await clusterStatus(name).catch((error: unknown) => {
      // A road that is stopped rather than ended takes the connection and does not answer.
      if (error instanceof ClusterError) return undefined;
      throw error;
    });
    if (status === undefined) {
      onProgress(`replacing cluster "${name}": it does not answer`);
      await stopCluster(name);
      return { state: 'stopped' };
    }
    if (status.state === 'running' || status.state === 'stopped') return status;
    if (status.state === 'half-dead') {
      const isCertain = status.detail.node.components.some((component) => component.state === 'ended');
      if (isCertain || ++tries >= checks) return status;
    }
    if (Date.now() > deadline) return { state: 'half-dead', detail: status.detail, reasons: ['it does not get ready'] };
    await sleep(status.state === 'starting' ? 100 : 1000, undefined, { signal });
  }
}

const roadHeld = 3;

async function start(
  binary: string,
  name: string,
  rtt: number,
  pause: LoadableImage,
  onProgress: OnProgress,
  signal: AbortSignal | undefined,
): Promise<RunningStatus> {
  const folder = clusterFolder(name);
  await mkdir(join(folder, 'log'), { recursive: true, mode: 0o700 });
  const ended = await spawnRoad(binary, name, folder, rtt);
  const deadline = Date.now() + startBudget;
  let loading: Promise<unknown> | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const detail = await askStatus(controlSocket(folder), false);
    if (detail === undefined) {
      const end = ended();
      if (end !== undefined && end !== roadHeld) throw new ClusterError(await failure(folder, 'it ended at once'));
    } else {
      onProgress(`starting cluster "${name}": ${phaseInWords(detail.node.phase)}`);
      if (loading === undefined && 'containerd' in detail.node.steps) {
        loading = loadImage(detail.nodePid, pause, signal);
        // Seen where it is awaited, below.
        loading.catch(() => {});
      }
      if (detail.node.phase === 'failed') throw new ClusterError(await failure(folder, detail.node.failure));
      if (detail.node.phase === 'ready') {
        await loading;
        return detail;
      }
    }
    if (Date.now() > deadline) throw new ClusterError(await failure(folder, `not ready in ${startBudget / 1000} s`));
    await sleep(50, undefined, { signal });
  }
}

/** Starts the top process, which lives on without this one. The answered function tells its exit code once it has ended. */
async function spawnRoad(binary: string, name: string, folder: string, rtt: number): Promise<() => number | undefined> {
  await using log = await open(roadLog(folder), 'w', 0o600);
  const owner = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
  const options = ['--name', name, '--folder', folder, '--rtt', String(rtt), '--owner', owner];
  const [program, ...args] = privileged([binary, 'road', ...options]);
  const road = spawn(program, args, { detached: true, stdio: ['ignore', log.fd, log.fd], cwd: '/' });
  let ended: number | undefined;
  road.once('error', () => {
    ended = 1;
  });
  road.once('exit', (code) => {
    ended = code ?? 1;
  });
  road.unref();
  return () => ended;
}

function roadLog(folder: string): string {
  return join(folder, 'log', 'road.log');
}

async function failure(folder: string, why: string): Promise<string> {
  const lines = (await readFile(roadLog(folder), 'utf8').catch(() => '')).trimEnd().split('\n').slice(-10);
  return [`The cluster did not start: ${why}.`, ...lines, `Its logs are in ${join(folder, 'log')}.`].join('\n');
}

function phaseInWords(phase: string): string {
  return phase === 'node' ? 'waiting for the node to be Ready' : phase;
}

/** Kills a top process that does not listen to its control socket any more. */
async function killRoad(folder: string): Promise<void> {
  const pid = Number(await readFile(join(folder, 'pid'), 'utf8').catch(() => ''));
  if (!Number.isInteger(pid) || pid <= 1) return;
  // The number may belong to another process by now.
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  if (command.split('\0').includes('road') && command.includes(folder)) {
    await run(privileged(['kill', '-KILL', String(pid)]), { accept: [0, 1] });
  }
}

/** Waits for the end of all processes and removes control groups and sockets that they left. */
async function removeLeftovers(name: string, folder: string, recorded: string): Promise<void> {
  const isThere = await access(recorded).then(
    () => true,
    () => false,
  );
  const binary = isThere ? recorded : await ensureBinary();
  const deadline = Date.now() + 15_000;
  for (;;) {
    const command = privileged([binary, 'road', '--clean', '--name', name, '--folder', folder]);
    const { code } = await run(command, { accept: [0, roadHeld] });
    if (code === 0) return;
    if (Date.now() > deadline) throw new ClusterError(`The cluster "${name}" does not end.`);
    await sleep(20);
  }
}

function testCluster(detail: RunningStatus): TestCluster {
  const { name, binary } = detail;
  const folder = clusterFolder(name);
  const kubeconfig = join(folder, 'kubeconfig');
  const socket = controlSocket(folder);
  return {
    name,
    kubeconfig,
    kubectl: [binary, 'kubectl', '--kubeconfig', kubeconfig],
    server: `https://127.0.0.1:${detail.port}`,
    async load(image) {
      await loadImage(detail.nodePid, image);
    },
    async setRtt(milliseconds) {
      await askRoad(socket, { do: 'rtt', milliseconds });
    },
    async cut(milliseconds = 0, { reset = false } = {}) {
      await askRoad(socket, { do: 'cut', milliseconds, reset });
    },
    async restore() {
      await askRoad(socket, { do: 'restore' });
    },
    async restart(component) {
      await askRestart(socket, component);
    },
    async userKubeconfig(user, groups = []) {
      const id = createHash('sha256')
        .update(JSON.stringify([user, ...groups]))
        .digest('hex')
        .slice(0, 16);
      const output = join(folder, 'users', `${id}.kubeconfig`);
      const options = [
        '--folder',
        folder,
        '--name',
        name,
        '--user',
        user,
        '--groups',
        groups.join(','),
        '--output',
        output,
      ];
      await run([binary, 'credentials', ...options]);
      return output;
    },
    status: () => clusterStatus(name),
  };
}
