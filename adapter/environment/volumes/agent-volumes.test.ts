import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { silentLog } from '../../diagnostics/log.ts';
import { type FileEntry, RemoteFiles } from '../../tunnel/remote-files.ts';
import { startTestBed } from '../../tunnel/test-bed.ts';
import type { Tunnel } from '../../tunnel/tunnel.ts';
import { AgentVolumes, agentFiles } from './agent-volumes.ts';
import { survey } from './agent-volumes-copy.ts';
import { linksInside } from './agent-volumes-links.ts';
import { sourcesOf } from './agent-volumes-plan.ts';
import type { PlannedMount, PlannedVolume } from './plan.ts';

const never = new AbortController().signal;

const temporary = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'agent-volumes-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
};

const mountAt = (mountPath: string, subPath = '', readOnly = false): PlannedMount => ({
  volume: 'data',
  mountPath,
  subPath,
  readOnly,
});

const volumeOf = (mounts: readonly PlannedMount[], given: Partial<PlannedVolume> = {}): PlannedVolume => ({
  name: 'data',
  kind: 'emptyDir',
  from: 'agent',
  mounts,
  ...given,
});

/** A pod with the folder `pod` as its volume "data", and what is needed to open it here. */
const start = async (
  given: {
    writeBack?: boolean;
    mounts?: (pod: string) => PlannedMount[];
    copies?: number;
    /** Fills the pod before the agent starts: a root has to be there then. */
    prepare?: (pod: string) => void;
  } = {},
) => {
  const base = temporary();
  const [pod, folder, aside] = [join(base, 'pod'), join(base, 'session'), join(base, 'aside')];
  mkdirSync(pod);
  mkdirSync(folder);
  given.prepare?.(pod);
  const volume = volumeOf(given.mounts?.(pod) ?? [mountAt(pod)]);
  const writeBack = given.writeBack === true ? [pod] : [];
  const files = agentFiles([volume], writeBack);
  const bed = await startTestBed(files && { files });
  onTestFinished(() => bed[Symbol.asyncDispose]());
  const tunnel = await bed.open();
  const tunnels: { all: Tunnel[] } = { all: Array.from({ length: given.copies ?? 1 }, () => tunnel) };
  const notices: string[] = [];
  const progress: string[] = [];
  const open = async (options: { limit?: number; volume?: Partial<PlannedVolume> } = {}, signal = never) => {
    const volumes = await AgentVolumes.open(
      {
        volumes: [{ ...volume, ...options.volume }],
        files: RemoteFiles.over(tunnels),
        folder,
        aside,
        limit: options.limit ?? 1_000_000,
        writeBack,
        notice: (text) => void notices.push(text),
        progress: (text) => void progress.push(text),
        log: silentLog,
      },
      signal,
    );
    onTestFinished(() => volumes[Symbol.asyncDispose]());
    const [mount] = volumes.mounts;
    return { volumes, mounts: volumes.mounts, mount, local: mount?.localPath ?? '' };
  };
  return { base, pod, folder, aside, volume, tunnel, tunnels, notices, progress, open };
};

const modeOf = (path: string): number => lstatSync(path).mode & 0o7777;

