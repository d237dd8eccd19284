/**
 * What a user is shown of a session and of this computer: `diagnose` as text, JSON and archive, the custom request of the debug
 * adapter, the log that each error names, and `doctor`. Nothing of it changes anything.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Diagnosis, diagnosisSchema } from '../../adapter/diagnostics/diagnosis.ts';
import type { DapClient } from '../dap-client.ts';
import type { Snapshot } from '../stage/snapshot.ts';
import { isDaemon, openWorld, processesOf, type World } from '../stage/world.ts';
import { cartConfiguration, launchCart, startAdapter } from './cart-session.ts';
import { freePort, placeOptions, runCommand } from './command-line.ts';
import { expectGone, privateVolumesFolder, type VolumesFolder } from './volumes-folder.ts';

const namespace = 'e2e-diagnostics';
const secret = 'tok_demo_4f9c2b7e61';
const diagnosticsCommand = 'kubernetesLocal/diagnostics';
let world: World;
let before: Snapshot;
let folder: string;

beforeAll(async () => {
  world = await openWorld(namespace);
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-diagnosis-'));
});
afterAll(async () => {
  if (folder) rmSync(folder, { recursive: true, force: true });
  await world?.[Symbol.asyncDispose]();
});

/** Kubeconfig and namespace of this world. */
const place = () => placeOptions(world).slice(0, 4);

async function diagnosis(...options: readonly string[]): Promise<Diagnosis> {
  const { code, stdout } = await runCommand(world, ['diagnose', '--format', 'json', ...options]);
  expect(code).toBe(0);
  return diagnosisSchema.parse(JSON.parse(stdout));
}

async function diagnosisText(...options: readonly string[]): Promise<string> {
  const { code, stdout } = await runCommand(world, ['diagnose', ...options]);
  expect(code).toBe(0);
  // Where a single word is longer, such as a path, nothing can be done.
  for (const line of stdout.split('\n')) if (!/\S{40,}/.test(line)) expect([...line].length, line).toBeLessThan(81);
  return stdout;
}

/** Writes a bundle and unpacks it: the texts of its files by their names in it. */
async function bundle(name: string, ...options: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const file = join(folder, `${name}.tar.gz`);
  const { code, stderr } = await runCommand(world, ['diagnose', '--bundle', file, ...options]);
  expect(code).toBe(0);
  expect(stderr).toContain(file);
  expect(lstatSync(file).mode & 0o777).toBe(0o600);
  const unpacked = mkdtempSync(join(folder, 'unpacked-'));
  execFileSync('tar', ['-xzf', file, '-C', unpacked, '--strip-components=1']);
  const files = readdirSync(unpacked, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path.slice(unpacked.length + 1), readFileSync(path, 'utf8')] as const);
  for (const [path] of files) expect(stderr, 'the user is told what is inside').toContain(path);
  return new Map(files);
}

/** No credentials are in a bundle, and nothing that leads strangers to the cluster. */
function expectPublic(files: ReadonlyMap<string, string>): void {
  const kubeconfig = readFileSync(world.cluster.kubeconfig, 'utf8');
  const credentials = [...kubeconfig.matchAll(/(?:-data|token): (\S{20,})/g)].map(([, value]) => value ?? '');
  const [, server = ''] = /server: https?:\/\/(\S+)/.exec(kubeconfig) ?? [];
  expect(credentials.length).toBeGreaterThan(1);
  expect(server).not.toBe('');
  for (const [path, text] of files) {
    for (const value of [secret, ...credentials, server]) expect(text.includes(value), path).toBe(false);
  }
}

