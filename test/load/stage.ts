/** Cluster, workloads, a session through the public command `connect`, and both directions of connections through it. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureCluster } from '../cluster/cluster.ts';
import { buildAgentImage } from '../cluster/images/agent.ts';
import { buildBusyboxImage } from '../cluster/images/busybox.ts';
import { buildPostgresqlImage } from '../cluster/images/postgresql.ts';
import { ensurePackages } from '../cluster/packages.ts';
import { freePort, placeOptions, startCommand } from '../e2e/command-line.ts';
import { imageCache } from '../stage/cache.ts';
import { openWorld, sharedCluster, type World } from '../stage/world.ts';
import { type Gauges, gaugesOf } from './gauges.ts';
import { buildGrpcHealth, buildLoadImage, inImage } from './images.ts';
import { type Ask, type Findings, findingsSchema, type Ports, portsSchema } from './peer/asks.ts';
import { type LocalServer, type Run, runHere, runIn, startServer } from './programs.ts';
import { type Certificate, caller, deployLoad, otherPorts, peerPorts, server, target } from './workloads.ts';

type Distribute<Each> = Each extends Ask ? Omit<Each, 'host' | 'port'> : never;

/** Who calls whom. */
export interface Direction {
  /** outbound: from here into the cluster. inbound: from the cluster to here. */
  readonly name: 'outbound' | 'inbound';
  /** Has the peer's client do this at the peer's server of the other side. */
  ask(what: Distribute<Ask>, port: keyof Ports, say?: (line: string) => void): Promise<Findings>;
  /** The certificate that the far server shows. */
  readonly certificate: string;
}

export interface Stage extends AsyncDisposable {
  readonly world: World;
  readonly directions: readonly [outbound: Direction, inbound: Direction];
  readonly gauges: Gauges;
  /** What gRPC's health server on this computer has said. */
  readonly grpc: LocalServer | undefined;
  /** Its program on this computer, which is a client too. */
  readonly grpcHealth: string;
  /** The local ports of the target's other ports. */
  readonly local: Readonly<Record<keyof typeof otherPorts, number>>;
  /** Runs a program in the pod of this Deployment. */
  inPod(deployment: string): Run;
  /** Keeps what daemon and agents wrote, and what the cluster says of the agents' pods; gives the folder. */
  keepLogs(): Promise<string>;
  /** Ends the session; an Error if anything is not as before. */
  end(): Promise<void>;
}

export interface StageOptions {
  readonly namespace: string;
  /** With the servers of real protocols. */
  readonly protocols: boolean;
  readonly say: (text: string) => void;
  /** Puts something between the session and the API server; default nothing. It is disposed of with the stage. */
  readonly through?: (kubeconfig: string) => Promise<{ readonly kubeconfig: string } & AsyncDisposable>;
}

/** Much data takes long; the peer itself ends when its connection does. */
const longestSeconds = 3600;

const peerProgram = join(import.meta.dirname, 'peer', 'main.ts');