describe('the copy', () => {
  test('has files, folders and links of the pod, for the user alone', async () => {
    const { pod, folder, open } = await start();
    mkdirSync(join(pod, 'a', 'b'), { recursive: true });
    writeFileSync(join(pod, 'a', 'b', 'text'), 'hello');
    chmodSync(join(pod, 'a', 'b', 'text'), 0o444);
    writeFileSync(join(pod, 'run'), '#!/bin/sh\n');
    chmodSync(join(pod, 'run'), 0o6755);
    writeFileSync(join(pod, 'empty'), '');
    symlinkSync('a/b', join(pod, 'link'));
    const { mount, local } = await open();
    expect(mount).toEqual({
      mountPath: pod,
      volume: 'data',
      kind: 'emptyDir',
      readOnly: false,
      localPath: join(folder, 'volumes', 'data'),
    });
    expect(readFileSync(join(local, 'link', 'text'), 'utf8')).toBe('hello');
    expect(readFileSync(join(local, 'empty'), 'utf8')).toBe('');
    expect(
      [local, 'a', 'a/b/text', 'run', 'empty'].map((path) => modeOf(join(path === local ? '' : local, path))),
    ).toEqual([0o700, 0o700, 0o600, 0o700, 0o600]);
    expect(lstatSync(join(local, 'run')).mtimeMs).toBeCloseTo(lstatSync(join(pod, 'run')).mtimeMs, -1);
  });

  test('keeps names that are not UTF-8', async () => {
    const { pod, open } = await start();
    const name = Buffer.from('a\n\xff', 'latin1');
    writeFileSync(Buffer.concat([Buffer.from(`${pod}/`), name]), 'x');
    const { local } = await open();
    expect(readdirSync(local, 'buffer')).toEqual([name]);
  });

  test('has no link that leads out, by itself or through others, and says so', async () => {
    const { pod, open } = await start();
    mkdirSync(join(pod, 'folder'));
    writeFileSync(join(pod, 'text'), 'hello');
    symlinkSync(join(pod, 'text'), join(pod, 'folder', 'absolute'));
    symlinkSync('/etc/passwd', join(pod, 'system'));
    symlinkSync('../../elsewhere', join(pod, 'folder', 'up'));
    symlinkSync('.', join(pod, 'here'));
    symlinkSync('here/../elsewhere', join(pod, 'through'));
    const { mount, local } = await open();
    expect(readdirSync(local).sort()).toEqual(['folder', 'here', 'text']);
    expect(readlinkSync(join(local, 'folder', 'absolute'))).toBe('../text');
    expect(readFileSync(join(local, 'folder', 'absolute'), 'utf8')).toBe('hello');
    expect(mount?.note).toMatch(/^3 entries \(.*system.*\): this link leads out of the volume\.$/);
  });

  test('names what cannot be copied', async () => {
    const { pod, open } = await start();
    const socket = createServer().listen(join(pod, 'socket'));
    onTestFinished(() => void socket.close());
    await expect.poll(() => existsSync(join(pod, 'socket'))).toBe(true);
    const { mount, local } = await open();
    expect(mount?.note).toBe('socket: a socket cannot be copied.');
    expect(readdirSync(local)).toEqual([]);
  });

  test('over the limit is not begun, and the note says how large it is and how to have it', async () => {
    const { pod, folder, open } = await start();
    writeFileSync(join(pod, 'a'), Buffer.alloc(3 * 1024 * 1024));
    writeFileSync(join(pod, 'b'), Buffer.alloc(200_000));
    const { mount } = await open({ limit: 2 * 1024 * 1024 });
    expect(mount?.localPath).toBeUndefined();
    expect(mount?.note).toBe(
      'Volume data is not copied: it has 3.2 MiB, and the limit is 2 MiB. To copy it all the same, set "volumes": {"limit": "4Mi"}.',
    );
    expect(existsSync(join(folder, 'volumes'))).toBe(false);
    expect((await open({ limit: 4 * 1024 * 1024 })).mount?.note).toBeUndefined();
  });

  test('of a volume of several pods says whose it is, unless they share it', async () => {
    const { open, folder } = await start({ copies: 2 });
    expect((await open()).mount?.note).toBe('These are the files of pod cart-1; each of the 2 pods has others.');
    rmSync(join(folder, 'volumes'), { recursive: true });
    expect((await open({ volume: { kind: 'persistentVolumeClaim' } })).mount?.note).toBeUndefined();
  });

  test('of a volume that is not there, or without a connection, is left out with the reason', async () => {
    const { pod, tunnel, open, folder } = await start();
    rmSync(pod, { recursive: true });
    const gone = (await open()).mount;
    expect(gone?.localPath).toBeUndefined();
    expect(gone?.note).toContain('could not be copied from the pod cart-1');
    await tunnel[Symbol.asyncDispose]();
    expect((await open()).mount?.note).toContain('is not connected');
    expect(existsSync(join(folder, 'volumes', 'data'))).toBe(false);
  });

  test('ends at once when the user gives up, and leaves nothing', async () => {
    const { pod, folder, open, tunnel } = await start();
    for (let each = 0; each < 50; each += 1) writeFileSync(join(pod, `${each}`), Buffer.alloc(100_000));
    const controller = new AbortController();
    const opening = open({ limit: 1e9 }, controller.signal);
    await expect.poll(() => tunnel.statistics.bytesIn).toBeGreaterThan(200_000);
    controller.abort(new Error('given up'));
    await expect(opening).rejects.toThrow('given up');
    expect(existsSync(join(folder, 'volumes', 'data'))).toBe(false);
  });

  test('of parts of a volume is made once for all mounts that show it', async () => {
    const { pod, open } = await start({
      prepare: (pod) => {
        mkdirSync(join(pod, 'x', 'y'), { recursive: true });
        mkdirSync(join(pod, 'z'));
        writeFileSync(join(pod, 'x', 'y', 'text'), 'hello');
        writeFileSync(join(pod, 'z', 'file'), 'one file');
      },
      mounts: (pod) => [
        mountAt(join(pod, 'x'), 'x'),
        mountAt(join(pod, 'x', 'y'), 'x/y', true),
        mountAt(join(pod, 'z', 'file'), 'z/file'),
        { ...mountAt(join(pod, 'w'), '$(NAME)'), fault: 'Its subPathExpr is not known.' },
      ],
    });
    const { mounts } = await open();
    const local = (path: string) => mounts.find(({ mountPath }) => mountPath === join(pod, path));
    expect(readFileSync(join(local('x')?.localPath ?? '', 'y', 'text'), 'utf8')).toBe('hello');
    expect(local('x/y')).toMatchObject({ localPath: join(local('x')?.localPath ?? '', 'y'), readOnly: true });
    expect(readFileSync(local('z/file')?.localPath ?? '', 'utf8')).toBe('one file');
    expect(local('w')).toMatchObject({ localPath: undefined, note: 'Its subPathExpr is not known.' });
  });

  test('says how far it is when it takes longer than a second', async () => {
    const { pod, open, progress } = await start();
    for (const name of ['a', 'b']) writeFileSync(join(pod, name), Buffer.alloc(1024));
    let now = performance.now();
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
      now += 600;
      return now;
    });
    onTestFinished(() => clock.mockRestore());
    await open();
    expect(progress).toContain(`Copying ${pod}: 2 files, 2 KiB of 3 entries, 2 KiB`);
  });

  test('is not begun where there are more than 50,000 entries', async () => {
    let listed = 0;
    async function* list(): AsyncGenerator<FileEntry> {
      for (;;) {
        listed += 1;
        yield { path: `${listed}`, kind: 'file', size: 1, mode: 0o644, mtime: '0' };
      }
    }
    expect(await survey({ list }, '/data', never)).toMatchObject({ endless: true, size: 50_001 });
    expect(listed).toBe(50_002);
  });

  test('is the user’s own: nothing that changes here goes to the pod', async () => {
    const { pod, open } = await start();
    writeFileSync(join(pod, 'text'), 'pod');
    const { volumes, local } = await open();
    writeFileSync(join(local, 'text'), 'here');
    writeFileSync(join(local, 'new'), 'here');
    await volumes[Symbol.asyncDispose]();
    expect(readdirSync(pod)).toEqual(['text']);
    expect(readFileSync(join(pod, 'text'), 'utf8')).toBe('pod');
  });
});

