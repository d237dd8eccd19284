/** A server that only pods can reach, by a name that only the cluster knows, from the program in each network mode. */
import { lookup } from 'node:dns/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { apply } from '../apps/files/files.ts';
import { ensurePackages } from '../cluster/packages.ts';
import { asNobody } from '../stage/other-user.ts';
import type { Snapshot } from '../stage/snapshot.ts';
import { awaitDeployment, deploymentOf, namespacesOf } from '../stage/workloads.ts';
import { openWorld, type World } from '../stage/world.ts';
import { freePort, placeOptions, runCommand } from './command-line.ts';
import { startWorkbench, type Workbench } from './workbench.ts';

const namespace = 'e2e-external';
/** No session is told of this one. */
const outside = 'e2e-outside';
const host = `db.${outside}.svc.cluster.local`;
const port = 5432;
const python = '/usr/bin/python3';
let root: World;

/** A pod that says its words on its port as soon as somebody calls. */
function speaker(name: string, at: number) {
  const command = ['/bin/sh', '-c', `exec busybox nc -ll -p ${at} -e /bin/echo ${name} speaks first`];
  return deploymentOf({ name, command, port: at });
}

beforeAll(async () => {
  await ensurePackages(['passt', 'util-linux', 'iproute2']);
  root = await openWorld(namespace, async (kubectl) => {
    await apply(kubectl, namespacesOf([namespace, outside]));
    await apply(kubectl, [speaker('client', 8080)], namespace);
    const headless = { clusterIP: 'None', selector: { app: 'outside' }, ports: [{ port }] };
    const db = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'db' }, spec: headless };
    await apply(kubectl, [speaker('outside', port), db], outside);
    await Promise.all([awaitDeployment(kubectl, 'client', namespace), awaitDeployment(kubectl, 'outside', outside)]);
    return { kubectl, namespace, request: async () => '' };
  });
});
afterAll(async () => {
  await root?.shop.kubectl.run(['delete', 'namespace', outside, '--wait=false', '--ignore-not-found']);
  await root?.[Symbol.asyncDispose]();
});

/** Prints what a server says before it is asked, or why it cannot be called. */
const listen = `
import os, socket, sys
host, port = [os.environ.get(word[1:], "") if word.startswith("$") else word for word in sys.argv[1:]]
try:
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        print(connection.makefile().read().strip())
except OSError as error:
    print("error:", error)
`;

const answerSchema = z.array(z.object({ status: z.object({ connection: z.object({ services: z.unknown() }) }) }));

describe.each(['hosts', 'namespace', 'env'] as const)('mode %s', (mode) => {
  let world: World;
  let before: Snapshot;
  let bench: Workbench;

  beforeAll(async () => {
    world = mode === 'namespace' ? asNobody(root) : root;
    before = await root.snapshot();
    const local = mode === 'namespace' ? 8080 : await freePort();
    const options = ['--target', 'deployment/client', '--network', mode, '--port', `8080:${local}`];
    bench = await startWorkbench(world, [...options, '--external', `${host}:${port}`]);
  });
  afterAll(async () => {
    const code = await bench?.end();
    await root.asBefore(before, world.state);
    if (world !== root) await world[Symbol.asyncDispose]();
    expect(code).not.toBe(null);
  });

  async function heard(name: string, at: string): Promise<string> {
    const { stdout, stderr } = await bench.run([python, '-c', listen, name, at]);
    expect(stderr).toBe('');
    return stdout.trim();
  }

  it('reaches it from the program', async () => {
    // In mode env names cannot work; its variables are called as those of a Service of that name would be.
    const prefix = `$${host.replaceAll(/[-.]/g, '_').toUpperCase()}_SERVICE`;
    const [name, at] = mode === 'env' ? [`${prefix}_HOST`, `${prefix}_PORT`] : [host, String(port)];
    expect(await heard(name, at)).toBe('outside speaks first');
  });

  it('reaches no other port of it, and nothing else of that namespace', async () => {
    expect(await heard(host, '5433')).toContain('error:');
    expect(await heard(`outside.${outside}.svc.cluster.local`, String(port))).toContain('error:');
  });

  it('says in the status where it is', async () => {
    const { stdout } = await runCommand(world, ['status', '--json']);
    const [session] = answerSchema.parse(JSON.parse(stdout));
    expect(session?.status.connection.services).toContainEqual(
      expect.objectContaining({ names: [host], ports: [expect.objectContaining({ port })] }),
    );
  });
});

it('is not known on this computer without a session', async () => {
  await expect(lookup(host)).rejects.toThrow();
});

it.each(['db.example.net', 'db.example.net:99999', ':5432', 'http://db.example.net:5432'])(
  'refuses "%s" before anything is changed',
  async (text) => {
    const before = await root.snapshot();
    const options = ['--target', 'deployment/client', '--network', 'env', ...placeOptions(root)];
    const { code, stdout, stderr } = await runCommand(root, ['run', ...options, '--external', text, '--', '/bin/true']);
    expect(stderr).toMatch(/^error \(bad-value\): /m);
    expect(stderr).toContain(text);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    await root.asBefore(before);
  },
);
