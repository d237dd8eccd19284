/**
 * The files of a pod's volumes on this computer: at their own paths, beneath KUBERNETES_LOCAL_MOUNTS, and by links of the
 * user's choice; what changes in the cluster, what goes back, what is left out, and that nothing of it stays.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import {
  apiMounts,
  apply,
  comparable,
  deployFiles,
  filesPort,
  filesTarget,
  listing,
  podMounts,
  removeFiles,
  shell,
  singleFile,
  withoutModes,
} from '../apps/files/files.ts';
import { ensurePackages } from '../cluster/packages.ts';
import { madePart } from '../docs/pages.ts';
import { asNobody } from '../stage/other-user.ts';
import type { Snapshot } from '../stage/snapshot.ts';
import { isDaemon, openWorld, processesOf, type World } from '../stage/world.ts';
import { freePort, placeOptions, runCommand, startCommand } from './command-line.ts';
import { expectGone, privateVolumesFolder, type VolumesFolder, volumesFolders } from './volumes-folder.ts';
import { startWorkbench, type Workbench } from './workbench.ts';

const namespace = 'e2e-volumes';
/** kubelet itself takes up to a minute to write a changed ConfigMap; a session follows the API. */
const patience = { timeout: 90_000, interval: 200 };
const copied = [podMounts.scratch, podMounts.data, podMounts.onNode, podMounts.large];
const allPaths = [...Object.values(podMounts), '/etc/files', apiMounts.account];
let root: World;

beforeAll(async () => {
  await ensurePackages(['passt', 'util-linux', 'iproute2']);
  root = await openWorld(namespace, async (kubectl) => {
    await deployFiles(kubectl, namespace);
    const request = (url: string) =>
      kubectl.run(['exec', '-n', namespace, 'twin', '-c', 'peer', '--', 'timeout', '60', 'wget', '-q', '-O', '-', url]);
    return { kubectl, namespace, request };
  });
  for (const path of [...Object.values(apiMounts), singleFile, ...copied]) {
    const seen = comparable(await inTwin(listing(path)));
    // Without a file in it the comparison would say nothing.
    expect(seen.join('\n'), path).toMatch(/[0-9a-f]{64}/);
    inPod.set(path, seen);
  }
});
afterAll(async () => {
  await root?.[Symbol.asyncDispose]();
  if (root) await removeFiles(root.shop.kubectl, namespace);
});

/** Runs a command in the pod that is as the session's was. */
function inTwin(argv: readonly string[]): Promise<string> {
  return root.shop.kubectl.run(['exec', '-n', namespace, 'twin', '-c', 'files', '--', ...argv]);
}

/** Runs a command in the second container of the session's pod. */
function besideAgent(text: string): Promise<string> {
  return root.shop.kubectl.run(['exec', '-n', namespace, 'deployment/files', '-c', 'peer', '--', ...shell(text)]);
}

async function setGreeting(GREETING: string): Promise<void> {
  const patch = JSON.stringify({ data: { GREETING } });
  await root.shop.kubectl.run(['patch', 'configmap/settings', '-n', namespace, '--type=merge', '-p', patch]);
}

/** What the container sees at this path, before anything is changed: kubelet is in no hurry to show that. */
const inPod = new Map<string, readonly string[]>();

const present = () => allPaths.filter((path) => existsSync(path));

/** A token that a pod was given. */
const tokenSchema = z.object({
  aud: z.array(z.string()),
  sub: z.string(),
  exp: z.number(),
  'kubernetes.io': z.object({ pod: z.object({ name: z.string() }) }),
});