describe('the writing back', () => {
  test('sends while the session lives what is created, changed, renamed and deleted', async () => {
    const { pod, open, notices } = await start({ writeBack: true });
    mkdirSync(join(pod, 'old'));
    for (const name of ['change', 'rename', 'delete', 'old/inner']) writeFileSync(join(pod, name), name);
    const { local } = await open();
    writeFileSync(join(local, 'change'), 'changed');
    mkdirSync(join(local, 'new', 'deep'), { recursive: true });
    writeFileSync(join(local, 'new', 'deep', 'file'), 'created');
    symlinkSync('deep/file', join(local, 'new', 'link'));
    renameSync(join(local, 'rename'), join(local, 'renamed'));
    rmSync(join(local, 'delete'));
    rmSync(join(local, 'old'), { recursive: true });
    await expect.poll(() => readdirSync(pod).sort(), { timeout: 10_000 }).toEqual(['change', 'new', 'renamed']);
    await expect.poll(() => readFileSync(join(pod, 'change'), 'utf8')).toBe('changed');
    expect(readFileSync(join(pod, 'renamed'), 'utf8')).toBe('rename');
    expect(readFileSync(join(pod, 'new', 'link'), 'utf8')).toBe('created');
    // In a folder that was made while it was watched.
    writeFileSync(join(local, 'new', 'deep', 'later'), 'later');
    await expect.poll(() => existsSync(join(pod, 'new', 'deep', 'later')), { timeout: 10_000 }).toBe(true);
    writeFileSync(join(local, 'new', 'deep', 'later'), 'again');
    await expect.poll(() => readFileSync(join(pod, 'new', 'deep', 'later'), 'utf8'), { timeout: 10_000 }).toBe('again');
    // A folder that was removed and made again is another one, and is watched anew.
    rmSync(join(local, 'new'), { recursive: true });
    mkdirSync(join(local, 'new'));
    await expect.poll(() => existsSync(join(pod, 'new', 'link')), { timeout: 10_000 }).toBe(false);
    writeFileSync(join(local, 'new', 'last'), 'last');
    await expect.poll(() => existsSync(join(pod, 'new', 'last')), { timeout: 10_000 }).toBe(true);
    writeFileSync(join(local, 'new', 'last'), 'once more');
    await expect.poll(() => readFileSync(join(pod, 'new', 'last'), 'utf8'), { timeout: 10_000 }).toBe('once more');
    expect(notices).toEqual([]);
  });

  test('sends the last changes when it ends, and what took the place of something else', async () => {
    const { pod, open, notices } = await start({ writeBack: true });
    mkdirSync(join(pod, 'folder'));
    writeFileSync(join(pod, 'folder', 'inner'), 'x');
    writeFileSync(join(pod, 'file'), 'x');
    const { volumes, local } = await open();
    rmSync(join(local, 'folder'), { recursive: true });
    writeFileSync(join(local, 'folder'), 'now a file');
    rmSync(join(local, 'file'));
    mkdirSync(join(local, 'file'));
    writeFileSync(join(local, 'file', 'inner'), 'now in a folder');
    await volumes[Symbol.asyncDispose]();
    expect(readFileSync(join(pod, 'folder'), 'utf8')).toBe('now a file');
    expect(readFileSync(join(pod, 'file', 'inner'), 'utf8')).toBe('now in a folder');
    expect(notices).toEqual([]);
  });

  test('never overwrites or removes what changed in the pod, and keeps the file from here aside', async () => {
    const { pod, open, notices, aside } = await start({ writeBack: true });
    for (const name of ['both', 'deleted', 'fine']) writeFileSync(join(pod, name), 'before');
    mkdirSync(join(pod, 'folder'));
    const { volumes, local } = await open();
    writeFileSync(join(pod, 'both'), 'changed in the pod');
    writeFileSync(join(pod, 'deleted'), 'changed in the pod');
    writeFileSync(join(pod, 'new'), 'made in the pod');
    writeFileSync(join(pod, 'folder', 'new'), 'made in the pod');
    writeFileSync(join(local, 'both'), 'changed here');
    writeFileSync(join(local, 'new'), 'made here');
    writeFileSync(join(local, 'fine'), 'changed here');
    rmSync(join(local, 'deleted'));
    rmSync(join(local, 'folder'), { recursive: true });
    await volumes[Symbol.asyncDispose]();
    const inPod = ['both', 'deleted', 'new', 'folder/new', 'fine'].map((name) => readFileSync(join(pod, name), 'utf8'));
    expect(inPod).toEqual([
      'changed in the pod',
      'changed in the pod',
      'made in the pod',
      'made in the pod',
      'changed here',
    ]);
    expect(readdirSync(join(aside, 'data')).sort()).toEqual(['both', 'new']);
    expect(readFileSync(join(aside, 'data', 'both'), 'utf8')).toBe('changed here');
    expect(notices.sort()).toEqual(
      [
        `The change of ${join(pod, 'both')} was not sent to the pod: it was changed in the pod meanwhile. Your file is kept as ${join(aside, 'data', 'both')}.`,
        `The change of ${join(pod, 'new')} was not sent to the pod: it was changed in the pod meanwhile. Your file is kept as ${join(aside, 'data', 'new')}.`,
        `${join(pod, 'deleted')} was removed here but stays in the pod: it was changed there meanwhile.`,
        `${join(pod, 'folder')} was removed here but stays in the pod: it was changed there meanwhile.`,
      ].sort(),
    );
  });

  test('without a connection keeps everything aside', async () => {
    const { pod, open, notices, aside, tunnel } = await start({ writeBack: true });
    writeFileSync(join(pod, 'text'), 'before');
    const { volumes, local } = await open();
    await tunnel[Symbol.asyncDispose]();
    mkdirSync(join(local, 'new'));
    writeFileSync(join(local, 'new', 'file'), 'made here');
    rmSync(join(local, 'text'));
    await volumes[Symbol.asyncDispose]();
    expect(readFileSync(join(pod, 'text'), 'utf8')).toBe('before');
    expect(readFileSync(join(aside, 'data', 'new', 'file'), 'utf8')).toBe('made here');
    expect(notices).toEqual([
      `1 changed and 1 removed files of ${pod} could not be sent to the pod. The changed ones are kept in ${join(aside, 'data')}.`,
    ]);
  });

  test('never writes or removes through a single file that is mounted', async () => {
    const base = temporary();
    const { pod, open, notices } = await start({
      prepare: (pod) => writeFileSync(join(pod, 'file'), base),
      mounts: (pod) => [mountAt(join(pod, 'file'), 'file')],
    });
    const { volumes, local, mount } = await open();
    expect(mount?.note).toBeUndefined();
    writeFileSync(local, 'changed here');
    await volumes[Symbol.asyncDispose]();
    expect(readFileSync(join(pod, 'file'), 'utf8')).toBe(base);
    expect(notices).toEqual([]);
  });

  test('leaves what was not copied, and links that lead out', async () => {
    const { pod, open, notices } = await start({ writeBack: true });
    symlinkSync('/etc/passwd', join(pod, 'out'));
    const { volumes, local } = await open();
    symlinkSync('../../elsewhere', join(local, 'mine'));
    await volumes[Symbol.asyncDispose]();
    expect(readdirSync(pod)).toEqual(['out']);
    expect(notices).toEqual([
      `The change of ${join(pod, 'mine')} was not sent to the pod: it leads out of the volume.`,
    ]);
  });
});

