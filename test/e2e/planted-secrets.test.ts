/**
 * Secrets of unmistakable values in a debug session with everything that writes something down: they are in the program, and in
 * no log, trace, report, archive, command line or file that others can read, in no form.
 */
import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  type Stats,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { apply } from '../apps/files/files.ts';
import type { DapClient } from '../dap-client.ts';
import type { Snapshot } from '../stage/snapshot.ts';
import { isDaemon, openWorld, processesOf, type World } from '../stage/world.ts';
import { cartConfiguration, startAdapter } from './cart-session.ts';
import { freePort, placeOptions, runCommand } from './command-line.ts';
import { expectGone, privateVolumesFolder, type VolumesFolder } from './volumes-folder.ts';

const namespace = 'e2e-planted';
const target = 'deployment/vault';
const image = 'kubernetes-local.test/busybox:1';
/** A new one for each run, so that this file does not hold what is looked for. */
const random = (bytes: number) => randomBytes(bytes).toString('hex');

/** Each is an environment variable, one of `envFrom`, and a file. */
const planted: Readonly<Record<string, string>> = {
  PLAIN: `plain-${random(9)}`,
  MULTI_LINE: `first-${random(9)}\n  second "${random(9)}"\n\nthird-${random(9)}\n`,
  BASE64: randomBytes(33).toString('base64'),
  AWKWARD: `it's "${random(6)}" & 100% of $HOME?#[ä]/\\ ${random(6)}+`,
  SHORT: `~${random(1)}?!`,
};

/** Every way in which a value may be written down. */
function formsOf(value: string): readonly string[] {
  const parts = [value, ...value.split('\n').filter((line) => line.trim().length >= 5)];
  return [
    ...new Set(
      parts.flatMap((part) => {
        const bytes = Buffer.from(part);
        const json = JSON.stringify(part).slice(1, -1);
        return [
          ...[part, json, JSON.stringify(json).slice(1, -1)],
          ...[encodeURIComponent(part), new URLSearchParams({ v: part }).toString().slice(2)],
          ...[bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')],
          `'${part.replaceAll("'", "'\\''")}'`,
        ];
      }),
    ),
  ];
}
const forms = Object.entries(planted).flatMap(([name, value]) =>
  formsOf(value).map((form) => ({ name, form, bytes: Buffer.from(form) })),
);

/** Which secrets are in it, and how. */
function leaksIn(place: string, content: Buffer | string): readonly string[] {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return forms.filter((form) => bytes.includes(form.bytes)).map(({ name, form }) => `${name} in ${place}: ${form}`);
}

interface FoundFile {
  readonly path: string;
  readonly stat: Stats;
}

/** All files beneath a folder that pass; what vanishes meanwhile is passed over. */
function filesBeneath(folder: string, enters: (entry: FoundFile) => boolean = () => true): readonly FoundFile[] {
  const names = unlessGone(() => readdirSync(folder)) ?? [];
  return names.flatMap((name) => {
    const path = join(folder, name);
    const stat = unlessGone(() => lstatSync(path));
    if (stat === undefined || !enters({ path, stat })) return [];
    if (stat.isDirectory()) return filesBeneath(path, enters);
    return stat.isFile() ? [{ path, stat }] : [];
  });
}

function unlessGone<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ENOTDIR', 'ESRCH'].includes(String(error.code))) {
      return undefined;
    }
    throw error;
  }
}

function leaksInFiles(files: readonly FoundFile[]): readonly string[] {
  return files.flatMap(({ path }) => leaksIn(path, unlessGone(() => readFileSync(path)) ?? ''));
}

/** What it does: it says what it got without saying it, and waits. */
const program = `import hashlib, json, os, pathlib, time
def digest(data):
    return hashlib.sha256(data).hexdigest()
folder = pathlib.Path(os.environ["KUBERNETES_LOCAL_MOUNTS"] + "/etc/planted")
names = ${JSON.stringify(Object.keys(planted))}
print("planted " + json.dumps({name: [
    digest(os.environb[name.encode()]),
    digest(os.environb[b"ALL_" + name.encode()]),
    digest((folder / name).read_bytes()),
] for name in names}), flush=True)
time.sleep(100000)
`;

let world: World;
let before: Snapshot;
let folder: string;
/** Command lines of all processes that were seen while the session lived. */
const commandLines = new Set<string>();
let watching: NodeJS.Timeout;

