/** Who calls the workload from the cluster: shown by `status`, and told to the program by the PROXY protocol. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { proxyHeader } from '../../adapter/session/agents/proxy-header.ts';
import { statusSchema } from '../../adapter/session/protocol.ts';
import { apply } from '../apps/files/files.ts';
import { ensurePackages } from '../cluster/packages.ts';
import type { Snapshot } from '../stage/snapshot.ts';
import { namespacesOf } from '../stage/workloads.ts';
import type { World } from '../stage/world.ts';
import { freePort, placeOptions, type RunningCommand, runCommand, startCommand } from './command-line.ts';
import { openSmallWorld } from './small-world.ts';

const namespace = 'e2e-callers';
const elsewhere = 'e2e-callers-elsewhere';
/** The port of the Service, and one that only the pods have. */
const containerPorts = [8080, 9090] as const;
const patience = { timeout: 30_000, interval: 100 };
let world: World;
let before: Snapshot;
let folder: string;
const running = new Set<RunningCommand>();
const callers = new Set<ChildProcess>();
let program: Server | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-callers-'));
  const ports = containerPorts.map((containerPort) => ({ containerPort }));
  [world] = await Promise.all([openSmallWorld(namespace, ['cart'], { cart: { ports } }), ensurePackages(['haproxy'])]);
  const { kubectl } = world.shop;
  const container = { name: 'visitor', image: 'kubernetes-local.test/busybox:1', command: ['/bin/sleep', '1000000'] };
  await apply(kubectl, namespacesOf([elsewhere]));
  const spec = { terminationGracePeriodSeconds: 0, containers: [container] };
  await apply(kubectl, [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'visitor' }, spec }], elsewhere);
  await kubectl.run(['wait', 'pod/visitor', '-n', elsewhere, '--for=condition=Ready', '--timeout=120s']);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  if (world === undefined) return;
  await world.shop.kubectl.run(['delete', 'namespace', elsewhere, '--wait=false', '--ignore-not-found']);
  await world[Symbol.asyncDispose]();
});
beforeEach(async () => {
  before = await world.snapshot();
});
afterEach(async () => {
  for (const caller of callers) caller.kill('SIGKILL');
  callers.clear();
  for (const command of running) command.kill('SIGTERM');
  await Promise.all([...running].map(({ ended }) => ended));
  running.clear();
  program?.close();
  program = undefined;
  await world.asBefore(before);
});

/** A session of the cart; `more` options, and a command for `run`. */
function start(command: string, more: readonly string[], local: readonly string[] = []): RunningCommand {
  const options = ['--target', 'cart', ...placeOptions(world), ...more];
  const started = startCommand(world, [command, ...options, ...(local.length > 0 ? ['--', ...local] : [])]);
  running.add(started);
  return started;
}

/** A pod of the world as the cluster has it: its address. */
async function addressOf(pod: string, place = namespace): Promise<string> {
  const answer = await world.shop.kubectl.json(['get', 'pod', pod, '-n', place]);
  return z.object({ status: z.object({ podIP: z.string() }) }).parse(answer).status.podIP;
}

/** The pod that is called while the session stands. */
async function agentPod(): Promise<{ readonly name: string; readonly address: string }> {
  const [pod] = (await connection()).pods;
  if (pod === undefined) throw new Error('the session has no pod');
  return { name: pod.name, address: await addressOf(pod.name) };
}

async function connection(): Promise<NonNullable<z.infer<typeof statusSchema>['connection']>> {
  const { stdout } = await runCommand(world, ['status', '--json']);
  const [session] = z.array(z.object({ status: statusSchema })).parse(JSON.parse(stdout));
  if (session?.status.connection === undefined) throw new Error(`no session stands: ${stdout}`);
  return session.status.connection;
}

/** Calls from the pod `visitor` of a namespace, says a line, and stays; resolves with the first line of the answer. */
async function call(
  from: string,
  host: string,
  port: number,
): Promise<{ readonly caller: ChildProcess; line: string }> {
  const [command = '', ...prefix] = world.shop.kubectl.argv;
  const args = [...prefix, 'exec', '-i', '-n', from, 'visitor', '--', 'busybox', 'nc', host, `${port}`];
  const caller = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  callers.add(caller);
  caller.stdin.write('who am I?\n');
  const [line] = await once(caller.stdout, 'data');
  return { caller, line: String(line).trim() };
}

