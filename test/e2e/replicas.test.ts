/** A workload of three pods with two ports: all of them lead here, and one that dies takes its own connections with it, no others. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { statusSchema } from '../../adapter/session/protocol.ts';
import { apply } from '../apps/files/files.ts';
import { agentProcess } from '../faults/processes.ts';
import type { Snapshot } from '../stage/snapshot.ts';
import { awaitDeployment, deploymentOf, namespacesOf } from '../stage/workloads.ts';
import { agentImage, openWorld, type World } from '../stage/world.ts';
import { freePort, placeOptions, type RunningCommand, runCommand, startCommand } from './command-line.ts';

const namespace = 'e2e-replicas';
const replicas = 3;
/** Port of the Service → port of the container. */
const ports = { 80: 8080, 81: 9090 } as const;
const peerPort = 7000;
const patience = { timeout: 60_000, interval: 200 };
let world: World;
let before: Snapshot;
let session: RunningCommand | undefined;
/** Listens at both local ports. */
let servers: readonly Server[] = [];
const ends: (() => void)[] = [];

/** The connections that the local program has lost: the pod that was called, and the reason. */
let failed: string[] = [];

/** Says who has called it, and then says everything again. */
const peer = `require('node:net').createServer((socket) => {
  socket.on('error', () => {}).write(socket.remoteAddress.replace('::ffff:', '') + '\\n');
  socket.pipe(socket);
}).listen(${peerPort})`;

beforeAll(async () => {
  world = await openWorld(namespace, async (kubectl) => {
    const service = (name: string, app: string, numbers: readonly (readonly [number, number])[]) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: {
        selector: { app },
        ports: numbers.map(([port, targetPort]) => ({ name: `port-${port}`, port, targetPort })),
      },
    });
    const serve = 'mkdir -p /tmp/www; echo cluster > /tmp/www/index.html; busybox httpd -p 9090 -h /tmp/www';
    const cart = deploymentOf({
      name: 'cart',
      command: ['/bin/sh', '-c', `${serve}; exec busybox httpd -f -p 8080 -h /tmp/www`],
      port: 8080,
      container: { ports: Object.values(ports).map((containerPort) => ({ containerPort })) },
    });
    const scaled = z.looseObject({ spec: z.looseObject({}) }).parse(cart);
    await apply(kubectl, namespacesOf([namespace]));
    await apply(
      kubectl,
      [
        { ...scaled, spec: { ...scaled.spec, replicas } },
        service('cart', 'cart', [
          [80, ports[80]],
          [81, ports[81]],
        ]),
        deploymentOf({
          name: 'peer',
          command: ['/bin/node', '-e', peer],
          port: peerPort,
          container: { image: agentImage },
        }),
        service('peer', 'peer', [[peerPort, peerPort]]),
        deploymentOf({ name: 'visitor', command: ['/bin/sh', '-c', 'exec busybox httpd -f -p 8080'], port: 8080 }),
      ],
      namespace,
    );
    await Promise.all(['cart', 'peer', 'visitor'].map((name) => awaitDeployment(kubectl, name, namespace)));
    return { kubectl, namespace, request: (url) => fromVisitor(kubectl, `wget -q -O - ${url}`) };
  });
});
/** One session for all tests. */
beforeAll(async () => {
  before = await world.snapshot();
  const local = await Promise.all([freePort(), freePort()]);
  servers = local.map((port) => createServer(answer).listen(port, '127.0.0.1'));
  const mapped = Object.values(ports).flatMap((port, index) => ['--port', `${port}:${local[index]}`]);
  const options = ['--target', 'cart', '--network', 'env', '--proxy-protocol', 'v1', ...mapped];
  session = startCommand(world, ['connect', ...options, ...placeOptions(world)]);
  await session.saw('Ready.');
});
afterEach(() => {
  for (const end of ends.splice(0)) end();
  failed = [];
});
afterAll(async () => {
  if (world === undefined) return;
  session?.kill('SIGTERM');
  await session?.ended;
  for (const server of servers) server.close();
  await world.asBefore(before);
  await world[Symbol.asyncDispose]();
});

function fromVisitor(kubectl: World['shop']['kubectl'], script: string): Promise<string> {
  return kubectl.run(['exec', '-n', namespace, 'deploy/visitor', '--', 'timeout', '60', 'sh', '-c', script]);
}

