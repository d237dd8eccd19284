/** The agent in namespaces that admit only pods without privileges, and in place of a container that runs as root. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { apply } from '../apps/files/files.ts';
import { awaitDeployment, deploymentOf } from '../stage/workloads.ts';
import { openWorld, type World } from '../stage/world.ts';
import { placeOptions, type RunningCommand, startCommand } from './command-line.ts';

const namespace = 'e2e-restricted';
let world: World;

beforeAll(async () => {
  world = await openWorld(namespace);
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** From now on the API server refuses pods that ask for more than this level allows. */
const enforce = (level: 'restricted' | 'baseline') =>
  world.shop.kubectl.run([
    ...['label', '--overwrite', 'namespace', namespace],
    `pod-security.kubernetes.io/enforce=${level}`,
    'pod-security.kubernetes.io/enforce-version=latest',
  ]);

/** A program of the workload that says that it runs here. */
function runHere(target: string): RunningCommand {
  const program =
    "require('node:http').createServer((_, r) => r.end('here')).listen(process.env.KUBERNETES_LOCAL_PORT_8080, '127.0.0.1', () => console.error('up'))";
  const options = ['--target', target, ...placeOptions(world), '--on-port-conflict', 'other-port'];
  return startCommand(world, ['run', ...options, '--', process.execPath, '-e', program]);
}

const insideSchema = z.object({ uid: z.number(), gid: z.number(), status: z.string(), mounts: z.string() });

/** What the agent's own process is, seen from inside its container. */
async function inside(app: string): Promise<{ uid: number; gid: number; status: Map<string, string>; root: string }> {
  const { shop } = world;
  const pods = await shop.kubectl.run([
    ...['get', 'pods', '-n', namespace, '-l', `app=${app}`, '-o'],
    'jsonpath={range .items[?(@.metadata.annotations.kubernetes-local/session)]}{.metadata.name}{"\\n"}{end}',
  ]);
  const [pod = ''] = pods.split('\n');
  const read = `const { readFileSync, statSync } = require('node:fs');
    const { uid, gid } = statSync('/proc/1');
    const [status, mounts] = ['status', 'mounts'].map((name) => readFileSync('/proc/1/' + name, 'utf8'));
    console.log(JSON.stringify({ uid, gid, status, mounts }))`;
  const output = await shop.kubectl.run(['exec', '-n', namespace, pod, '-c', app, '--', '/bin/node', '-e', read]);
  const { uid, gid, status, mounts } = insideSchema.parse(JSON.parse(output));
  const lines = status.split('\n').map((line): [string, string] => {
    const [key = '', value = ''] = line.split(/:\s*/);
    return [key, value];
  });
  const root = mounts.split('\n').find((line) => line.split(' ')[1] === '/') ?? '';
  return { uid, gid, status: new Map(lines), root };
}

async function expectPowerless(app: string): Promise<void> {
  const { status, root } = await inside(app);
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
    expect([set, Number.parseInt(status.get(set) ?? 'x', 16)]).toEqual([set, 0]);
  }
  expect(status.get('NoNewPrivs')).toBe('1');
  // 2: a filter is in force.
  expect(status.get('Seccomp')).toBe('2');
  expect(root.split(' ')[3]?.split(',')).toContain('ro');
}

it('a session stands where only restricted pods are admitted, without any privilege', async () => {
  await enforce('restricted');
  const before = await world.snapshot();
  const command = runHere('cart');
  await command.saw('up');
  expect(await world.shop.request('http://cart/')).toBe('here');
  expect((await inside('cart')).uid).toBe(65_532);
  await expectPowerless('cart');
  command.kill('SIGTERM');
  await command.ended;
  await world.asBefore(before);
});

it('the agent in place of a container that is root is not root, and the user is told', async () => {
  const { kubectl } = world.shop;
  await enforce('baseline');
  const serve = 'mkdir -p /tmp/www; echo there > /tmp/www/index.html; exec busybox httpd -f -p 8080 -h /tmp/www';
  const options = { name: 'rooted', command: ['/bin/sh', '-c', serve], port: 8080 };
  const service = { selector: { app: 'rooted' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] };
  await apply(
    kubectl,
    [
      deploymentOf({
        ...options,
        pod: { securityContext: { runAsUser: 0, runAsGroup: 0 } },
        container: { securityContext: { capabilities: { add: ['NET_BIND_SERVICE'] } } },
      }),
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'rooted' }, spec: service },
    ],
    namespace,
  );
  await awaitDeployment(kubectl, 'rooted', namespace);
  const before = await world.snapshot();
  const command = runHere('rooted');
  await command.saw('up');
  expect(await world.shop.request('http://rooted/')).toBe('here');
  const { uid, gid } = await inside('rooted');
  expect({ uid, gid }).toEqual({ uid: 65_532, gid: 65_532 });
  await expectPowerless('rooted');
  expect(command.stderr()).toContain('Container rooted runs as root, the agent in its place as user 65532');
  command.kill('SIGTERM');
  await command.ended;
  await world.asBefore(before);
  expect((await world.shop.request('http://rooted/')).trim()).toBe('there');
});