describe('without a session', () => {
  beforeEach(async () => {
    before = await world.snapshot();
  });
  afterEach(() => world.asBefore(before));

  it('"diagnose" tells what can be known', async () => {
    const { stdout: version } = await runCommand(world, ['--version']);
    const known = await diagnosis(...place());
    expect(known).toMatchObject({
      state: 'none',
      versions: { kubernetesLocal: version.trim(), node: process.version, cluster: expect.stringMatching(/^v1\./) },
      place: { namespace },
      environment: [],
      changes: [],
      leftovers: [],
    });
    expect(known.findings.length).toBeGreaterThan(3);
    const text = await diagnosisText(...place());
    for (const part of ['Session', 'There is none.', 'Versions', 'What works here']) expect(text).toContain(part);
  });

  it('"diagnose --bundle" writes what a bug report needs', async () => {
    const files = await bundle('without', ...place());
    expect([...files.keys()]).toEqual(expect.arrayContaining(['diagnosis.json', 'diagnosis.txt', 'doctor.json']));
    expect(diagnosisSchema.parse(JSON.parse(files.get('diagnosis.json') ?? ''))).toMatchObject({ state: 'none' });
    expectPublic(files);
  });

  it('"diagnose" refuses a session that is not there', async () => {
    const { code, stderr } = await runCommand(world, ['diagnose', '--session', 'nosuch']);
    expect(stderr).toMatch(/^error \(bad-arguments\): /m);
    expect(code).toBe(2);
  });

  it('an error names the log, which has it', async () => {
    const options = ['--target', 'deployment/absent', '--network', 'env', ...placeOptions(world)];
    const { code, stderr } = await runCommand(world, ['run', ...options, '--', '/bin/true']);
    expect(code).toBe(4);
    expectLog(stderr, 'target-missing');
  });

  it('an error of the debug adapter names the log too', async () => {
    const client = await startAdapter(world, '--delegate', 'debugpy');
    const launched = client.request('launch', cartConfiguration(world, { target: 'deployment/absent' }));
    const error = await launched.then(String, String);
    expectLog(error, 'target-missing');
    await client.request('disconnect');
    client.endInput();
    await client.exited;
  });
});

/** The text names a private file of the log that holds these words. */
function expectLog(text: string, words: string): void {
  const [, path = ''] = /Log: (\S+\.log)/.exec(text) ?? [];
  expect(path, text).not.toBe('');
  expect(readFileSync(path, 'utf8')).toContain(words);
  expect(lstatSync(path).mode & 0o777).toBe(0o600);
  expect(lstatSync(dirname(path)).mode & 0o777).toBe(0o700);
}

