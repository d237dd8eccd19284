import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../diagnostics/log.ts';
import { Problem } from '../../problem.ts';
import { ApiVolumes, type ApiVolumesOptions } from './api-volumes.ts';
import type { Clock } from './service-account-token.ts';
import type { IssuedToken, ObjectReference, TokenRequest, VolumeReader } from './volume-reader.ts';
import { makeVolumesFolder } from './volumes-folder.ts';

const never = new AbortController().signal;

let folder: string;
beforeEach(async () => {
  folder = join(mkdtempSync(join(tmpdir(), 'kubernetes-local-api-')), 'kubernetes-local-volumes-s');
  await makeVolumesFolder(folder);
});
afterEach(() => rmSync(join(folder, '..'), { recursive: true, force: true }));

/** A stream of states that a test adds to. */
class States<T> {
  readonly #states: T[] = [];
  #wake = Promise.withResolvers<void>();
  push(state: T) {
    this.#states.push(state);
    this.#wake.resolve();
  }
  async *follow(signal: AbortSignal): AsyncGenerator<T> {
    const aborted = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    aborted.catch(() => undefined);
    for (let next = 0; ; next++) {
      while (next >= this.#states.length) {
        this.#wake = Promise.withResolvers();
        await Promise.race([this.#wake.promise, aborted]);
      }
      yield this.#states[next] as T;
    }
  }
}

type Files = Readonly<Record<string, string | Uint8Array>>;
const dataOf = (files: Files | undefined) =>
  files && new Map(Object.entries(files).map(([key, value]) => [key, Buffer.from(value)]));

/** A cluster in memory. */
class Reader implements VolumeReader {
  readonly objects: Record<string, Files>;
  readonly forbidden = new Set<string>();
  readonly reads: string[] = [];
  readonly tokens: TokenRequest[] = [];
  readonly states = new Map<string, States<Files | undefined>>();
  readonly pods = new States<unknown>();
  lifetime = 3_600_000;
  refusal: Problem | undefined;
  allocatable: Readonly<Record<string, string>> | undefined = { cpu: '4', memory: '8Gi' };

  constructor(objects: Record<string, Files> = {}) {
    this.objects = objects;
  }

  #mayRead(what: string) {
    this.reads.push(what);
    if (!this.forbidden.has(what)) return;
    throw new Problem({ code: 'right-missing', what: 'You lack a right.', why: `no ${what}`, remedy: '' });
  }

  async object(_: string, { kind, name }: ObjectReference) {
    this.#mayRead(`${kind} ${name}`);
    return dataOf(this.objects[`${kind} ${name}`]);
  }

  stateOf(key: string) {
    const states = this.states.get(key) ?? new States<Files | undefined>();
    this.states.set(key, states);
    return states;
  }

  async *followObject(_: string, { kind, name }: ObjectReference, signal: AbortSignal) {
    this.#mayRead(`follow ${kind} ${name}`);
    for await (const state of this.stateOf(`${kind} ${name}`).follow(signal)) yield dataOf(state);
  }

  followPod(_: string, __: string, signal: AbortSignal) {
    return this.pods.follow(signal);
  }

  async token(_: string, request: TokenRequest): Promise<IssuedToken> {
    this.#mayRead(`token ${request.serviceAccount}`);
    if (this.refusal) throw this.refusal;
    this.tokens.push(request);
    return { token: `token-${this.tokens.length}`, lifetime: this.lifetime };
  }

  async nodeAllocatable() {
    this.reads.push('node');
    return this.allocatable;
  }
}

interface Shape {
  readonly volumes: readonly object[];
  readonly mounts?: readonly object[];
  readonly spec?: object;
  readonly container?: object;
  readonly metadata?: object;
}

function podOf({ volumes, mounts, spec, container, metadata }: Shape) {
  const names = volumes.flatMap((volume) => ('name' in volume ? [`${volume.name}`] : []));
  return {
    metadata: {
      name: 'cart-1',
      namespace: 'shop',
      uid: 'uid-1',
      labels: { app: 'cart' },
      annotations: { note: 'two\nlines' },
      ...metadata,
    },
    spec: {
      nodeName: 'node-1',
      serviceAccountName: 'cart',
      volumes,
      ...spec,
      containers: [
        {
          name: 'main',
          volumeMounts: mounts ?? names.map((name) => ({ name, mountPath: `/${name}` })),
          ...container,
        },
      ],
    },
  };
}

const notices: string[] = [];
beforeEach(() => notices.splice(0));

function open(shape: Shape, reader: Reader, more: Partial<ApiVolumesOptions> = {}) {
  return ApiVolumes.open(
    {
      pod: podOf(shape),
      container: 'main',
      namespace: 'shop',
      variables: { WHICH: 'a' },
      reader,
      folder,
      notice: (text) => notices.push(text),
      log: silentLog,
      ...more,
    },
    never,
  );
}

/** What the program sees of a volume: path → mode and text, the links followed. */
function seen(volume: string): Record<string, string> {
  const found: Record<string, string> = {};
  const root = join(folder, 'volumes', volume, '..data');
  for (const name of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    const stat = lstatSync(join(root, name));
    if (!stat.isDirectory()) found[name] = `${(stat.mode & 0o7777).toString(8)} ${readFileSync(join(root, name))}`;
  }
  return found;
}
const modeOf = (path: string) => (lstatSync(join(folder, 'volumes', path)).mode & 0o7777).toString(8);
const read = (path: string) => readFileSync(join(folder, 'volumes', path), 'utf8');

const objects = {
  'ConfigMap settings': { a: 'A', b: 'B', raw: new Uint8Array([0, 255]) },
  'Secret keys': { password: 'hunter22', a: 'secret' },
};
const configMap = (more: object = {}) => ({ name: 'v', configMap: { name: 'settings', ...more } });
const secret = (more: object = {}) => ({ name: 'v', secret: { secretName: 'keys', ...more } });
const projected = (sources: readonly object[], more: object = {}) => ({ name: 'v', projected: { sources, ...more } });

describe('files', () => {
  it('of a ConfigMap, text and bytes', async () => {
    await using volumes = await open({ volumes: [configMap()] }, new Reader(objects));
    expect(volumes.mounts).toEqual([
      { mountPath: '/v', volume: 'v', kind: 'configMap', localPath: join(folder, 'volumes/v'), readOnly: true },
    ]);
    expect(seen('v')).toMatchObject({ a: '644 A', b: '644 B' });
    expect([...readFileSync(join(folder, 'volumes/v/raw'))]).toEqual([0, 255]);
    expect(readlinkSync(join(folder, 'volumes/v/a'))).toBe('..data/a');
    expect(modeOf('v')).toBe('777');
  });

  it('of a Secret, with items and modes', async () => {
    const items = [
      { key: 'password', path: 'deep//pw', mode: 0o400 },
      { key: 'a', path: 'a' },
    ];
    await using _ = await open({ volumes: [secret({ items, defaultMode: 0o440 })] }, new Reader(objects));
    expect(seen('v')).toEqual({ 'deep/pw': '400 hunter22', a: '440 secret' });
    expect(modeOf('v')).toBe('1777');
  });

  it('get the group’s bits where there is an fsGroup', async () => {
    const spec = { securityContext: { fsGroup: 2000 } };
    const items = [{ key: 'a', path: 'd/a', mode: 0o200 }];
    await using _ = await open({ volumes: [configMap({ items })], spec }, new Reader(objects));
    expect(seen('v')).toEqual({ 'd/a': '640 A' });
    expect([modeOf('v'), modeOf(`v/${readlinkSync(join(folder, 'volumes/v/..data'))}`), modeOf('v/..data/d')]).toEqual([
      '2777',
      '2755',
      '2755',
    ]);
  });

  it('can be read by their owner', async () => {
    await using _ = await open({ volumes: [configMap({ defaultMode: 0o004 })] }, new Reader(objects));
    expect(seen('v')).toMatchObject({ a: '404 A' });
  });

  it('of the downward API', async () => {
    const items = [
      { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
      { path: 'x/annotations', fieldRef: { fieldPath: 'metadata.annotations' }, mode: 0o600 },
      { path: 'one', fieldRef: { fieldPath: "metadata.labels['app']" } },
      { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
      { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'limits.cpu' } },
      { path: 'memory', resourceFieldRef: { containerName: 'main', resource: 'requests.memory', divisor: '1Mi' } },
    ];
    const container = { resources: { requests: { memory: '64Mi' } } };
    const reader = new Reader();
    await using _ = await open({ volumes: [{ name: 'v', downwardAPI: { items } }], container }, reader);
    expect(seen('v')).toEqual({
      labels: '644 app="cart"',
      'x/annotations': '600 note="two\\nlines"',
      one: '644 cart',
      name: '644 cart-1',
      cpu: '644 4',
      memory: '644 64',
    });
  });

  it('say which limit is the node’s, and not to be had', async () => {
    const items = [{ path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'limits.cpu' } }];
    const reader = new Reader();
    reader.allocatable = undefined;
    await using volumes = await open({ volumes: [{ name: 'v', downwardAPI: { items } }] }, reader);
    expect(seen('v')).toEqual({});
    expect(volumes.mounts[0]?.note).toContain('limits.cpu of container main');
  });

  it('projected: the later source wins', async () => {
    const sources = [{ configMap: { name: 'settings' } }, { secret: { name: 'keys' } }];
    await using _ = await open({ volumes: [projected(sources, { defaultMode: 0o400 })] }, new Reader(objects));
    expect(seen('v')).toMatchObject({ a: '400 secret', b: '400 B', password: '400 hunter22' });
  });

  it('projected: what only the node can make is told', async () => {
    const sources = [{ clusterTrustBundle: { name: 'x', path: 'ca.pem' } }, { configMap: { name: 'settings' } }];
    await using volumes = await open({ volumes: [projected(sources)] }, new Reader(objects));
    expect(volumes.mounts[0]?.note).toBe('Volume v lacks ca.pem (clusterTrustBundle): only the node can make that.');
    expect(seen('v')).toMatchObject({ a: '644 A' });
  });
});

describe('the token', () => {
  const source = { serviceAccountToken: { path: 'token', audience: 'vault', expirationSeconds: 600 } };

  it('is asked for as kubelet does', async () => {
    const reader = new Reader();
    const sources = [source, { serviceAccountToken: { path: 'other' } }, source];
    await using _ = await open({ volumes: [projected(sources)] }, reader);
    expect(reader.tokens).toEqual([
      { serviceAccount: 'cart', audience: 'vault', expirationSeconds: 600, pod: { name: 'cart-1', uid: 'uid-1' } },
      { serviceAccount: 'cart', audience: '', expirationSeconds: undefined, pod: { name: 'cart-1', uid: 'uid-1' } },
    ]);
    expect(seen('v')).toEqual({ token: '644 token-1', other: '644 token-2' });
  });

  it.each<[object, string]>([
    [{}, '644'],
    [{ fsGroup: 1 }, '640'],
    [{ runAsUser: 1000 }, '600'],
  ])('has kubelet’s mode with %j', async (securityContext, mode) => {
    await using _ = await open({ volumes: [projected([source])], spec: { securityContext } }, new Reader());
    expect(seen('v')).toEqual({ token: `${mode} token-1` });
  });

  it('that comes by itself does not refuse the session where it may not be had', async () => {
    const reader = new Reader({ 'ConfigMap kube-root-ca.crt': { 'ca.crt': 'CA' } });
    reader.forbidden.add('token cart');
    const sources = [
      { serviceAccountToken: { path: 'token' } },
      { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
      { downwardAPI: { items: [{ path: 'namespace', fieldRef: { fieldPath: 'metadata.namespace' } }] } },
    ];
    const volumeList = [{ name: 'kube-api-access-abcde', projected: { sources } }];
    await using volumes = await open({ volumes: volumeList }, reader);
    expect(volumes.mounts[0]).toMatchObject({
      localPath: join(folder, 'volumes/kube-api-access-abcde'),
      note: expect.stringContaining('create serviceaccounts/token "cart" in namespace "shop"'),
    });
    expect(seen('kube-api-access-abcde')).toEqual({ 'ca.crt': '644 CA', namespace: '644 shop' });
    reader.forbidden.clear();
    await expect(
      open(
        { volumes: [projected(sources)] },
        Object.assign(new Reader(objects), { forbidden: new Set(['token cart']) }),
      ),
    ).rejects.toMatchObject({ code: 'volume-unresolved' });
  });
});

describe('what is missing', () => {
  it.each<[string, object, string]>([
    [
      'a ConfigMap',
      { name: 'v', configMap: { name: 'none' } },
      'Volume v is made from ConfigMap none: it does not exist.',
    ],
    [
      'a Secret',
      { name: 'v', secret: { secretName: 'none' } },
      'Volume v is made from Secret none: it does not exist.',
    ],
    [
      'a key',
      configMap({ items: [{ key: 'none', path: 'x' }] }),
      'Volume v holds key none of ConfigMap settings, which has no such key.',
    ],
    ['a good path', configMap({ items: [{ key: 'a', path: '../x' }] }), 'at "../x": it contains "..".'],
    [
      'a known field',
      { name: 'v', downwardAPI: { items: [{ path: 'x', fieldRef: { fieldPath: 'spec.unknown' } }] } },
      "Volume v holds the pod's field spec.unknown, which kubernetes-local does not know.",
    ],
  ])('%s refuses the session', async (_, volume, text) => {
    const opening = open({ volumes: [volume] }, new Reader(objects));
    await expect(opening).rejects.toMatchObject({ code: 'volume-unresolved', what: expect.stringContaining(text) });
    expect(readdirSync(join(folder, 'volumes'))).toEqual([]);
  });

  it('names all of it, and the right', async () => {
    const reader = new Reader(objects);
    reader.forbidden.add('Secret keys');
    const opening = open({ volumes: [secret(), { name: 'w', configMap: { name: 'none' } }] }, reader);
    await expect(opening).rejects.toMatchObject({
      what: expect.stringContaining(
        'Volume v is made from Secret keys: you lack the right to get secrets "keys" in namespace "shop".',
      ),
      why: 'Volume w is made from ConfigMap none: it does not exist.',
    });
  });

  it('can be asked for before anything is made', async () => {
    const input = (name: string) => ({
      pod: podOf({ volumes: [{ name: 'v', configMap: { name } }] }),
      container: 'main',
      namespace: 'shop',
      variables: {},
      reader: new Reader(objects),
    });
    await ApiVolumes.check(input('settings'), never);
    await expect(ApiVolumes.check(input('none'), never)).rejects.toMatchObject({ code: 'volume-unresolved' });
    await ApiVolumes.check({ ...input('none'), onUnresolved: 'leave-out' }, never);
    expect(readdirSync(join(folder, 'volumes'))).toEqual([]);
  });

  it('is left out where the user said so, and the rest goes on', async () => {
    const reader = new Reader(objects);
    reader.forbidden.add('Secret keys');
    const partly = {
      name: 'p',
      configMap: {
        name: 'settings',
        items: [
          { key: 'a', path: 'a' },
          { key: 'n', path: 'n' },
        ],
      },
    };
    await using volumes = await open({ volumes: [secret(), partly] }, reader, { onUnresolved: 'leave-out' });
    expect(volumes.mounts).toMatchObject([
      { volume: 'v', localPath: undefined, note: expect.stringContaining('get secrets "keys"') },
      { volume: 'p', localPath: join(folder, 'volumes/p'), note: expect.stringContaining('no such key') },
    ]);
    expect(seen('p')).toEqual({ a: '644 A' });
  });

  it('and optional is no fault', async () => {
    const list = [
      { name: 'v', configMap: { name: 'none', optional: true } },
      { name: 'w', secret: { secretName: 'keys', optional: true, items: [{ key: 'none', path: 'x' }] } },
    ];
    await using volumes = await open({ volumes: list }, new Reader(objects));
    expect(volumes.mounts.map(({ note, localPath }) => [note, localPath !== undefined])).toEqual([
      [undefined, true],
      [undefined, true],
    ]);
    expect([seen('v'), seen('w')]).toEqual([{}, {}]);
  });

  it('and optional, but not to be read, is told', async () => {
    const reader = new Reader(objects);
    reader.forbidden.add('Secret keys');
    await using volumes = await open({ volumes: [secret({ optional: true })] }, reader);
    expect(volumes.mounts[0]?.note).toContain('lacks the optional Secret keys');
  });

  it('other failures of the reader are thrown', async () => {
    const reader = new Reader(objects);
    const failure = new Problem({ code: 'cluster-unreachable', what: 'Gone.', why: '', remedy: '' });
    reader.object = async () => {
      throw failure;
    };
    await expect(open({ volumes: [configMap()] }, reader, { onUnresolved: 'leave-out' })).rejects.toBe(failure);
  });
});

describe('a part of a volume', () => {
  const items = [
    { key: 'a', path: 'd/a', mode: 0o600 },
    { key: 'b', path: 'd/e/b' },
    { key: 'a', path: 'a' },
  ];
  const mount = (mountPath: string, more: object) => ({ name: 'v', mountPath, ...more });

  it('is a copy of the file or folder, and stays as it is', async () => {
    const mounts = [
      mount('/etc/a.conf', { subPath: 'd/a' }),
      mount('/etc/d', { subPath: 'd/' }),
      mount('/etc/expr', { subPathExpr: '$(WHICH)' }),
    ];
    const reader = new Reader(objects);
    await using volumes = await open({ volumes: [configMap({ items })], mounts }, reader);
    const [file, directory, expanded] = volumes.mounts.map(({ localPath }) => localPath ?? '');
    expect(file?.endsWith('/a.conf')).toBe(true);
    expect((lstatSync(file ?? '').mode & 0o777).toString(8)).toBe('600');
    expect(readFileSync(join(directory ?? '', 'e/b'), 'utf8')).toBe('B');
    const stop = new AbortController();
    const following = volumes.follow(stop.signal);
    reader.stateOf('ConfigMap settings').push({ a: 'new', b: 'B' });
    await vi.waitFor(() => expect(read('v/a')).toBe('new'));
    expect([readFileSync(file ?? '', 'utf8'), readFileSync(expanded ?? '', 'utf8')]).toEqual(['A', 'A']);
    stop.abort();
    await following;
  });

  it('that is not there, or cannot be, is told', async () => {
    const mounts = [
      mount('/m1', { subPath: 'none' }),
      mount('/m2', { subPath: 'a/through' }),
      mount('/m3', { subPathExpr: '$(NONE)' }),
      mount('/m4', { subPath: '../../x' }),
      mount('/m5', { subPath: 'a' }),
    ];
    await using volumes = await open({ volumes: [configMap({ items })], mounts }, new Reader(objects));
    expect(volumes.mounts.map(({ localPath, note }) => [localPath !== undefined, note])).toEqual([
      [true, 'The volume has no "none": it is an empty folder, as in the cluster.'],
      [false, expect.stringContaining('leads through a file')],
      [false, expect.stringContaining('names NONE')],
      [false, expect.stringContaining('leads out of the volume')],
      [true, undefined],
    ]);
    expect(readdirSync(volumes.mounts[0]?.localPath ?? '')).toEqual([]);
  });

  it('mounts inside the volume find their folder', async () => {
    const list = [configMap(), { name: 'tls', secret: { secretName: 'keys' } }];
    const mounts = [mount('/etc/app', {}), { name: 'tls', mountPath: '/etc/app/deep/tls' }];
    await using _ = await open({ volumes: list, mounts }, new Reader(objects));
    expect(modeOf('v/deep/tls')).toBe('755');
    expect(read('v/a')).toBe('A');
  });
});

describe('following', () => {
  /** Runs `act` while the volumes are followed. */
  async function following(volumes: ApiVolumes, act: () => Promise<void>) {
    const stop = new AbortController();
    const done = volumes.follow(stop.signal);
    try {
      await act();
    } finally {
      stop.abort();
      await done;
    }
  }

  it('writes what has changed, once for each change', async () => {
    const reader = new Reader(objects);
    let changes = 0;
    const changed = async () => void changes++;
    await using volumes = await open({ volumes: [configMap(), { ...secret(), name: 's' }] }, reader, { changed });
    await following(volumes, async () => {
      reader.stateOf('ConfigMap settings').push(objects['ConfigMap settings']);
      reader.stateOf('Secret keys').push({ password: 'changed1' });
      await vi.waitFor(() => expect(read('s/password')).toBe('changed1'));
      expect(readdirSync(join(folder, 'volumes/s'))).not.toContain('a');
      reader.stateOf('ConfigMap settings').push({ a: 'A2', c: 'C' });
      await vi.waitFor(() => expect(read('v/c')).toBe('C'));
    });
    expect(changes).toBe(2);
    expect(notices).toEqual([]);
  });

  it('keeps the files of an object that is gone, and says so once', async () => {
    const reader = new Reader(objects);
    await using volumes = await open({ volumes: [configMap()] }, reader);
    await following(volumes, async () => {
      const states = reader.stateOf('ConfigMap settings');
      states.push(undefined);
      states.push(undefined);
      await vi.waitFor(() => expect(notices).toHaveLength(1));
      states.push({ a: 'back' });
      await vi.waitFor(() => expect(read('v/a')).toBe('back'));
    });
    expect(notices).toEqual([
      'The files of volume v stay as they are: Volume v is made from ConfigMap settings: it does not exist.',
    ]);
  });

  it('shows an optional object that comes later', async () => {
    const reader = new Reader();
    await using volumes = await open({ volumes: [configMap({ optional: true })] }, reader);
    await following(volumes, async () => {
      reader.stateOf('ConfigMap settings').push({ a: 'here' });
      await vi.waitFor(() => expect(read('v/a')).toBe('here'));
      reader.stateOf('ConfigMap settings').push(undefined);
      await vi.waitFor(() => expect(seen('v')).toEqual({}));
    });
  });

  it('goes on with the rest where one may no longer be followed', async () => {
    const reader = new Reader(objects);
    reader.forbidden.add('follow Secret keys');
    await using volumes = await open({ volumes: [configMap(), { ...secret(), name: 's' }] }, reader);
    await following(volumes, async () => {
      reader.stateOf('ConfigMap settings').push({ a: 'new' });
      await vi.waitFor(() => expect(read('v/a')).toBe('new'));
    });
    expect(notices).toEqual([expect.stringContaining('Secret keys is not followed any longer')]);
  });

  it('shows new labels and annotations of the pod, not of another one with its name', async () => {
    const reader = new Reader();
    const items = [
      { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
      { path: 'cpu', resourceFieldRef: { containerName: 'main', resource: 'limits.cpu' } },
    ];
    const shape = {
      volumes: [{ name: 'v', downwardAPI: { items } }],
      container: { resources: { limits: { cpu: '2' } } },
    };
    await using volumes = await open(shape, reader);
    await following(volumes, async () => {
      reader.pods.push(podOf({ ...shape, metadata: { uid: 'other', labels: { app: 'other' } } }));
      reader.pods.push(podOf({ ...shape, metadata: { labels: { app: 'new' } }, container: {} }));
      await vi.waitFor(() => expect(read('v/labels')).toBe('app="new"'));
      expect(read('v/cpu')).toBe('2');
    });
  });

  it('ends with its volumes', async () => {
    const volumes = await open({ volumes: [configMap()] }, new Reader(objects));
    const done = volumes.follow(never);
    await volumes[Symbol.asyncDispose]();
    await done;
    expect(read('v/a')).toBe('A');
  });
});

describe('a token that is followed', () => {
  /** Time passes only when the test says so. */
  class HandClock implements Clock {
    time = 0;
    readonly #sleepers = new Set<() => void>();
    now() {
      return this.time;
    }
    sleep(milliseconds: number, signal: AbortSignal) {
      const end = this.time + milliseconds;
      return new Promise<void>((resolve, reject) => {
        const wake = () => {
          if (this.time < end) return;
          this.#sleepers.delete(wake);
          resolve();
        };
        this.#sleepers.add(wake);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    }
    async pass(milliseconds: number) {
      for (let passed = 0; passed < milliseconds; passed += 5000) {
        this.time += 5000;
        for (const wake of [...this.#sleepers]) wake();
        await new Promise(setImmediate);
      }
    }
  }
  const shape = { volumes: [projected([{ serviceAccountToken: { path: 'token', expirationSeconds: 600 } }])] };

  it('is renewed before it ends', async () => {
    const reader = new Reader();
    reader.lifetime = 600_000;
    const clock = new HandClock();
    await using volumes = await open(shape, reader, { clock });
    const done = volumes.follow(never);
    await clock.pass(460_000);
    expect(read('v/token')).toBe('token-1');
    await clock.pass(30_000);
    await vi.waitFor(() => expect(read('v/token')).toBe('token-2'));
    await volumes[Symbol.asyncDispose]();
    await done;
    expect(notices).toEqual([]);
  });

  it('that has expired is told, and told again when it is good', async () => {
    const reader = new Reader();
    reader.lifetime = 600_000;
    const clock = new HandClock();
    await using volumes = await open(shape, reader, { clock });
    const done = volumes.follow(never);
    reader.refusal = new Problem({ code: 'patch-refused', what: 'No.', why: 'the pod is gone', remedy: '' });
    await clock.pass(550_000);
    expect(notices).toEqual([]);
    await clock.pass(200_000);
    expect(notices).toEqual([expect.stringContaining('has expired')]);
    reader.refusal = undefined;
    await clock.pass(120_000);
    await vi.waitFor(() => expect(read('v/token')).toBe('token-2'));
    expect(notices.at(-1)).toBe('The service account token is good again.');
    await volumes[Symbol.asyncDispose]();
    await done;
  });

  it('is bound anew when another pod takes the place', async () => {
    const reader = new Reader();
    const items = [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }];
    const both = { volumes: [...shape.volumes, { name: 'd', downwardAPI: { items } }] };
    await using volumes = await open(both, reader);
    const done = volumes.follow(never);
    volumes.usePod(podOf({ ...both, metadata: { name: 'cart-2', uid: 'uid-2' } }));
    await vi.waitFor(() => expect(read('v/token')).toBe('token-2'));
    await vi.waitFor(() => expect(read('d/name')).toBe('cart-2'));
    expect(reader.tokens.at(-1)?.pod).toEqual({ name: 'cart-2', uid: 'uid-2' });
    await volumes[Symbol.asyncDispose]();
    await done;
  });
});

it('says where a computer has no links', async () => {
  const symlink = async () => {
    throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
  };
  await using volumes = await open({ volumes: [configMap()] }, new Reader(objects), { operations: { symlink } });
  expect(read('v/a')).toBe('A');
  expect(volumes.notes).toEqual([expect.stringContaining('plain files')]);
});
