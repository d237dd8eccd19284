/**
 * Every kind of name, called by real programs in four languages, in each network mode on the real cluster; and what
 * happens to the names while the session stands. Mode `namespace` runs as a user without any privileges.
 */
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { deployNames, expectations, namesTarget, variableExpectations } from '../apps/names/names.ts';
import { ensurePackages } from '../cluster/packages.ts';
import { type ProbeAnswer, probe, probeLanguages, readAnswers } from '../probes/probes.ts';
import { grant } from '../stage/developer.ts';
import { asNobody } from '../stage/other-user.ts';
import type { Snapshot } from '../stage/snapshot.ts';
import { openWorld, type World } from '../stage/world.ts';
import { freePort, placeOptions, runCommand, startCommand } from './command-line.ts';
import { startWorkbench, type Workbench } from './workbench.ts';

const place = { session: 'e2e-names', other: 'e2e-names-other' };
const patience = { timeout: 60_000, interval: 200 };
let root: World;

beforeAll(async () => {
  await ensurePackages(['passt', 'util-linux', 'iproute2']);
  for (const language of probeLanguages) await probe(language);
  root = await openWorld(place.session, async (kubectl, namespace) => {
    await deployNames(kubectl, place);
    await grant(kubectl, place.other, ['names']);
    const inside = ['exec', '-n', namespace, 'deployment/catalogue', '--'];
    return {
      kubectl,
      namespace,
      request: (url) => kubectl.run([...inside, 'timeout', '60', 'wget', '-q', '-O', '-', url]),
    };
  });
});
afterAll(async () => {
  await root?.shop.kubectl.run(['delete', 'namespace', place.other, '--wait=false', '--ignore-not-found']);
  await root?.[Symbol.asyncDispose]();
});

const statusSchema = z.array(
  z.object({
    status: z.object({
      connection: z.object({
        network: z.object({ mode: z.string(), reason: z.string() }),
        services: z.array(
          z.object({
            names: z.array(z.string()),
            address: z.string(),
            ports: z.array(z.object({ port: z.number(), localPort: z.number() })),
          }),
        ),
      }),
    }),
  }),
);