it('status shows who calls: by name if it is a pod of the namespace, and as the program sees it', async () => {
  const port = await freePort();
  // Answers with the port by which it sees the caller.
  program = createServer((socket) =>
    socket.on('error', () => {}).once('data', () => socket.write(`${socket.remotePort}\n`)),
  );
  program.listen(port, '127.0.0.1');
  const other = await freePort();
  const ports = ['--port', `8080:${port}`, '--port', `9090:${other}`];
  await start('connect', ['--network', 'env', ...ports]).saw('Ready.');
  expect((await connection()).callers).toEqual({ open: 0, newest: [] });

  const pod = await agentPod();
  const [visitor, stranger] = await Promise.all([addressOf('visitor'), addressOf('visitor', elsewhere)]);
  const first = await call(namespace, 'cart', 80);
  const second = await call(elsewhere, pod.address, 8080);
  const shown = (address: string, name: string | undefined, seenAs: string) => ({
    source: { address, port: expect.any(Number) },
    ...(name !== undefined && { name }),
    pod: pod.name,
    containerPort: 8080,
    seenAs: { address: '127.0.0.1', port: Number(seenAs) },
    since: expect.any(String),
  });
  const newest = [shown(stranger, undefined, second.line), shown(visitor, 'visitor', first.line)];
  expect((await connection()).callers).toEqual({ open: 2, newest });
  const { stdout } = await runCommand(world, ['status']);
  expect(stdout).toContain('2 open connections from the cluster');
  expect(stdout).toMatch(new RegExp(`visitor +${visitor}:\\d+ +8080 of ${pod.name} +127\\.0\\.0\\.1:${first.line} `));
  expect(stdout).toMatch(new RegExp(`- +${stranger}:\\d+ +8080 of ${pod.name} +127\\.0\\.0\\.1:${second.line} `));
  expect(logs()).toMatch(
    new RegExp(`"an inbound connection".*"caller":"${visitor}:\\d+".*"seenAs":"127.0.0.1:${first.line}"`),
  );

  for (const { caller } of [first, second]) caller.stdin?.end();
  await Promise.all([first, second].map(({ caller }) => once(caller, 'close')));
  await vi.waitFor(async () => expect((await connection()).callers).toEqual({ open: 0, newest: [] }), patience);
});

/** What the daemon wrote of it. */
function logs(): string {
  return readdirSync(world.state, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.log'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
    .join('\n');
}

/** The command of a haproxy that takes nothing but connections with a header, and answers with what the header says. */
async function haproxy(...ports: readonly number[]): Promise<readonly string[]> {
  const config = join(folder, 'haproxy.cfg');
  const binds = ports.map((port) => `  bind 127.0.0.1:${port} accept-proxy\n`).join('');
  const says = '%[src] %[src_port] %[dst] %[dst_port]';
  writeFileSync(
    config,
    `defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 5s
frontend all
${binds}  http-request return status 200 content-type text/plain lf-string "${says}"
`,
  );
  return ['/usr/sbin/haproxy', '-db', '-f', config];
}

it.each([
  ['v1', 'env'],
  ['v2', 'namespace'],
])('a program that reads the PROXY protocol is told who calls: %s, in mode %s', async (version, network) => {
  const ports = [await freePort(), await freePort()] as const;
  const mapped = containerPorts.flatMap((port, index) => ['--port', `${port}:${ports[index]}`]);
  const options = ['--network', network, '--proxy-protocol', version, ...mapped];
  const command = start('run', options, await haproxy(...ports));
  await vi.waitFor(async () => expect((await connection()).pods).toHaveLength(1), patience);
  const [pod, visitor] = await Promise.all([agentPod(), addressOf('visitor')]);
  const caller = `${visitor.replaceAll('.', '\\.')} \\d+`;
  // The Service is a way to the pod; what the pod sees is its own address.
  await vi.waitFor(
    async () => expect(await world.shop.request('http://cart/')).toMatch(new RegExp(`^${caller} ${pod.address} 8080$`)),
    patience,
  );
  expect(await world.shop.request(`http://${pod.address}:9090/`)).toMatch(
    new RegExp(`^${caller} ${pod.address} 9090$`),
  );
  command.kill('SIGTERM');
  await command.ended;
});

it('haproxy reads the header of each version and family', async () => {
  const port = await freePort();
  const [command = '', ...args] = await haproxy(port);
  const reader = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  callers.add(reader);
  const ask = async (header: Buffer): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    socket.write(header);
    socket.write('GET / HTTP/1.1\r\nhost: cart\r\nconnection: close\r\n\r\n');
    const answer = await text(socket);
    return answer.split('\r\n\r\n')[1] ?? answer;
  };
  const [source, destination] = [
    { address: '2001:db8::8329', port: 40_212 },
    { address: 'fd00::9', port: 80 },
  ];
  const nobody = { address: '', port: 0 };
  const old = { source: { address: '192.0.2.1', port: 1 }, destination: { address: '192.0.2.2', port: 65_535 } };
  await vi.waitFor(async () => expect(await ask(proxyHeader('v1', nobody, nobody))).toContain('127.0.0.1'), patience);
  for (const version of ['v1', 'v2'] as const) {
    expect(await ask(proxyHeader(version, source, destination))).toBe('2001:db8::8329 40212 fd00::9 80');
    expect(await ask(proxyHeader(version, old.source, old.destination))).toBe('192.0.2.1 1 192.0.2.2 65535');
    // As the specification demands, it takes the connection as it comes.
    expect(await ask(proxyHeader(version, nobody, nobody))).toMatch(/^127\.0\.0\.1 \d+ 127\.0\.0\.1 \d+$/);
  }
});