/** The local program: it learns by the PROXY protocol which pod was called, says so, and then says everything again. */
function answer(socket: Socket): void {
  // It hands on the errors of what it reads.
  const lines = createInterface({ input: socket }).on('error', () => {});
  lines.once('line', (header) => {
    const [, , , called = '', , port] = header.split(' ');
    lines.once('line', (first) => {
      const text = `${called} ${port}\n`;
      if (first.startsWith('GET ')) {
        socket.end(`HTTP/1.0 200 OK\r\ncontent-length: ${text.length}\r\n\r\n${text}`);
        return;
      }
      const ofThisTest = failed;
      socket.once('error', (error) => ofThisTest.push(`${called} ${error.message}`));
      socket.write(text);
      lines.on('line', (line) => socket.write(`${line}\n`));
    });
  });
}

interface Pod {
  readonly name: string;
  readonly uid: string;
  readonly address: string;
}

const podsSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), uid: z.string() }),
      status: z.object({ podIP: z.string().default('') }),
    }),
  ),
});

/** The pods to which there are tunnels that work. */
async function pods(): Promise<readonly Pod[]> {
  const { items } = podsSchema.parse(await world.shop.kubectl.json(['get', 'pods', '-n', namespace, '-l', 'app=cart']));
  return (await standing()).pods
    .filter(({ answering }) => answering)
    .flatMap(({ name }) => items.filter(({ metadata }) => metadata.name === name))
    .map(({ metadata, status }) => ({ ...metadata, address: status.podIP }));
}

async function standing(): Promise<NonNullable<z.infer<typeof statusSchema>['connection']>> {
  const { stdout } = await runCommand(world, ['status', '--json']);
  const [shown] = z.array(z.object({ status: statusSchema })).parse(JSON.parse(stdout));
  if (shown?.status.connection === undefined) throw new Error(`no session stands: ${stdout}`);
  return shown.status.connection;
}

/** Where the local program finds the peer in the cluster. */
async function peerHere(): Promise<{ readonly host: string; readonly port: number }> {
  const service = (await standing()).services.find(({ name }) => name.startsWith('peer'));
  const [port] = service?.ports ?? [];
  if (service === undefined || port === undefined) throw new Error('the peer is not reachable');
  return { host: service.address, port: port.localPort };
}

/** A connection on which numbered lines go to and fro until it ends. */
interface Stream {
  /** The address of the pod that carries it. */
  readonly pod: string;
  readonly heard: () => number;
  readonly hasEnded: () => boolean;
  /** Why it failed, if it did. */
  readonly failure: () => string | undefined;
}

/** The other end has said by which pod it is reached, in the first word of its first line; each further one is an answer. */
async function talk(output: Readable, input: Writable, end: () => void): Promise<Stream> {
  ends.push(end);
  const lines = createInterface({ input: output }).on('error', () => {});
  let heard = 0;
  let ended = false;
  let failure: string | undefined;
  output.once('error', (error) => {
    failure = error.message;
  });
  output.once('close', () => {
    ended = true;
  });
  input.on('error', () => {});
  const [first] = await once(lines, 'line');
  const say = () => input.write(`${heard}\n`);
  lines.on('line', (line) => {
    // What is lost, twice there or out of order ends the counting, and the test with it.
    if (line !== String(heard)) return;
    heard += 1;
    setTimeout(say, 20);
  });
  say();
  return { pod: String(first).split(' ')[0] ?? '', heard: () => heard, hasEnded: () => ended, failure: () => failure };
}

/** From here to the cluster, by the pod whose turn it is. */
async function outbound(to: { readonly host: string; readonly port: number }): Promise<Stream> {
  const socket = connect(to);
  return talk(socket, socket, () => void socket.destroy());
}

/** From the cluster to the program here, by a certain pod. */
async function inbound(pod: Pod): Promise<Stream> {
  const [command = '', ...prefix] = world.shop.kubectl.argv;
  const args = [...prefix, 'exec', '-i', '-n', namespace, 'deploy/visitor', '--', 'busybox', 'nc', pod.address, '8080'];
  const caller = spawn(command, args, { stdio: ['pipe', 'pipe', 'ignore'] });
  caller.stdin.write('who are you?\n');
  return talk(caller.stdout, caller.stdin, () => void caller.kill('SIGKILL'));
}