test('only what the agent must serve is a root, and only what is written back is writable', () => {
  const volumes = [
    volumeOf([mountAt('/data'), mountAt('/data-ro', '', true), mountAt('/other')]),
    volumeOf([mountAt('/etc/config')], { from: 'api', kind: 'configMap' }),
  ];
  expect(agentFiles(volumes, ['/data/', '/data-ro', '/etc/config'])).toEqual({
    roots: ['/data', '/data-ro', '/other'],
    writable: ['/data'],
  });
  expect(agentFiles([volumeOf([mountAt('/etc/config')], { from: 'api' })], [])).toBeUndefined();
});

test('a volume’s name or a subPath cannot lead out of the folder', () => {
  expect(() => sourcesOf(volumeOf([mountAt('/a')], { name: '../x' }), '/s', [])).toThrow('not the name of a volume');
  expect(() => sourcesOf(volumeOf([mountAt('/a', '../x')]), '/s', [])).toThrow('leads out of the volume');
});

test('of two mounts of one volume the one that is written back is taken', () => {
  const mounts = [mountAt('/ro', '', true), mountAt('/rw')];
  expect(sourcesOf(volumeOf(mounts), '/s', ['/rw'])).toMatchObject([
    { mount: { mountPath: '/rw' }, writeBack: true, localPath: '/s/volumes/data' },
  ]);
});

test.each([
  ['a', 'b', 'b'],
  ['a', '', ''],
  ['a', '../b', undefined],
  ['a/b', '../c', '../c'],
  ['a/b', '../../c', undefined],
  ['a/b', '/data/c', '../c'],
  ['a', '/data', '.'],
  ['a/b', '/data', '../'],
  ['a', '/data/../etc', undefined],
  ['a', '/database', undefined],
  ['a', '/etc', undefined],
  ['a', 'a', undefined],
  ['a', 'missing/../b', 'missing/../b'],
])('a link %s to %j leads to %j here', (path, target, expected) => {
  expect(linksInside(new Map([[path, target]]), '/data').get(path)).toBe(expected);
});