describe('in mode namespace, without privileges', () => {
  let world: World;
  let before: Snapshot;
  let bench: Workbench;
  let volumes: VolumesFolder;
  let presentBefore: readonly string[];
  let dataBefore: string;

  beforeAll(async () => {
    world = asNobody(root);
    presentBefore = present();
    before = await root.snapshot();
    dataBefore = await inTwin(listing(podMounts.data));
    const options = ['--target', filesTarget, '--network', 'namespace', '--port', `${filesPort}:${filesPort}`];
    bench = await startWorkbench(world, options);
    volumes = privateVolumesFolder(world);
  });
  afterAll(async () => {
    const code = await bench?.end();
    await root.asBefore(before, world.state);
    if (volumes) expectGone(volumes);
    await world[Symbol.asyncDispose]();
    expect(code).not.toBe(null);
    expect(await inTwin(listing(podMounts.data)), 'nothing was written back').toBe(dataBefore);
    expect(present()).toEqual(presentBefore);
  });

  async function here(argv: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await bench.run(argv);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  }

  it.each([...Object.values(apiMounts), singleFile])('shows %s as the pod sees it', async (path) => {
    expect(comparable(await here(listing(path)))).toEqual(inPod.get(path) ?? []);
  });

  it.each(copied)('shows %s, which only the pod has', async (path) => {
    expect(withoutModes(comparable(await here(listing(path))))).toEqual(withoutModes(inPod.get(path) ?? []));
  });

  it('gives the token and the name of the very pod', async () => {
    const pod = (await here(shell(`cat ${apiMounts.projected}/pod/name`))).trim();
    const pods = await root.shop.kubectl.run(['get', 'pods', '-n', namespace, '-l', 'app=files', '-o', 'name']);
    expect(pods.split('\n')).toContain(`pod/${pod}`);
    const decoded = async (path: string) => {
      const [, payload = ''] = (await here(shell(`cat ${path}`))).split('.');
      return tokenSchema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString()));
    };
    for (const [path, audience] of [
      [`${apiMounts.projected}/vault/token`, 'vault'],
      [`${apiMounts.account}/token`, undefined],
    ] as const) {
      const token = await decoded(path);
      if (audience !== undefined) expect(token.aud).toEqual([audience]);
      expect(token.sub).toBe(`system:serviceaccount:${namespace}:default`);
      expect(token['kubernetes.io'].pod.name).toBe(pod);
      expect(token.exp).toBeGreaterThan(Date.now() / 1000);
    }
  });

  it('has the same beneath KUBERNETES_LOCAL_MOUNTS', async () => {
    const path = `"$KUBERNETES_LOCAL_MOUNTS"${apiMounts.config}`;
    expect(comparable(await here(listing(path)))).toEqual(inPod.get(apiMounts.config));
  });

  it('leaves out what is over the limit, and says so', async () => {
    expect(await bench.run(shell(`ls ${podMounts.huge}/blob`))).not.toMatchObject({ code: 0 });
    expect(bench.command.stderr()).toMatch(/huge[\s\S]*\b64(\.0)? ?Mi/);
    expect(bench.command.stderr()).toContain('limit');
  });

  it('lets nobody write where the pod may not, and keeps other changes here', async () => {
    expect(await bench.run(shell(`echo x > ${podMounts.onNode}/file`))).not.toMatchObject({ code: 0 });
    await here(shell(`echo 'from here' > ${podMounts.data}/local; echo 'from here' > ${podMounts.data}/changed`));
    expect(await here(shell(`cat ${podMounts.data}/local ${podMounts.data}/changed`))).toBe('from here\nfrom here\n');
    expect(await besideAgent(`cat ${podMounts.data}/changed`)).toBe('original\n');
  });

  it('makes nothing on this computer’s own file system', () => {
    expect(present()).toEqual(presentBefore);
    const mounts = readFileSync('/proc/self/mounts', 'utf8');
    for (const path of allPaths) expect(mounts).not.toContain(` ${path} `);
  });

  it('follows a ConfigMap, but not in a file that is mounted alone', async () => {
    const one = await here(listing(singleFile));
    await setGreeting('good morning');
    try {
      const greeting = () => here(shell(`cat ${apiMounts.config}/GREETING`));
      const projected = () => here(shell(`cat ${apiMounts.projected}/config/greeting`));
      // Each volume follows for itself, so neither says anything of the other.
      await expect.poll(greeting, patience).toBe('good morning');
      await expect.poll(projected, patience).toBe('good morning');
      expect(await here(listing(singleFile))).toBe(one);
    } finally {
      await setGreeting('hello');
    }
  });
});

