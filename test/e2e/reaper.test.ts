/** A computer that vanishes for good: what the reaper in the cluster does about it, and what is possible without one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { openWorld, processesOf, type World } from '../stage/world.ts';
import { placeOptions, runCommand } from './command-line.ts';
import {
  annotation,
  connect,
  deployOthers,
  forbidReapers,
  objectsOf,
  others,
  outlooks,
  patience,
  pods,
  reaper,
  reaperDelay,
  vanish,
} from './vanishing.ts';

let withRights: World;
let without: World;
/** The same cluster and namespace, from another computer. */
let asleep: World;
beforeAll(async () => {
  [withRights, without] = await Promise.all([openWorld('e2e-reaper'), openWorld('e2e-no-reaper')]);
  const state = mkdtempSync(join(tmpdir(), 'kubernetes-local-state-'));
  asleep = { ...withRights, state, environment: { ...withRights.environment, KUBERNETES_LOCAL_STATE: state } };
  await Promise.all([deployOthers(withRights), forbidReapers(without)]);
});
afterAll(async () => {
  if (asleep) rmSync(asleep.state, { recursive: true, force: true });
  await Promise.all([withRights, without].map((world) => world?.[Symbol.asyncDispose]()));
});

const demanded = ['--reaper', 'require', '--reaper-delay', String(reaperDelay)];

it.concurrent('what a vanished computer left comes back by itself, and who is back in time keeps the session', async () => {
  const world = withRights;
  const { kubectl, namespace } = world.shop;
  const before = await world.snapshot();
  const [sleeper, ...commands] = await Promise.all([
    connect(asleep, demanded, 'deployment/prices'),
    ...['deployment/cart', ...others].map((target) => connect(world, demanded, target)),
  ]);
  for (const outlook of await outlooks(world)) {
    expect(outlook).toBe('If this computer vanishes: the original comes back after 30 s (reaper).');
  }
  expect(await annotation(world, 'kubernetes-local/help')).toMatch(
    new RegExp(
      `^${userInfo().username} on .+ debugs container cart .*kubernetes-local restore --namespace ${namespace}$`,
    ),
  );
  const role = await kubectl.json(['get', 'role', reaper, '-n', namespace]);
  const [documented] = objectsOf('own');
  expect(z.looseObject({ rules: z.unknown() }).parse(role).rules).toEqual(documented?.rules);

  const session = await annotation(asleep, 'kubernetes-local/session', 'deployment/prices');
  const processes = processesOf(asleep.state).map(({ pid }) => pid);
  for (const pid of processes) process.kill(pid, 'SIGSTOP');
  await vanish(world, ...commands);
  await vi.waitFor(async () => {
    const agents = (await pods(world)).filter(({ agent }) => agent);
    expect(agents).not.toEqual([]);
    expect(agents.map(({ ready }) => ready)).toEqual(agents.map(() => false));
  }, patience);
  const lease = ['get', 'lease', 'kubernetes-local-deployment-prices', '-n', namespace];
  const renewal = () => kubectl.run([...lease, '-o', 'jsonpath={.spec.renewTime}']);
  const last = await renewal();
  // 20 seconds later others may take it; the reaper still waits.
  await vi.waitFor(() => expect(Date.now() - Date.parse(last)).toBeGreaterThan(25_000), patience);
  for (const pid of processes) process.kill(pid, 'SIGCONT');
  await vi.waitFor(async () => expect(await renewal()).not.toBe(last), patience);

  const replacedBy = () => annotation(world, 'kubernetes-local/session');
  await vi.waitFor(async () => expect(await replacedBy()).toBe(''), patience);
  expect(await annotation(asleep, 'kubernetes-local/session', 'deployment/prices')).toBe(session);
  sleeper.kill('SIGINT');
  expect((await sleeper.ended).stderr).toContain('Everything is as it was before.');
  await asleep.asBefore(before, asleep.state);
}, 240_000);

it.concurrent('without the rights a demanded reaper is an error, and a colleague restores what a vanished computer left', async () => {
  const world = without;
  const { kubectl, namespace } = world.shop;
  const before = await world.snapshot();
  const options = ['--target', 'deployment/cart', '--network', 'env', ...placeOptions(world)];
  const refused = await runCommand(world, ['connect', ...options, '--reaper', 'require']);
  expect(refused.stderr).toContain('error (reaper-unavailable)');
  expect(refused.stderr).toContain('you may not create serviceaccounts, get serviceaccounts, delete serviceaccounts');
  expect(refused.code).toBe(4);
  await world.asBefore(before);

  const command = await connect(world);
  expect((await outlooks(world))[0]).toContain('There is no reaper: you may not create serviceaccounts');
  await expect(kubectl.run(['get', 'deployment', reaper, '-n', namespace])).rejects.toThrow('NotFound');
  await vanish(world, command);
  const restored = 'Undoing the session on deployment/cart';
  await vi.waitFor(async () => {
    const { stderr, code } = await runCommand(world, ['restore', '--namespace', namespace]);
    expect({ code, undone: stderr.includes(restored) }).toEqual({ code: 0, undone: true });
  }, patience);
  await world.asBefore(before);
});
