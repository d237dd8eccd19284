/**
 * For every source and edge of environment and volumes: what a real container of a real pod sees, compared with what is
 * worked out and written for this computer. What may differ is in `documented`.
 */
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCluster } from '../../adapter/cluster/cluster.ts';
import { readImageEnvironment } from '../../adapter/cluster/image-environment.ts';
import { kubernetesService, readServices, visibleServices } from '../../adapter/cluster/services.ts';
import { environmentReader } from '../../adapter/cluster/sources.ts';
import { resolveTarget } from '../../adapter/cluster/target.ts';
import { volumeReader } from '../../adapter/cluster/volume-sources.ts';
import { silentLog } from '../../adapter/diagnostics/log.ts';
import { resolveEnvironment } from '../../adapter/environment/environment.ts';
import { ApiVolumes } from '../../adapter/environment/volumes/api-volumes.ts';
import type { LocalMount } from '../../adapter/environment/volumes/local-mount.ts';
import { makeVolumesFolder, removeVolumesFolder } from '../../adapter/environment/volumes/volumes-folder.ts';
import { ensureCluster, type TestCluster } from '../cluster/cluster.ts';
import type { Kubectl } from '../stage/kubectl.ts';
import { kubectlOf, removeNamespace } from '../stage/shop.ts';
import { sharedCluster } from '../stage/world.ts';
import { type GoldenCase, goldenCases, goldenObjects, goldenPod } from './golden-cases.ts';

const namespace = 'golden';
/** docs/volumes.md, "What differs". */
const documented = {
  token: 'a token',
  folder: '..TIME',
  annotations: /^kubernetes\.io\/config\.(seen|source)=.*\n?/gm,
};
const accountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** One entry of a mount: `dir 755`, `link ..data/x`, `file 644 BASE64`. */
type Tree = Readonly<Record<string, string>>;

let cluster: TestCluster;
let kubectl: Kubectl;
const folders: string[] = [];

beforeAll(async () => {
  cluster = await ensureCluster({ name: sharedCluster });
  kubectl = kubectlOf(cluster);
  await removeNamespace(kubectl, namespace);
  await kubectl.run(['create', 'namespace', namespace]);
  const list = (items: readonly object[]) => JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  await kubectl.run(['create', '-n', namespace, '-f', '-'], list(goldenObjects));
  await kubectl.run(['wait', '-n', namespace, '--for=create', 'serviceaccount/default', '--timeout=60s']);
  await kubectl.run(['wait', '-n', namespace, '--for=create', 'configmap/kube-root-ca.crt', '--timeout=60s']);
  await kubectl.run(['create', '-n', namespace, '-f', '-'], list(goldenCases.map(goldenPod)));
  const names = goldenCases.map(({ name }) => `pod/${name}`);
  await kubectl.run(['wait', '-n', namespace, '--for=condition=Ready', '--timeout=240s', ...names]);
});
afterAll(async () => {
  await removeNamespace(kubectl, namespace);
  for (const folder of folders) await removeVolumesFolder(folder);
});

/** Run in the container; names here hold neither newlines nor blanks. */
const lister = `cd "$1" 2>/dev/null && set -- . || { cd "$(dirname "$1")"; set -- "./$(basename "$1")"; }
find "$1" | while read -r f; do
  if [ -L "$f" ]; then echo "$f link $(readlink "$f")"
  elif [ -d "$f" ]; then echo "$f dir $(stat -c %a "$f")"
  else echo "$f file $(stat -c %a "$f") $(base64 "$f" | tr -d '\\n')"; fi
done`;

async function realTree(pod: string, path: string): Promise<Tree> {
  const text = await kubectl.run(['exec', '-n', namespace, pod, '-c', 'main', '--', 'sh', '-c', lister, 'sh', path]);
  return comparable(
    Object.fromEntries(
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const end = line.indexOf(' ');
          return [line.slice(0, end), line.slice(end + 1).trimEnd()];
        }),
    ),
  );
}