describe('in mode hosts, with a link and write-back', () => {
  let before: Snapshot;
  let bench: Workbench;
  let volumes: VolumesFolder;
  let folder: string;
  let link: string;
  let data: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-links-'));
    link = join(folder, 'config');
    before = await root.snapshot();
    bench = await startWorkbench(root, [
      ...['--target', filesTarget, '--network', 'hosts', '--port', `${filesPort}:${await freePort()}`],
      ...['--mount', `${apiMounts.config}:${link}`, '--write-back', podMounts.data],
    ]);
    volumes = privateVolumesFolder(root);
    data = `${(await bench.run(shell('printf %s "$KUBERNETES_LOCAL_MOUNTS"'))).stdout}${podMounts.data}`;
  });
  afterAll(async () => {
    const code = await bench?.end();
    await root.asBefore(before);
    if (volumes) expectGone(volumes);
    rmSync(folder, { recursive: true, force: true });
    expect(code).not.toBe(null);
  });

  it.each([...Object.values(apiMounts), singleFile])('has %s beneath KUBERNETES_LOCAL_MOUNTS', async (path) => {
    const { stdout, stderr } = await bench.run(
      listing(`"$KUBERNETES_LOCAL_MOUNTS"${path}/.`.replace(/(s)\/\.$/, '$1')),
    );
    expect(stderr).toBe('');
    expect(comparable(stdout)).toEqual(inPod.get(path) ?? []);
  });

  it('has a link that follows the ConfigMap for every program of this computer', async () => {
    expect(volumes.links).toEqual([link]);
    expect(readFileSync(join(link, 'GREETING'), 'utf8')).toBe('hello');
    await setGreeting('good evening');
    try {
      await expect.poll(() => readFileSync(join(link, 'GREETING'), 'utf8'), patience).toBe('good evening');
    } finally {
      await setGreeting('hello');
    }
  });

  it('sends what is made, changed and deleted here to the pod', async () => {
    writeFileSync(join(data, 'made'), 'made here\n');
    writeFileSync(join(data, 'changed'), 'changed here\n');
    writeFileSync(join(data, 'folder', 'new'), 'made here\n');
    unlinkSync(join(data, 'folder', 'old'));
    const there = () => besideAgent(`cd ${podMounts.data} && cat made changed folder/new; ls folder`).catch(String);
    await expect.poll(there, patience).toBe('made here\nchanged here\nmade here\nnew\n');
  });

  it('never overwrites what changed in the pod meanwhile, and says so', async () => {
    await besideAgent(`echo 'changed in the pod' > ${podMounts.data}/contested`);
    writeFileSync(join(data, 'contested'), 'changed here too\n');
    await bench.command.saw(/contested/);
    expect(await besideAgent(`cat ${podMounts.data}/contested`)).toBe('changed in the pod\n');
  });

  it('sends the last change too', async () => {
    writeFileSync(join(data, 'last'), 'just before the end\n');
    await bench.end();
    await root.asBefore(before);
    expect(await inTwin(shell(`cat ${podMounts.data}/last ${podMounts.data}/contested`))).toBe(
      'just before the end\nchanged in the pod\n',
    );
  });
});

/** Runs a shell in a session of mode env, which is the fastest to make. */
async function run(text: string, ...options: readonly string[]) {
  const port = `${filesPort}:${await freePort()}`;
  const args = ['run', '--target', filesTarget, '--network', 'env', '--port', port, ...placeOptions(root), ...options];
  return runCommand(root, [...args, '--', ...shell(text)]);
}

