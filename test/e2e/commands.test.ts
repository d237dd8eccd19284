/** `connect`, `run`, `status` and `restore` as a user of a terminal or a script sees them. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Snapshot } from '../stage/snapshot.ts';
import { isDaemon, openWorld, processesOf, type World } from '../stage/world.ts';
import { type Ended, freePort, placeOptions, type RunningCommand, runCommand, startCommand } from './command-line.ts';

const namespace = 'e2e-commands';
const python = '/usr/bin/python3';
const running: RunningCommand[] = [];
let world: World;
let before: Snapshot;
let port: number;

beforeAll(async () => {
  world = await openWorld(namespace);
  port = await freePort();
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(async () => {
  before = await world.snapshot();
});
// What each test leaves is compared with the snapshot after it.
afterEach(async () => {
  for (const command of running.splice(0)) command.kill('SIGKILL');
  await world.asBefore(before);
});

function options(local = port): readonly string[] {
  return ['--target', 'cart', '--port', `http:${local}`, ...placeOptions(world)];
}

function start(args: readonly string[]): RunningCommand {
  const command = startCommand(world, args);
  running.push(command);
  return command;
}

async function connected(...more: readonly string[]): Promise<RunningCommand> {
  const command = start(['connect', ...options(), ...more]);
  await command.saw('Ready.');
  return command;
}

function run(program: string, ...args: readonly string[]): Promise<Ended> {
  return start(['run', ...options(), '--', python, '-c', program, ...args]).ended;
}

async function statusOf(): Promise<unknown> {
  const { code, stdout, stderr } = await runCommand(world, ['status', '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

function daemon(): number {
  const [found, ...others] = processesOf(world.state).filter(({ command }) => isDaemon(command));
  expect(others).toEqual([]);
  return found?.pid ?? 0;
}

describe('run', () => {
  it('gives the program the container’s environment and its arguments, and ends with its exit code', async () => {
    const program = 'import json, os, sys; print(json.dumps([dict(os.environ), sys.argv[1:]])); sys.exit(7)';
    const { code, stdout, stderr } = await run(program, 'two words', '$HOME', '"', '--target');
    expect(code).toBe(7);
    const [environment, args] = JSON.parse(stdout);
    expect(environment).toMatchObject({
      GREETING: 'Good to see you.\nTake your time — the coffee is on the house.',
      PAYMENT_TOKEN: 'tok_demo_4f9c2b7e61',
      POD_NAMESPACE: namespace,
      PRICES_SERVICE_PORT: '80',
      KUBERNETES_LOCAL_SESSION: expect.stringMatching(/^[0-9a-f-]{36}$/),
      PATH: process.env.PATH,
    });
    expect(args).toEqual(['two words', '$HOME', '"', '--target']);
    expect(stderr).toContain('Everything is as it was before.');
    expect(stderr).not.toContain('tok_demo_4f9c2b7e61');
  });

  it('passes SIGTERM on and ends as a shell says that the program ended', async () => {
    const program = 'import signal, sys; print("up", file=sys.stderr, flush=True); signal.pause()';
    const command = start(['run', ...options(), '--', python, '-c', program]);
    await command.saw('up\n');
    command.kill('SIGTERM');
    expect(await command.ended).toMatchObject({ code: 128 + 15, signal: null });
  });

  it('passes SIGINT on and lets the program end in its own way', async () => {
    const program = [
      'import signal, sys',
      'signal.signal(signal.SIGINT, lambda *_: (print("closing"), sys.exit(3)))',
      'print("up", file=sys.stderr, flush=True)',
      'signal.pause()',
    ].join('\n');
    const command = start(['run', ...options(), '--', python, '-c', program]);
    await command.saw('up\n');
    command.kill('SIGINT');
    expect(await command.ended).toMatchObject({ code: 3, stdout: 'closing\n' });
  });

  it('says so and ends the program when the session is lost; restore undoes what is left', async () => {
    const program = 'import signal, sys; print("up", file=sys.stderr, flush=True); signal.pause()';
    const command = start(['run', ...options(), '--', python, '-c', program]);
    await command.saw('up\n');
    process.kill(daemon(), 'SIGKILL');
    const { code, stderr } = await command.ended;
    expect(stderr).toMatch(/^error \(daemon-failed\): /m);
    expect(stderr).toContain('kubernetes-local restore');
    expect(code).toBe(5);

    // Any other command would begin the undo beside itself (replay.test.ts).
    const restored = await runCommand(world, ['restore']);
    expect(restored.code).toBe(0);
    expect(restored.stderr).toMatch(/Undoing cart in e2e-commands .*\n(.*\n)*Undone\.\n/);
  });
});

describe('connect', () => {
  it.each(['SIGTERM', 'SIGHUP'] as const)('stands until %s', async (signal) => {
    const command = await connected();
    expect(command.stderr()).toContain(`requests for port 8080 reach 127.0.0.1:${port}`);
    command.kill(signal);
    const { code, stdout, stderr } = await command.ended;
    expect(stderr).toMatch(/Everything is as it was before\.\n$/);
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });

  it('says with --timings where the time of connecting and disconnecting went', async () => {
    const command = await connected('--timings');
    command.kill('SIGTERM');
    const { code, stderr } = await command.ended;
    const [, connect = '', disconnect = ''] = stderr.split('Where the time went:\n');
    const step = (name: string) => new RegExp(`^ +\\d+\\.\\d\\d s +\\d+\\.\\d\\d s  [·█]{24} +${name}$`, 'm');
    for (const name of ['connect', 'rights', 'the rollout of the agent', String.raw`the tunnel to cart-\S+`]) {
      expect(connect).toMatch(step(name));
    }
    for (const name of ['disconnect', 'the undo', 'the old pods', 'the Lease']) expect(disconnect).toMatch(step(name));
    expect(code).toBe(0);
  });

  it('can be given up while it connects', async () => {
    const command = start(['connect', ...options()]);
    await command.saw('Putting the agent in place');
    command.kill('SIGINT');
    const { code, stderr } = await command.ended;
    expect(stderr).toMatch(/^error \(cancelled\): /m);
    expect(code).toBe(130);
  });

  it.each([
    ['while it connects', 'Putting the agent in place'],
    ['while it stands', 'Ready.'],
  ])('says that the daemon was ended %s, and all is undone', async (_when, sign) => {
    const command = start(['connect', ...options()]);
    await command.saw(sign);
    process.kill(daemon(), 'SIGTERM');
    const { code, stderr } = await command.ended;
    expect(stderr).toMatch(/^error \(daemon-failed\): The session daemon was ended: SIGTERM\.$/m);
    expect(code).toBe(5);
  });

  it('is shared by two at once: the first to leave lets it stand, the last undoes it', async () => {
    const both = await Promise.all([connected(), connected()]);
    const [first, second] = both;
    expect(await statusOf()).toEqual([
      expect.objectContaining({
        status: expect.objectContaining({
          state: 'connected',
          clients: expect.arrayContaining(both.map(({ pid }) => pid)),
        }),
      }),
    ]);
    first.kill('SIGINT');
    const left = await first.ended;
    expect(left.code).toBe(0);
    expect(left.stderr).toMatch(/The session stands on for its other clients\.\n$/);
    expect(await statusOf()).toMatchObject([{ status: { state: 'connected', clients: [second.pid] } }]);
    second.kill('SIGINT');
    const last = await second.ended;
    expect(last.code).toBe(0);
    expect(last.stderr).toMatch(/Everything is as it was before\.\n$/);
    expect(await statusOf()).toEqual([]);
  });

  it('lends its session to run, whose end does not end it', async () => {
    const command = await connected();
    const { code, stderr } = await run('pass');
    expect(code).toBe(0);
    expect(stderr).toContain('The session stands on for its other clients.');
    expect(await statusOf()).toMatchObject([{ status: { state: 'connected', clients: [command.pid] } }]);
    command.kill('SIGINT');
    expect((await command.ended).code).toBe(0);
  });

  it('says what could not be undone when a right is taken away meanwhile; restore goes on when it is back', async () => {
    const user = 'commands-tester';
    const kubectl = (...args: readonly string[]) => world.shop.kubectl.run(['-n', namespace, ...args]);
    const give = () => kubectl('create', 'rolebinding', user, '--clusterrole=admin', `--user=${user}`);
    // The role `admin` leaves Leases out.
    await kubectl('create', 'role', user, '--verb=*', '--resource=leases.coordination.k8s.io');
    await kubectl('create', 'rolebinding', `${user}-leases`, `--role=${user}`, `--user=${user}`);
    await give();
    const command = await connected('--kubeconfig', await world.cluster.userKubeconfig(user));
    await kubectl('delete', 'rolebinding', user);
    command.kill('SIGINT');
    const { code, stderr } = await command.ended;
    expect(stderr).toMatch(/^error \(undo-incomplete\): /m);
    expect(stderr).toContain(user);
    expect(stderr).toMatch(/cannot (get|patch) resource "deployments"/);
    expect(stderr).toContain('kubernetes-local restore');
    expect(code).toBe(7);

    const refused = await runCommand(world, ['restore']);
    expect(refused.stderr).toMatch(/^error \(undo-incomplete\): /m);
    expect(refused.code).toBe(7);

    await give();
    expect(await runCommand(world, ['restore'])).toMatchObject({ code: 0 });
    await kubectl('delete', 'rolebinding', user, `${user}-leases`);
    await kubectl('delete', 'role', user);
  });
});

describe('status', () => {
  it('says that there is no session', async () => {
    expect(await runCommand(world, ['status'])).toEqual({ code: 0, signal: null, stdout: 'No session.\n', stderr: '' });
    expect(await statusOf()).toEqual([]);
  });

  it('shows what a session holds', async () => {
    const command = await connected();
    const { stdout } = await runCommand(world, ['status']);
    expect(stdout).toMatch(
      new RegExp(
        `^cart in ${namespace} of ${world.cluster.name}: connected since 20\\S+Z, daemon ${daemon()}, clients ${command.pid}\n` +
          '  workload deployment/cart, container cart\n' +
          '  If this computer vanishes: [^\n]+\n' +
          '(  pod cart-\\S+: \\d+ streams, round trip \\d+\\.\\d ms\n){2}' +
          '  key [0-9a-f]{16}\n' +
          '  no open connection from the cluster\n' +
          '  network mode hosts[^]*' +
          `  port 8080 → 127\\.0\\.0\\.1:${port}`,
      ),
    );
    expect(stdout).toMatch(/^ {2}prices\S* +127\.\d+\.\d+\.\d+ +80 .*open$/m);
    expect(await statusOf()).toMatchObject([
      {
        target: 'cart',
        place: `${namespace} of ${world.cluster.name}`,
        status: {
          state: 'connected',
          clients: [command.pid],
          connection: { workload: 'deployment/cart', ports: [{ containerPort: 8080, localPort: port }] },
        },
      },
    ]);
    command.kill('SIGINT');
    await command.ended;
  });
});

describe('restore', () => {
  it('has nothing to do where nothing was left', async () => {
    const { code, stdout, stderr } = await runCommand(world, ['restore']);
    expect(stderr).toBe('Nothing was left behind.\n');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '' });
  });

  it('leaves a session that lives alone', async () => {
    const command = await connected();
    const { code, stderr } = await runCommand(world, ['restore']);
    expect(stderr).toMatch(/^Session \S+ is alive and was left alone\.$/m);
    expect(code).toBe(0);
    expect(await statusOf()).toMatchObject([{ status: { state: 'connected', clients: [command.pid] } }]);
    command.kill('SIGINT');
    expect((await command.ended).code).toBe(0);
  });
});