/** Which pods and ports the requests through the Service come by, of so many at each of its ports. */
async function served(count: number): Promise<ReadonlySet<string>> {
  const urls = Object.keys(ports).map((port) => `http://cart:${port}/`);
  const ask = urls.map((url) => `wget -q -O - ${url}`).join('; ');
  const text = await fromVisitor(world.shop.kubectl, `for i in $(seq ${count}); do ${ask}; done`);
  return new Set(text.trim().split('\n'));
}

const everyWay = (all: readonly Pod[]) =>
  all.flatMap(({ address }) => Object.values(ports).map((port) => `${address} ${port}`)).sort();

/** A stream each way by each of the pods. */
async function talkByAll(all: readonly Pod[]): Promise<readonly Stream[]> {
  const to = await peerHere();
  const out: Stream[] = [];
  // Each pod has its turn.
  for (const _ of all) out.push(await outbound(to));
  expect(out.map(({ pod }) => pod).sort()).toEqual(all.map(({ address }) => address).sort());
  const streams = [...out, ...(await Promise.all(all.map(inbound)))];
  await goOn(streams);
  return streams;
}

/** All of them carry more. */
async function goOn(streams: readonly Stream[]): Promise<void> {
  const marks = streams.map((stream) => stream.heard() + 5);
  await vi.waitFor(() => {
    expect(streams.filter((stream) => stream.hasEnded())).toEqual([]);
    expect(streams.filter((stream, index) => stream.heard() < (marks[index] ?? 0))).toEqual([]);
  }, patience);
}

/** A pod loses its agent while all of them carry connections: `kill` does it; the pods are back when `isBack` says so. */
async function survives(
  kill: (victim: Pod) => Promise<unknown>,
  isBack: (now: readonly Pod[], victim: Pod) => boolean,
) {
  const toldBefore = session?.stderr().length ?? 0;
  const all = await pods();
  expect(all).toHaveLength(replicas);
  const streams = await talkByAll(all);
  const [victim, ...others] = all;
  if (victim === undefined) throw new Error('there is no pod');
  const lost = streams.filter(({ pod }) => pod === victim.address);
  const kept = streams.filter(({ pod }) => pod !== victim.address);
  expect([lost.length, kept.length]).toEqual([2, 4]);
  await kill(victim);
  // One from here and one from the cluster. No end that looks like the end of all data.
  const [lostOutbound] = lost;
  await vi.waitFor(() => {
    expect(lostOutbound?.failure()).toContain('ECONNRESET');
    expect(failed).toEqual([expect.stringMatching(new RegExp(`^${victim.address} .*ECONNRESET`))]);
  }, patience);
  // At once, before anything is repaired.
  const to = await peerHere();
  const fresh = await Promise.all([1, 2, 3, 4].map(() => outbound(to)));
  const direct = await Promise.all(others.map(inbound));
  await goOn([...kept, ...fresh, ...direct]);

  await vi.waitFor(async () => {
    const now = await pods();
    expect(now).toHaveLength(replicas);
    expect(isBack(now, victim)).toBe(true);
    expect([...(await served(15))].sort()).toEqual(everyWay(now));
  }, patience);
  await talkByAll(await pods());
  await goOn([...kept, ...fresh, ...direct]);
  expect(failed).toHaveLength(1);
  const told = (session?.stderr() ?? '').slice(toldBefore).split('\n');
  expect(told.filter((line) => line.includes('were reset'))).toEqual([
    expect.stringContaining(`Connections through pod ${victim.name} were reset`),
  ]);
}

it('requests through the Service come by every pod and port', async () => {
  const all = await pods();
  expect(all).toHaveLength(replicas);
  await vi.waitFor(async () => expect([...(await served(20))].sort()).toEqual(everyWay(all)), patience);
});

it('a pod that is deleted by force takes its own connections with it, and no others', async () => {
  await survives(
    ({ name }) =>
      world.shop.kubectl.run(['delete', 'pod', name, '-n', namespace, '--grace-period=0', '--force', '--wait=false']),
    (now, victim) => now.every(({ name }) => name !== victim.name),
  );
});

it('an agent that is killed takes its own connections with it, and no others', async () => {
  let pid: number | undefined;
  await survives(
    async ({ uid }) => {
      pid = agentProcess(uid);
      if (pid === undefined) throw new Error('the agent does not run');
      process.kill(pid, 'SIGKILL');
    },
    (now, victim) => now.some(({ uid }) => uid === victim.uid) && agentProcess(victim.uid) !== pid,
  );
});