describe('what cannot be had', () => {
  const user = 'volumes-tester';
  const look = `cat "$KUBERNETES_LOCAL_MOUNTS"${apiMounts.config}/GREETING; ls "$KUBERNETES_LOCAL_MOUNTS"${podMounts.large}`;
  const roleSchema = z.object({ rules: z.array(z.looseObject({ resources: z.array(z.string()) })) });

  it('because it is over the limit is named with the limit, and the rest is there', async () => {
    const before = await root.snapshot();
    const { code, stdout, stderr } = await run(look, '--volume-limit', '1Mi');
    expect(stdout).toBe('hello');
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/large[\s\S]*\b1(\.0)? ?Mi/);
    expect(stderr).toContain('limit');
    await root.asBefore(before);
    expect(volumesFolders(root)).toEqual([]);
  });

  it('because copies are not wanted leaves only what the API has', async () => {
    const before = await root.snapshot();
    const { code, stdout } = await run(look, '--no-volumes');
    expect(stdout).toBe('hello');
    expect(code).not.toBe(0);
    await root.asBefore(before);
  });

  describe('because a Secret may not be read', () => {
    let kubeconfig: readonly string[];
    beforeAll(async () => {
      kubeconfig = ['--kubeconfig', await root.cluster.userKubeconfig(user)];
      const page = 'docs/rights.md';
      const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
      const yaml = madePart(page, text, 'namespace').replaceAll(/^```.*$/gm, '');
      const { rules } = roleSchema.parse(parse(yaml));
      const metadata = { name: user };
      const group = 'rbac.authorization.k8s.io';
      const role = { apiVersion: `${group}/v1`, kind: 'Role', metadata };
      const binding = {
        ...{ apiVersion: `${group}/v1`, kind: 'RoleBinding', metadata },
        subjects: [{ apiGroup: group, kind: 'User', name: user }],
        roleRef: { apiGroup: group, kind: 'Role', name: user },
      };
      const granted = rules.filter(({ resources }) => !resources.includes('secrets'));
      await apply(root.shop.kubectl, [{ ...role, rules: granted }, binding], namespace);
      const question = ['auth', 'can-i', 'list', 'pods', '-n', namespace, '--as', user];
      await vi.waitFor(async () => expect(await root.shop.kubectl.run(question)).toBe('yes\n'), patience);
    });
    afterAll(async () => {
      await root.shop.kubectl.run(['delete', `role/${user}`, `rolebinding/${user}`, '-n', namespace]);
    });

    it('fails before anything is changed, and names the right', async () => {
      const before = await root.snapshot();
      const generation = () =>
        root.shop.kubectl.run(['get', filesTarget, '-n', namespace, '-o', 'jsonpath={.metadata.generation}']);
      const first = await generation();
      const { code, stdout, stderr } = await run('echo started', ...kubeconfig);
      expect(stderr).toMatch(/^error \((volume-unresolved|right-missing)\): /m);
      expect(stderr).toMatch(/\bget\b[\s\S]*\bsecrets\b/);
      expect(stderr).toContain('keys');
      expect([3, 4]).toContain(code);
      expect(stdout, 'the program was never started').toBe('');
      expect(await generation(), 'the Deployment was never written').toBe(first);
      await root.asBefore(before);
    });

    it('leaves it out and goes on where the user says so', async () => {
      const before = await root.snapshot();
      const secret = `ls "$KUBERNETES_LOCAL_MOUNTS"${apiMounts.secret}/tls && echo the secret is there`;
      const { stdout, stderr } = await run(`${look}; ${secret}`, '--on-unresolved', 'leave-out', ...kubeconfig);
      expect(stdout).toBe('helloblob\n');
      expect(stderr).toMatch(/\bsecrets\b/);
      expect(stderr).toContain('keys');
      await root.asBefore(before);
    });
  });
});

it('"restore" removes what a killed daemon left', async () => {
  const before = await root.snapshot();
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-links-'));
  try {
    const link = join(folder, 'secret');
    const mount = ['--mount', `${apiMounts.secret}:${link}`, '--port', `${filesPort}:${await freePort()}`];
    const command = startCommand(root, [
      ...['connect', '--target', filesTarget, '--network', 'env', ...mount, ...placeOptions(root)],
    ]);
    await command.saw('Ready.');
    const volumes = privateVolumesFolder(root);
    expect(readFileSync(join(link, 'tls', 'key.pem'), 'utf8')).toContain('BEGIN A KEY');
    const [daemon] = processesOf(root.state).filter((each) => isDaemon(each.command));
    process.kill(daemon?.pid ?? 0, 'SIGKILL');
    expect((await command.ended).code).not.toBe(0);
    expect(await runCommand(root, ['restore'])).toMatchObject({ code: 0 });
    await root.asBefore(before);
    expectGone(volumes);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
