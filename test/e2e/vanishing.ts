/** Sessions whose computer vanishes, as the tests of the reaper need them. */
import { readFileSync, rmSync } from 'node:fs';
import { expect, vi } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { madePart } from '../docs/pages.ts';
import { developer } from '../stage/developer.ts';
import { agentImage, processesOf, type World } from '../stage/world.ts';
import { placeOptions, type RunningCommand, runCommand, startCommand } from './command-line.ts';

const page = 'docs/reaper.md';
/** The reaper of the cart. */
export const reaper = 'kubernetes-local-reaper-deployment-cart';
/** The least that is allowed. */
export const reaperDelay = 30;
export const patience = { timeout: 120_000, interval: 250 };

export const objectSchema = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});

/** The objects of a part of the page, as they stand there. */
export function objectsOf(part: string) {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  const yaml = madePart(page, text, part).replaceAll(/^```.*$/gm, '');
  return parseAllDocuments(yaml).map((document) => objectSchema.parse(document.toJS()));
}

export async function apply(world: World, items: readonly object[]): Promise<void> {
  await world.shop.kubectl.run(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

/** Takes the documented Role with which a session makes a reaper from the developer. */
export async function forbidReapers(world: World): Promise<void> {
  const { kubectl, namespace } = world.shop;
  const [role] = objectsOf('maker');
  if (role === undefined) throw new Error(`${page} has no Role`);
  await kubectl.run(['delete', 'rolebinding', role.metadata.name, '-n', namespace]);
  const question = ['auth', 'can-i', 'create', 'rolebindings', '-n', namespace, '--as', developer];
  await vi.waitFor(() => expect(kubectl.run(question)).rejects.toThrow('no'), patience);
}

/** A StatefulSet, a DaemonSet and a bare pod, all of one small pod that does nothing. */
export async function deployOthers(world: World): Promise<void> {
  const { kubectl, namespace } = world.shop;
  const objects = (['StatefulSet', 'DaemonSet', 'Pod'] as const).map((kind) => {
    const own = `idle-${kind.toLowerCase()}`;
    const labels = { app: own };
    const idle = {
      name: 'idle',
      image: 'kubernetes-local.test/busybox:1',
      imagePullPolicy: 'IfNotPresent',
      command: ['/bin/sleep', '1000000'],
      ports: [{ containerPort: 8080 }],
    };
    const pod = { terminationGracePeriodSeconds: 0, containers: [idle] };
    const metadata = { name: own, namespace, labels };
    if (kind === 'Pod') return { apiVersion: 'v1', kind, metadata, spec: pod };
    const template = { metadata: { labels }, spec: pod };
    const spec = { selector: { matchLabels: labels }, template, ...(kind === 'StatefulSet' && { serviceName: own }) };
    return { apiVersion: 'apps/v1', kind, metadata, spec };
  });
  await apply(world, objects);
  const ready = ['--for=condition=Ready', '-n', namespace, '--timeout=60s'];
  await vi.waitFor(
    () => kubectl.run(['wait', 'pod', '-l', 'app in (idle-statefulset,idle-daemonset,idle-pod)', ...ready]),
    patience,
  );
}
/** What `deployOthers` makes, as targets. */
export const others = ['statefulset/idle-statefulset', 'daemonset/idle-daemonset', 'pod/idle-pod'];

/** A session that stands. */
export async function connect(
  world: World,
  more: readonly string[] = [],
  target = 'deployment/cart',
): Promise<RunningCommand> {
  const options = ['--target', target, '--network', 'env', ...placeOptions(world)];
  const command = startCommand(world, ['connect', ...options, ...more]);
  await command.saw('Ready.');
  return command;
}

/** What `status` says of each session about a vanishing computer. */
export async function outlooks(world: World): Promise<readonly string[]> {
  const { stdout } = await runCommand(world, ['status', '--json']);
  const connection = z.looseObject({ ifVanished: z.string() });
  const sessions = z.array(z.looseObject({ status: z.looseObject({ connection }) })).parse(JSON.parse(stdout));
  return sessions.map(({ status }) => status.connection.ifVanished);
}

/** No process of the product lives on, and nothing of what it has written down. */
export async function vanish(world: World, ...commands: readonly RunningCommand[]): Promise<void> {
  for (const { pid } of processesOf(world.state)) process.kill(pid, 'SIGKILL');
  await Promise.all(commands.map(({ ended }) => ended));
  await vi.waitFor(() => expect(processesOf(world.state)).toEqual([]), patience);
  rmSync(world.state, { recursive: true, force: true });
}

/** The names of the pods of the cart, and whether each is ready and runs the agent. */
export async function pods(world: World): Promise<readonly { readonly ready: boolean; readonly agent: boolean }[]> {
  const schema = z.object({
    items: z.array(
      z.looseObject({
        spec: z.object({ containers: z.array(z.looseObject({ image: z.string() })) }),
        status: z.looseObject({ conditions: z.array(z.looseObject({ type: z.string(), status: z.string() })) }),
      }),
    ),
  });
  const { kubectl, namespace } = world.shop;
  const list = schema.parse(await kubectl.json(['get', 'pods', '-n', namespace, '-l', 'app=cart']));
  return list.items.map(({ spec, status }) => ({
    ready: status.conditions.some(({ type, status: is }) => type === 'Ready' && is === 'True'),
    agent: spec.containers.some(({ image }) => image === agentImage),
  }));
}

/** Empty if the workload has none of this name. */
export async function annotation(world: World, key: string, workload = 'deployment/cart'): Promise<string> {
  const path = `jsonpath={.metadata.annotations.${key.replaceAll('.', '\\.')}}`;
  return await world.shop.kubectl.run(['get', workload, '-n', world.shop.namespace, '-o', path]);
}