function localTree(path: string): Tree {
  const tree: Record<string, string> = {};
  const walk = (file: string, name: string, follow: boolean) => {
    const stat = follow ? statSync(file) : statSync(file, { throwIfNoEntry: false });
    const link = follow ? undefined : linkOf(file);
    if (link !== undefined) tree[name] = `link ${link}`;
    else if (stat?.isDirectory()) {
      tree[name] = `dir ${(stat.mode & 0o7777).toString(8)}`;
      for (const entry of readdirSync(file)) walk(join(file, entry), `${name}/${entry}`, false);
    } else if (stat) {
      tree[name] = `file ${(stat.mode & 0o7777).toString(8)} ${readFileSync(file).toString('base64')}`.trimEnd();
    }
  };
  const isFolder = statSync(path).isDirectory();
  walk(path, isFolder ? '.' : `./${path.split('/').at(-1)}`, true);
  return comparable(tree);
}

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Without what is documented to differ. The mode of the mount itself is the computer's own. */
function comparable(tree: Tree): Tree {
  const time = /\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\d+/g;
  return Object.fromEntries(
    Object.entries(tree)
      .filter(([name]) => name !== '.')
      .map(([name, entry]) => {
        const [kind, mode] = entry.split(' ');
        const place = name.replace(time, documented.folder);
        if (kind === 'file' && /(^|\/)token$/.test(name)) return [place, `${kind} ${mode} ${documented.token}`];
        if (kind === 'file' && /(^|\/)annotations$/.test(name)) {
          const text = Buffer.from(entry.split(' ')[2] ?? '', 'base64').toString('utf8');
          return [place, `${kind} ${mode} ${text.replaceAll(documented.annotations, '').trimEnd()}`];
        }
        return [place, entry.replace(time, documented.folder)];
      }),
  );
}

interface Local {
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly LocalMount[];
}

/** What a program on this computer would see of this pod. */
async function local(name: string): Promise<Local> {
  const signal = AbortSignal.timeout(60_000);
  const connected = await openCluster({ kubeconfig: cluster.kubeconfig, namespace, log: silentLog }, signal);
  const [target, services, master] = await Promise.all([
    resolveTarget(connected, `pod/${name}`, 'main', signal),
    readServices(connected, signal).then(visibleServices),
    kubernetesService(connected, signal),
  ]);
  const declared = await resolveEnvironment(
    {
      pod: target.pod,
      container: 'main',
      namespace,
      services: master ? [...services, master] : services,
      reader: environmentReader(connected),
    },
    signal,
  );
  const place = { namespace, pod: name, container: 'main' };
  const image = await readImageEnvironment(
    connected,
    place,
    declared.variables.map((each) => each.name),
    signal,
  );
  expect(image.notes).toEqual([]);
  const variables = [...image.variables, ...declared.variables].map((each) => [each.name, each.value] as const);
  const folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-golden-'));
  rmSync(folder, { recursive: true });
  folders.push(folder);
  await makeVolumesFolder(folder);
  const volumes = await ApiVolumes.open(
    {
      pod: target.pod,
      container: 'main',
      namespace,
      variables: Object.fromEntries(variables),
      reader: volumeReader(connected),
      folder,
      onUnresolved: 'fail',
      notice: (text: string) => {
        throw new Error(text);
      },
      log: silentLog,
    },
    signal,
  );
  expect(volumes.notes).toEqual([]);
  const { mounts } = volumes;
  await volumes[Symbol.asyncDispose]();
  return { environment: Object.fromEntries(variables), mounts };
}

async function realEnvironment(name: string): Promise<Record<string, string>> {
  const text = await kubectl.run(['exec', '-n', namespace, name, '-c', 'main', '--', 'cat', '/proc/1/environ']);
  const entries = text.split('\0').filter((entry) => entry !== '');
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  );
}

it('has more than 40 pods to compare', () => {
  expect(goldenCases.length).toBeGreaterThan(40);
});

describe.each(goldenCases.map((each): [string, GoldenCase] => [each.name, each]))('%s', (name, golden) => {
  it('is the same in the container and here', async () => {
    const [seen, environment] = await Promise.all([local(name), realEnvironment(name)]);
    expect(seen.environment).toEqual(environment);
    const declared = Object.keys(golden.mounts ?? {});
    const automatic = golden.spec?.automountServiceAccountToken === false ? [] : [accountFolder];
    expect(seen.mounts.map(({ mountPath }) => mountPath).toSorted()).toEqual([...declared, ...automatic].toSorted());
    for (const { mountPath, localPath } of seen.mounts) {
      const real = await realTree(name, mountPath);
      expect(localPath, mountPath).toBeDefined();
      expect(localTree(localPath ?? ''), mountPath).toEqual(real);
    }
  });
});