describe.each(['hosts', 'namespace', 'env'] as const)('mode %s', (mode) => {
  let world: World;
  let before: Snapshot;
  let bench: Workbench;
  let port = 0;

  beforeAll(async () => {
    world = mode === 'namespace' ? asNobody(root) : root;
    before = await root.snapshot();
    // A private network has ports of its own, also that of a Service (catalogue-pods); elsewhere a free one is needed.
    port = mode === 'namespace' ? 8080 : await freePort();
    const options = ['--target', namesTarget, '--network', mode, '--also-namespace', place.other];
    bench = await startWorkbench(world, [...options, '--port', `8080:${port}`]);
  });
  afterAll(async () => {
    const code = await bench?.end();
    await root.asBefore(before, world.state);
    if (world !== root) await world[Symbol.asyncDispose]();
    expect(code).not.toBe(null);
  });

  /** Where a name and port of the cluster are to be called in this mode. */
  async function callable(name: string, wanted: number): Promise<readonly [string, string]> {
    if (mode !== 'env') return [name, String(wanted)];
    const { stdout } = await runCommand(world, ['status', '--json']);
    const [session] = statusSchema.parse(JSON.parse(stdout));
    const found = session?.status.connection.services.find(({ names }) => names.includes(name));
    const local = found?.ports.find((each) => each.port === wanted)?.localPort ?? 1;
    return [found?.address ?? '127.0.0.1', String(local)];
  }

  async function call(name: string, wanted: number): Promise<ProbeAnswer> {
    const { stdout, stderr } = await bench.run([...(await probe('python')), ...(await callable(name, wanted))]);
    const [answer] = readAnswers(stdout);
    if (answer === undefined) throw new Error(stderr);
    return answer;
  }

  it.each(probeLanguages)('reaches every name and port from %s', async (language) => {
    const wanted =
      mode === 'env'
        ? variableExpectations(place).map(({ variable, ...rest }) => ({ target: variable, ...rest }))
        : expectations(place).map(({ host, ...rest }) => ({ target: host, ...rest }));
    const targets = wanted.flatMap(({ target, port: each }) => [target, String(each)]);
    const argv = [...(await probe(language)), ...(mode === 'env' ? ['--env'] : []), ...targets];
    const { stdout, stderr } = await bench.run(argv);
    expect(stderr).toBe('');
    const answers = readAnswers(stdout);
    expect(answers.map(({ target, port: each }) => `${target}:${each}`)).toEqual(
      wanted.map(({ target, port: each }) => `${target}:${each}`),
    );
    const wrong = answers.filter((answer, index) => !wanted[index]?.answers.includes(answer.body?.trim() ?? ''));
    expect(wrong).toEqual([]);
  });

  it('follows a Service that appears and vanishes', async () => {
    const { kubectl } = root.shop;
    const late = ['service', 'late', '-n', place.session];
    await kubectl.run(['create', 'service', 'clusterip', 'late', '--tcp=81:8080', '-n', place.session]);
    try {
      await kubectl.run(['set', 'selector', ...late, 'app=prices']);
      await expect.poll(async () => (await call('late', 81)).body?.trim(), patience).toBe('prices of the session');
    } finally {
      await kubectl.run(['delete', ...late]);
    }
    await expect.poll(async () => (await call('late', 81)).error ?? '', patience).not.toBe('');
  });

  it('follows a pod of a StatefulSet to its next address', async () => {
    await root.shop.kubectl.run(['delete', 'pod', 'db-1', '-n', place.session]);
    await root.shop.kubectl.run(['rollout', 'status', 'statefulset/db', '-n', place.session, '--timeout=120s']);
    await expect.poll(async () => (await call('db-1.db', 5432)).body?.trim(), patience).toBe('db-1');
  });

  it('refuses a port that the Service does not have', async () => {
    const [host] = await callable('prices', 80);
    const { stdout } = await bench.run([...(await probe('python')), host, '4242']);
    expect(readAnswers(stdout)).toMatchObject([{ error: expect.any(String) }]);
  });

  it('serves the cluster, and this computer, from the program', async () => {
    // In a private network nothing is in the way of a program that listens on all addresses at a Service's own port.
    await bench.serve(mode === 'namespace' ? '0.0.0.0' : '127.0.0.1', port, 'from the workbench');
    expect(await root.shop.request(`http://workbench.${place.session}/`)).toBe('from the workbench');
    const here = async () => {
      const response = await new Promise<import('node:http').IncomingMessage>((resolve, reject) =>
        get({ host: '127.0.0.1', port }, resolve).once('error', reject),
      );
      return text(response);
    };
    await expect.poll(() => here().catch(String), patience).toBe('from the workbench');
  });

  it('says in the status which mode it is, and every name', async () => {
    const { stdout } = await runCommand(world, ['status']);
    expect(stdout).toContain(mode);
    for (const name of ['prices', 'db-0.db', `prices.${place.other}`, 'goods']) expect(stdout).toContain(name);
  });
});

describe('mode auto', () => {
  let nobody: World;
  let before: Snapshot;
  beforeAll(async () => {
    nobody = asNobody(root);
    before = await root.snapshot();
  });
  afterAll(() => nobody?.[Symbol.asyncDispose]());

  /** What the user is told about the mode that was taken. */
  async function said(world: World, command: 'run' | 'connect'): Promise<string> {
    const options = ['--target', namesTarget, '--port', `8080:${await freePort()}`, ...placeOptions(world)];
    const program = command === 'run' ? ['--', '/bin/true'] : [];
    const session = startCommand(world, [command, ...options, ...program]);
    await session.saw('Network mode');
    if (command === 'connect') {
      await session.saw('Ready.');
      session.kill('SIGINT');
    }
    const { stderr } = await session.ended;
    await root.asBefore(before, world.state);
    return stderr.split('\n').find((line) => line.includes('Network mode')) ?? '';
  }

  it('takes hosts for root', async () => {
    expect(await said(root, 'run')).toContain('Network mode hosts, because it needs no question here: you are root.');
  });

  it('takes a private network for a user without privileges', async () => {
    expect(await said(nobody, 'run')).toContain('Network mode namespace, because it needs no privileges.');
  });

  it('takes env where the user without privileges starts the program, and says why', async () => {
    const line = await said(nobody, 'connect');
    expect(line).toContain('Network mode env');
    expect(line).toContain('Mode hosts is not possible: The names of the cluster need privileges');
  });

  it('does not go on to another mode than the one that was asked for', async () => {
    const options = ['--target', namesTarget, '--network', 'hosts', ...placeOptions(nobody)];
    const { code, stderr } = await startCommand(nobody, ['run', ...options, '--', '/bin/true']).ended;
    expect(code).toBe(5);
    expect(stderr).toContain('sudo');
    await root.asBefore(before, nobody.state);
  });
});