/** Sets all up. `end`, then dispose. */
export async function openStage({ namespace, protocols, say, through }: StageOptions): Promise<Stage> {
  await using undo = new AsyncDisposableStack();
  await loadImages(protocols, say);
  const folder = await mkdtemp(join(tmpdir(), 'kubernetes-local-load-'));
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  const [far, near] = [await certificateFor(folder, server), await certificateFor(folder, target)];

  say('Deploying');
  const world = undo.use(await openWorld(namespace, (kubectl, place) => deployLoad(kubectl, place, far, protocols)));
  const peer = undo.use(startServer([process.execPath, peerProgram, 'serve', serveHere(near)]));
  const peerLocal = portsSchema.parse(JSON.parse(await peer.line(() => true)));
  const local = {
    grpc: await freePort(),
    health: await freePort(),
    redis: await freePort(),
    postgres: await freePort(),
  };
  const grpcHealth = join(folder, 'grpc-health');
  const grpc = protocols ? undo.use(await startGrpc(grpcHealth, local)) : undefined;

  const before = await world.snapshot();
  const mapped = [...pairs(peerPorts, peerLocal), ...pairs(otherPorts, local)];
  const road = through && undo.use(await through(world.place.kubeconfig));
  const place = { ...world.place, ...(road && { kubeconfig: road.kubeconfig }) };
  const options = ['--target', `deployment/${target}`, '--network', 'hosts', ...placeOptions({ place })];
  const command = startCommand(world, ['connect', ...options, ...mapped.flatMap((pair) => ['--port', pair])]);
  undo.defer(() => command.kill('SIGKILL'));
  say('Connecting');
  await command.saw('Ready.');
  const inPod = (deployment: string) => runIn(world.shop.kubectl, namespace, deployment);
  const gauges = await gaugesOf(world, target);
  const kept = undo.move();
  return {
    world,
    directions: [
      direction('outbound', server, far, runHere, [process.execPath, peerProgram]),
      direction('inbound', target, near, inPod(caller), [inImage.node, inImage.peer]),
    ],
    gauges,
    grpc,
    grpcHealth,
    local,
    inPod,
    keepLogs: () => keepLogs(world, namespace),
    end: async () => {
      command.kill('SIGINT');
      const { code, stderr } = await command.ended;
      if (code !== 0) throw new Error(`"connect" ended with ${code}:\n${stderr}`);
      await world.asBefore(before);
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

async function keepLogs(world: World, namespace: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'kubernetes-local-load-wrong-'));
  await cp(join(world.state, 'logs'), join(folder, 'daemon'), { recursive: true });
  const asked = {
    'agent.log': ['logs', `deployment/${target}`, '--all-containers', '--timestamps'],
    'agent-before.log': ['logs', `deployment/${target}`, '--all-containers', '--timestamps', '--previous'],
    'pods.yaml': ['get', 'pods', '-o', 'yaml'],
    'events.txt': ['get', 'events', '--sort-by=.lastTimestamp'],
  };
  for (const [name, words] of Object.entries(asked)) {
    const answer = await world.shop.kubectl.run(['-n', namespace, ...words]).catch(String);
    await writeFile(join(folder, name), answer);
  }
  return folder;
}

function direction(
  name: Direction['name'],
  host: string,
  { certificate }: Certificate,
  run: Run,
  program: readonly string[],
): Direction {
  return {
    name,
    certificate,
    ask: async (what, port, say = () => {}) => {
      const ask = JSON.stringify({ ...what, host, port: peerPorts[port] });
      return findingsSchema.parse(JSON.parse(await run([...program, 'ask', ask], { say, seconds: longestSeconds })));
    },
  };
}

async function loadImages(protocols: boolean, say: (text: string) => void): Promise<void> {
  await ensurePackages(['openssl'], say);
  const cluster = await ensureCluster({ name: sharedCluster, onProgress: say });
  const cache = imageCache();
  const images = [await buildLoadImage(cache, say), await buildAgentImage(cache), await buildBusyboxImage(cache, say)];
  if (protocols) images.push(await buildPostgresqlImage(cache, say));
  for (const image of images) await cluster.load(image);
}

function serveHere(tls: Certificate): string {
  const ports: Ports = { tasks: 0, speaker: 0, http1: 0, http2: 0, tls: 0, websocket: 0 };
  return JSON.stringify({ address: '127.0.0.1', ports, tls });
}

async function startGrpc(program: string, local: { grpc: number; health: number }): Promise<LocalServer> {
  await buildGrpcHealth(program);
  const grpc = startServer([program, 'serve', '127.0.0.1', `${local.grpc}`, `${local.health}`]);
  await grpc.line(() => true);
  return grpc;
}

/** A new key, and a certificate for this name that nobody else has signed. */
async function certificateFor(folder: string, name: string): Promise<Certificate> {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  await runHere(['openssl', 'req', '-x509', ...curve, ...subject, '-keyout', key, '-out', certificate]);
  return { key: await readFile(key, 'utf8'), certificate: await readFile(certificate, 'utf8') };
}

function pairs<Name extends string>(remote: Record<Name, number>, local: Record<Name, number>): string[] {
  const names = Object.keys(remote) as Name[];
  return names.map((name) => `${remote[name]}:${local[name]}`);
}