beforeAll(async () => {
  world = await openWorld(namespace, async (kubectl) => {
    const labels = { 'app.kubernetes.io/managed-by': 'kubernetes-local-stage' };
    await apply(kubectl, [{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } }]);
    await apply(kubectl, manifests, namespace);
    await kubectl.run(['rollout', 'status', target, '-n', namespace, '--timeout=120s']);
    return { kubectl, namespace, request: async () => '' };
  });
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-planted-'));
  before = await world.snapshot();
  watching = setInterval(() => {
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      const line = unlessGone(() => readFileSync(`/proc/${name}/cmdline`, 'utf8'));
      if (line) commandLines.add(line.replaceAll('\0', ' '));
    }
  }, 50);
});
afterAll(async () => {
  clearInterval(watching);
  if (folder) rmSync(folder, { recursive: true, force: true });
  await world?.[Symbol.asyncDispose]();
});

const manifests: readonly object[] = [
  { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'planted' }, stringData: planted },
  {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'vault' },
    spec: {
      selector: { matchLabels: { app: 'vault' } },
      template: {
        metadata: { labels: { app: 'vault' } },
        spec: {
          terminationGracePeriodSeconds: 0,
          volumes: [{ name: 'planted', secret: { secretName: 'planted' } }],
          containers: [
            {
              name: 'vault',
              image,
              imagePullPolicy: 'IfNotPresent',
              ports: [{ containerPort: 8080 }],
              envFrom: [{ prefix: 'ALL_', secretRef: { name: 'planted' } }],
              env: Object.keys(planted).map((name) => ({
                name,
                valueFrom: { secretKeyRef: { name: 'planted', key: name } },
              })),
              volumeMounts: [{ name: 'planted', mountPath: '/etc/planted' }],
            },
          ],
        },
      },
    },
  },
];

/** Debugs the program in the vault's place, all messages traced; resolves with what it says it got. */
async function debugVault(trace: string, port: number): Promise<{ client: DapClient; got: unknown }> {
  const file = join(folder, 'vault.py');
  writeFileSync(file, program);
  const client = await startAdapter(world, '--delegate', 'debugpy', '--trace', trace);
  const said = client.waitForEvent<{ output: string }>('output', ({ output }) => /planted \{.*\}/.test(output));
  const initialized = client.waitForEvent('initialized');
  const launched = client.request(
    'launch',
    cartConfiguration(world, {
      target,
      ports: { 8080: port },
      delegate: { type: 'debugpy', request: 'launch', program: file, python: '/usr/bin/python3' },
    }),
  );
  await Promise.race([initialized, launched]);
  await client.request('setBreakpoints', { source: { path: file }, breakpoints: [{ line: 1 }] });
  await client.request('configurationDone');
  await launched;
  const { threadId } = await client.waitForEvent<{ threadId: number }>('stopped');
  const { stackFrames } = await client.request<{ stackFrames: { id: number }[] }>('stackTrace', { threadId });
  // An error of the debugger, and one of ours.
  const wrong = { expression: 'no_such_name', frameId: stackFrames[0]?.id, context: 'repl' };
  await client.request('evaluate', wrong).catch(() => {});
  await client.request('kubernetesLocal/noSuchRequest').catch(() => {});
  await client.request('continue', { threadId });
  const { output } = await said;
  return { client, got: JSON.parse(output.slice(output.indexOf('{'))) };
}