describe('of a debug session', () => {
  let client: DapClient;
  let volumes: VolumesFolder;
  let known: Diagnosis;

  beforeAll(async () => {
    before = await world.snapshot();
    client = await launchCart(world, false, { network: 'hosts' });
    await world.shop.request('http://web/json');
    volumes = privateVolumesFolder(world);
    known = await diagnosis();
  });
  afterAll(async () => {
    if (!client) return;
    await client.request('disconnect', { terminateDebuggee: true });
    client.endInput();
    await client.exited;
    await world.asBefore(before);
    if (volumes) expectGone(volumes);
  });

  it('has place, network and versions', () => {
    expect(known).toMatchObject({
      state: 'connected',
      session: { id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      versions: { cluster: expect.stringMatching(/^v1\./) },
      place: { namespace, target: 'service/cart', workload: 'deployment/cart', container: 'cart' },
      network: { mode: 'hosts', hostsFile: '/etc/hosts' },
      rights: { missing: [] },
    });
    expect(known.problem).toBeUndefined();
  });

  it('has the environment with origins, and no value of a secret', () => {
    const variable = (name: string) => known.environment.find((each) => each.name === name);
    expect(variable('PAYMENT_TOKEN')).toMatchObject({
      value: '«secret, 19 characters»',
      secret: true,
      origin: expect.stringContaining('cart-payment'),
    });
    expect(variable('GREETING')).toMatchObject({
      value: expect.stringContaining('Good to see you.'),
      secret: false,
      origin: expect.stringContaining('cart-settings'),
    });
    expect(JSON.stringify(known)).not.toContain(secret);
  });

  it('has each name with its address, its real port and what is behind it', () => {
    const prices = known.names.find(({ names }) => names.includes('prices'));
    expect(prices).toMatchObject({
      address: expect.stringMatching(/^127\./),
      ports: [{ port: 80, localPort: 80, listening: true }],
      state: 'open',
    });
    expect(prices?.readyEndpoints).toBeGreaterThan(0);
  });

  it('has the mounts, and they are there', () => {
    for (const [mountPath, kind] of [
      ['/etc/cart', 'configMap'],
      ['/etc/payment', 'secret'],
    ]) {
      const mount = known.mounts.find((each) => each.mountPath === mountPath);
      expect(mount).toMatchObject({ kind, localPath: expect.stringContaining(volumes.folder) });
      expect(existsSync(mount?.localPath ?? ''), mountPath).toBe(true);
    }
    expect(known.mountsFolder).toContain(volumes.folder);
  });

  it('has the port with the program that listens, the processes and the tunnels', () => {
    const pids = processesOf(world.state).map(({ pid }) => pid);
    const [port, ...more] = known.ports;
    expect(more).toEqual([]);
    expect(port).toMatchObject({ containerPort: 8080 });
    expect(pids).toContain(port?.listening?.pid);
    const [daemon] = processesOf(world.state).filter(({ command }) => isDaemon(command));
    expect(known.processes).toContainEqual(expect.objectContaining({ role: 'daemon', pid: daemon?.pid }));
    expect(known.processes.map(({ role }) => role)).toEqual(expect.arrayContaining(['helper', 'client', 'agent']));
    expect(known.tunnels).toHaveLength(2);
    for (const { pod, roundTripTime, bytesIn, bytesOut } of known.tunnels) {
      expect(pod).toMatch(/^cart-/);
      expect(roundTripTime).toBeGreaterThan(0);
      expect(Math.min(bytesIn, bytesOut)).toBeGreaterThan(0);
    }
  });

  it('has all changes, and how each is undone', () => {
    for (const [where, words] of [
      ['cluster', 'lease kubernetes-local-deployment-cart'],
      ['cluster', 'deployment/cart'],
      ['computer', '/etc/hosts'],
      ['computer', volumes.folder],
    ] as const) {
      const found = known.changes.filter(
        (each) => each.where === where && each.what.toLowerCase().includes(words.toLowerCase()),
      );
      expect(found, words).toHaveLength(1);
    }
    for (const { undo } of known.changes) expect(undo).not.toBe('');
  });

  it('has the log', () => {
    expect(known.logs.length).toBeGreaterThan(0);
    for (const path of known.logs) expect(lstatSync(path).mode & 0o777).toBe(0o600);
  });

  it('is readable as text, and the same for a target', async () => {
    const text = await diagnosisText();
    const titles = [
      'Session',
      'Versions',
      'Ports',
      'Names',
      'Environment',
      'Mounts',
      'Tunnels',
      'Changes',
      'Processes',
    ];
    for (const title of [...titles, 'Rights', 'Logs']) expect(text).toMatch(new RegExp(`^${title}`, 'm'));
    expect(text).toContain('PAYMENT_TOKEN');
    expect(text).not.toContain(secret);
    expect(await diagnosis('--target', 'service/cart', ...place())).toMatchObject({ session: known.session });
  });

  it('is answered by the debug adapter, as JSON and as text', async () => {
    const json = await client.request<{ format: string; diagnosis: unknown }>(diagnosticsCommand);
    expect(json.format).toBe('json');
    const answered = diagnosisSchema.parse(json.diagnosis);
    expect(answered).toMatchObject({ state: 'connected', session: known.session, place: known.place });
    const text = await client.request<{ format: string; text: string }>(diagnosticsCommand, { format: 'text' });
    expect(text.text).toContain('PAYMENT_TOKEN');
    expect(JSON.stringify([json, text])).not.toContain(secret);
    await expect(client.request(diagnosticsCommand, { format: 'xml' })).rejects.toThrow();
  });

  it('is in the bundle, with logs and the journal', async () => {
    const files = await bundle('session');
    expect(diagnosisSchema.parse(JSON.parse(files.get('diagnosis.json') ?? ''))).toMatchObject({ state: 'connected' });
    const paths = [...files.keys()];
    expect(paths.filter((path) => /^logs\/session-.*\.log$/.test(path))).not.toEqual([]);
    expect(paths.filter((path) => /^journals\/.*\.jsonl$/.test(path))).not.toEqual([]);
    expect([...files.values()].join('\n')).toContain('connected');
    expectPublic(files);
  });

  it('changes nothing: the session stands', async () => {
    expect(JSON.parse(await world.shop.request('http://web/json'))).toMatchObject({
      cartServedBy: expect.stringMatching(/^this computer/),
    });
    expect((await diagnosis()).state).toBe('connected');
  });
});

it('the debug adapter answers before it is launched, and while it connects', async () => {
  before = await world.snapshot();
  const client = await startAdapter(world, '--delegate', 'debugpy');
  const state = async () => {
    const { diagnosis: found } = await client.request<{ diagnosis: unknown }>(diagnosticsCommand, { format: 'json' });
    return diagnosisSchema.parse(found).state;
  };
  expect(await state()).toBe('none');
  const launched = client.request('launch', cartConfiguration(world));
  await client.waitForEvent<{ message?: string }>('progressUpdate', ({ message = '' }) => message.includes('agent'));
  expect(['connecting', 'connected']).toContain(await state());
  await client.request('disconnect', { terminateDebuggee: true });
  await launched.catch(() => {});
  client.endInput();
  await client.exited;
  await world.asBefore(before);
});

describe('"doctor"', () => {
  interface Finding {
    readonly subject: string;
    readonly outcome: string;
    readonly text: string;
    readonly remedy?: string;
  }
  let busy: Server;
  let busyPort: number;

  beforeAll(async () => {
    before = await world.snapshot();
    busyPort = await freePort();
    busy = createServer();
    await new Promise<void>((resolve, reject) =>
      busy.once('error', reject).listen(busyPort, '127.0.0.1', () => resolve()),
    );
  });
  afterAll(async () => {
    busy?.close();
    await world.asBefore(before);
  });

  async function doctor(...options: readonly string[]) {
    // The Python of Debian, which has debugpy here, and not one that this computer may have besides.
    const environment = { PATH: '/usr/bin:/bin:/usr/sbin:/sbin' };
    const { code, stdout } = await runCommand(world, ['doctor', ...options, '--format', 'json'], environment);
    const report: Record<string, unknown> = JSON.parse(stdout);
    const findings = Object.values(report).flatMap((part) => (Array.isArray(part) ? (part as Finding[]) : []));
    return { code, findings, all: JSON.stringify(report) };
  }

  it('finds all in order for a debug session of the cart', async () => {
    const image = ['--agent-image', world.place.agentImage];
    const { code, findings } = await doctor('--target', 'service/cart', '--delegate', 'debugpy', ...place(), ...image);
    expect(findings.filter(({ outcome }) => outcome === 'not possible')).toEqual([]);
    expect(code).toBe(0);
    expect(findings.map(({ text }) => text).join('\n')).toContain('deployment/cart');
    expect(findings.map(({ subject }) => subject).join('\n')).toMatch(/debugger debugpy/);
  });

  it('finds the same in words', async () => {
    const { code, stdout } = await runCommand(world, ['doctor', '--target', 'service/cart', ...place()]);
    expect(code).toBe(0);
    for (const title of ['This computer', 'The cluster', 'Network modes']) expect(stdout).toContain(title);
  });

  it.each([
    ['a target that is not there', ['--target', 'deployment/card'], 4, 'cart'],
    ['a debugger that is not known', ['--delegate', 'debugpi'], 6, 'debugpy'],
    ['a context that is not there', ['--context', 'nosuch'], 3, 'nosuch'],
  ])('has a remedy for %s', async (_, options, expected, words) => {
    const kubeconfig = options.includes('--context') ? place().slice(0, 2) : place();
    const { code, findings, all } = await doctor(...options, ...kubeconfig);
    expect(code).toBe(expected);
    const wrong = findings.filter(({ outcome }) => outcome === 'not possible');
    expect(wrong.length).toBeGreaterThan(0);
    for (const { remedy } of wrong) expect(remedy ?? '').not.toBe('');
    expect(all).toContain(words);
  });

  it('finds who has a port', async () => {
    const { findings } = await doctor('--target', 'service/cart', '--port', `http:${busyPort}`, ...place());
    const found = findings.find(({ text, subject }) => `${subject} ${text}`.includes(String(busyPort)));
    expect(found?.outcome).not.toBe('ok');
    expect(found?.remedy ?? '').not.toBe('');
  });
});
