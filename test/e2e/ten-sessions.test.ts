/** Ten sessions of one user on ten workloads at the same time. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Snapshot } from '../stage/snapshot.ts';
import type { World } from '../stage/world.ts';
import { placeOptions, runCommand, startCommand } from './command-line.ts';
import { openSmallWorld } from './small-world.ts';

const names = Array.from({ length: 10 }, (_, index) => `shop-${index}`);
let world: World;
let before: Snapshot;
const servers: Server[] = [];
beforeAll(async () => {
  world = await openSmallWorld('e2e-ten-sessions', names);
  before = await world.snapshot();
});
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});
afterAll(() => world?.[Symbol.asyncDispose]());

/** A program on this computer that answers that it is this computer's. */
async function program(name: string): Promise<number> {
  const server = createServer((_, response) => response.end(`${name} on this computer`));
  servers.push(server);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

it('all stand, each gets its own requests, and all is as before when they end', async () => {
  const ports = await Promise.all(names.map(program));
  const commands = names.map((name, index) =>
    startCommand(world, ['connect', '--target', name, '--port', `http:${ports[index]}`, ...placeOptions(world)]),
  );
  await Promise.all(commands.map((command) => command.saw('Ready.')));
  const { sessions, unlisted } = JSON.parse((await runCommand(world, clusterStatus())).stdout);
  expect(unlisted).toEqual([]);
  expect(sessions).toMatchObject(
    names.map((name) => ({ workload: `deployment/${name}`, alive: true, replaced: true })),
  );
  expect(JSON.parse((await runCommand(world, ['status', '--json'])).stdout)).toHaveLength(names.length);
  const answers = await Promise.all(names.map((name) => world.shop.request(`http://${name}/`)));
  expect(answers).toEqual(names.map((name) => `${name} on this computer`));
  for (const command of commands) command.kill('SIGINT');
  const ends = await Promise.all(commands.map(({ ended }) => ended));
  expect(ends.map(({ stderr }) => stderr.trimEnd().split('\n').at(-1))).toEqual(
    names.map(() => 'Everything is as it was before.'),
  );
  await world.asBefore(before);
  expect(await Promise.all(names.map((name) => world.shop.request(`http://${name}/`)))).toEqual(
    names.map((name) => `${name}\n`),
  );
  const none = await runCommand(world, clusterStatus('text'));
  expect(none.stdout).toBe(`No session in ${world.place.namespace} of ${world.cluster.name}.\n`);
}, 180_000);

function clusterStatus(form: 'json' | 'text' = 'json'): readonly string[] {
  const { kubeconfig, namespace } = world.place;
  const place = ['--kubeconfig', kubeconfig, '--namespace', namespace];
  return ['status', '--cluster', ...place, ...(form === 'json' ? ['--json'] : [])];
}