/** What a command shows in a terminal. */
async function inTerminal(args: readonly string[]): Promise<string> {
  const quoted = [...world.product, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-q', '-c', quoted, '/dev/null'], {
    env: world.environment,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return text(child.stdout);
}

/** Runs a command and adds what it says to what is searched. */
async function saying(said: string[], args: readonly string[]): Promise<{ code: number | null; stdout: string }> {
  const { code, stdout, stderr } = await runCommand(world, args);
  said.push(`${args[0]}: ${stdout}${stderr}`);
  return { code, stdout };
}

it('are in the program, and nowhere else', async () => {
  const start = Date.now();
  const said: string[] = [];
  const trace = join(folder, 'trace.jsonl');
  const port = await freePort();
  const { client, got } = await debugVault(trace, port);
  const digest = (value: string) => createHash('sha256').update(value).digest('hex');
  const expected = Object.entries(planted).map(([name, value]) => [
    name,
    Array.from({ length: 3 }, () => digest(value)),
  ]);
  expect(got).toEqual(Object.fromEntries(expected));
  const volumes: VolumesFolder = privateVolumesFolder(world);

  const options = ['--target', target, '--port', `8080:${port}`, ...placeOptions(world)];
  const bundle = join(folder, 'bundle.tar.gz');
  expect((await saying(said, ['diagnose', '--bundle', bundle])).code).toBe(0);
  expect((await saying(said, ['diagnose'])).stdout).toContain('PLAIN');
  expect((await saying(said, ['diagnose', '--format', 'json'])).stdout).toContain('PLAIN');
  expect((await saying(said, ['status', '--json'])).stdout).toContain(target);
  await saying(said, ['status']);
  await saying(said, ['doctor', '--target', target, ...placeOptions(world).slice(0, 4)]);
  said.push(JSON.stringify(await client.request('kubernetesLocal/diagnostics', { format: 'json' })));
  said.push(JSON.stringify(await client.request('kubernetesLocal/diagnostics', { format: 'text' })));
  // Errors: other options than the session's, a target that is not there, a program that is none.
  expect((await saying(said, ['run', ...options, '--network', 'env', '--', '/bin/true'])).code).not.toBe(0);
  expect((await saying(said, ['run', ...options, '--target', 'deployment/absent', '--', '/bin/true'])).code).toBe(4);
  expect((await saying(said, ['run', ...options, '--', join(folder, 'absent')])).code).toBe(6);

  // A terminal may be looked at; a file that the user asks for is the user's alone.
  const shown = await inTerminal(['env', ...options, '--format', 'dotenv']);
  expect(shown).toContain('PLAIN');
  said.push(shown);
  const own = join(folder, 'own');
  mkdirSync(own, { mode: 0o700 });
  const env = join(own, 'env.json');
  expect((await saying(said, ['env', ...options, '--format', 'json', '--output', env])).code).toBe(0);
  expect(lstatSync(env).mode & 0o777).toBe(0o600);
  expect(JSON.parse(readFileSync(env, 'utf8'))).toMatchObject(planted);

  // One that dies has no time to clean up after itself.
  const [daemon] = processesOf(world.state).filter(({ command }) => isDaemon(command));
  const unpacked = join(folder, 'unpacked');
  mkdirSync(unpacked);
  execFileSync('tar', ['-xzf', bundle, '-C', unpacked]);
  expect(lstatSync(bundle).mode & 0o777).toBe(0o600);
  const logs = filesBeneath(world.state).filter(({ path }) => path.endsWith('.log'));
  expect(logs.map(({ path }) => readFileSync(path, 'utf8')).join('')).toContain('connected');
  const inBundle = filesBeneath(unpacked);
  expect(inBundle.map(({ path }) => path).join()).toContain('diagnosis.json');
  const whileItLives = leaksHere(start, [...inBundle, { path: trace, stat: lstatSync(trace) }]);
  process.kill(daemon?.pid ?? 0, 'SIGKILL');
  await client.waitForEvent('terminated');
  client.endInput();
  await client.exited;
  expect((await saying(said, ['diagnose', '--target', target, ...placeOptions(world).slice(0, 4)])).stdout).toContain(
    'restore',
  );
  expect((await saying(said, ['restore'])).code).toBe(0);
  await world.asBefore(before);
  expectGone(volumes);

  expect(whileItLives).toEqual([]);
  expect(leaksHere(start, [{ path: trace, stat: lstatSync(trace) }]), 'afterwards').toEqual([]);
  expect(leaksIn('what was said', said.join('\n'))).toEqual([]);
  expect(leaksIn('messages of the debug adapter', JSON.stringify(client.transcript))).toEqual([]);
  expect(leaksIn('standard error of the debug adapter', client.stderr)).toEqual([]);
  expect(commandLines.size).toBeGreaterThan(5);
  expect([...commandLines].some((line) => line.includes('vault.py'))).toBe(true);
  expect(leaksIn('a command line', [...commandLines].join('\n'))).toEqual([]);
  // Without these the search would have looked at nothing.
  expect(readFileSync(trace, 'utf8')).toContain('vault.py');
});

/**
 * What is found in the product's own files, whoever may read them, and in all files of the temporary folders that are new and
 * that others may read. The folder of the volumes itself is where the secrets belong: nobody else may enter it.
 */
function leaksHere(start: number, more: readonly FoundFile[]): readonly string[] {
  const own = filesBeneath(world.state);
  const temporary = filesBeneath(join(tmpdir(), `kubernetes-local-${userInfo().uid}`));
  const folders = [...new Set([tmpdir(), '/tmp', '/dev/shm', '/var/tmp'].map((path) => realpathSync(path)))];
  const readable = folders.flatMap((path) =>
    filesBeneath(path, ({ stat }) => (stat.isDirectory() ? (stat.mode & 0o011) !== 0 : isNewAndOpen(stat, start))),
  );
  return leaksInFiles([...own, ...temporary, ...more, ...readable]);
}

function isNewAndOpen(stat: Stats, start: number): boolean {
  return Math.max(stat.mtimeMs, stat.ctimeMs) >= start && (stat.mode & 0o044) !== 0;
}
