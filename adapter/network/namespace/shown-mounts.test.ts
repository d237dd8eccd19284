import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { assertInstalled, Bed, patience, prepareCopies, removeCopies, users } from './test-bed.ts';

beforeAll(prepareCopies);
afterAll(removeCopies);

/** All that a new mount point could be made in, and the mounts; without what other programs change meanwhile. */
function computer(): Readonly<Record<string, unknown>> {
  const quiet = ['/', '/opt', '/srv', '/usr/share', '/home', '/var'];
  const busy = ['/etc', '/run', '/var/lib'].map((folder) => readdirSync(folder).filter(isOurs));
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').filter(isOurs);
  return { ...Object.fromEntries(quiet.map((folder) => [folder, readdirSync(folder)])), busy, mounts };
}

/** By the names that the tests take, and the service account's. */
function isOurs(text: string): boolean {
  return /of-test|secrets|kubernetes-local|shown-mounts/.test(text);
}

describe.each(users)('mounts in the private network of %s', (_name, user) => {
  let bed: Bed;
  let folder: string;
  let before: Readonly<Record<string, unknown>>;
  beforeEach(async () => {
    assertInstalled();
    before = computer();
    folder = await mkdtemp(join(tmpdir(), 'shown-mounts-'));
    chmodSync(folder, 0o777);
    bed = new Bed(user);
    await bed.ready();
  });
  afterEach(async () => {
    expect(computer()).toEqual(before);
    await bed[Symbol.asyncDispose]();
    expect(computer()).toEqual(before);
    await rm(folder, { recursive: true, force: true });
  });

  function file(name: string, content: string): string {
    const path = join(folder, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
    if (user.length > 0) execFileSync('chown', ['-R', '65534:65534', folder]);
    return path;
  }
  const show = async (mounts: readonly { mountPath: string; localPath: string; readOnly?: boolean }[]) => {
    const all = mounts.map((mount) => ({ readOnly: true, ...mount }));
    return (await bed.ask({ mounts: all }, 'remarks')) as {
      remarks: { mountPath: string; why: string; shown: boolean }[];
    };
  };

  it('appear at their own paths, also where the computer has none, and nothing is made there', async () => {
    file('config/a', 'config');
    file('token/token', 'secret');
    const single = file('single', 'one file');
    const mounts = [
      { mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', localPath: join(folder, 'token') },
      { mountPath: '/data-of-test', localPath: join(folder, 'config') },
      { mountPath: '/etc/app-of-test/settings.yaml', localPath: single },
      { mountPath: '/usr/share/app-of-test/html', localPath: join(folder, 'config') },
      { mountPath: '/data-of-test-2/deep', localPath: join(folder, 'config') },
    ];
    expect(await show(mounts)).toEqual({ remarks: [] });
    const paths = [
      '/run/secrets/kubernetes.io/serviceaccount/token',
      '/data-of-test/a',
      '/etc/app-of-test/settings.yaml',
    ];
    expect(await bed.run(['cat', ...paths])).toBe('secretconfigone file');
    expect(await bed.run(['cat', '/usr/share/app-of-test/html/a', '/data-of-test-2/deep/a'])).toBe('configconfig');
    const listed = (await bed.run(['ls', '-A', '/'])).split('\n');
    expect(listed.toSorted()).toEqual([...readdirSync('/'), 'data-of-test', 'data-of-test-2'].toSorted());
    expect((await bed.run(['ls', '-A', '/etc'])).split('\n').toSorted()).toEqual(
      [...readdirSync('/etc'), 'app-of-test'].toSorted(),
    );
    expect(await bed.run(['pwd'], { cwd: '/usr/lib' })).toBe('/usr/lib');
    expect(await bed.run(['sh', '-c', 'id -u; readlink /bin; cat /etc/hostname'])).toBe(
      `${user.length > 0 ? 65534 : process.getuid?.()}\nusr/bin\n${readFileSync('/etc/hostname', 'utf8').trim()}`,
    );
  });

  it('keep names working, before and after', async () => {
    file('config/a', 'config');
    const place = { address: '10.96.0.50', names: ['prices'], ports: [80] };
    await bed.ask({ update: [place] }, 'shadowed');
    const config = join(folder, 'config');
    await show([
      { mountPath: '/data-of-test', localPath: config },
      { mountPath: '/etc/app-of-test', localPath: config },
    ]);
    expect(await bed.run(['getent', 'ahostsv4', 'prices'])).toMatch(/^10\.96\.0\.50 /);
    await bed.ask({ update: [{ ...place, address: '10.96.0.51' }] }, 'shadowed');
    expect(await bed.run(['getent', 'ahostsv4', 'prices'])).toMatch(/^10\.96\.0\.51 /);
    expect(await bed.run(['cat', '/etc/app-of-test/a'])).toBe('config');
  });

  it('can be changed only if they may', async () => {
    file('config/a', 'config');
    file('work/b', 'work');
    await show([
      { mountPath: '/config-of-test', localPath: join(folder, 'config') },
      { mountPath: '/work-of-test', localPath: join(folder, 'work'), readOnly: false },
    ]);
    expect(await bed.run(['sh', '-c', 'echo x > /config-of-test/a'])).toMatch(/Read-only/);
    expect(await bed.run(['sh', '-c', 'echo x > /work-of-test/c'])).toBe('');
    expect(readFileSync(join(folder, 'work/c'), 'utf8')).toBe('x\n');
    expect(readFileSync(join(folder, 'config/a'), 'utf8')).toBe('config');
  });

  it('follow the links of a volume, and hold inner mounts', async () => {
    file('volume/..one/key', 'one');
    file('volume/..two/key', 'two');
    file('inner/deep', 'inner');
    symlinkSync('..one', join(folder, 'volume/..data'));
    symlinkSync('..data/key', join(folder, 'volume/key'));
    const mounts = [
      { mountPath: '/etc/of-test/inner', localPath: join(folder, 'inner') },
      { mountPath: '/etc/of-test', localPath: join(folder, 'volume') },
    ];
    expect(await show(mounts)).toEqual({ remarks: [] });
    expect(await bed.run(['cat', '/etc/of-test/key', '/etc/of-test/inner/deep'])).toBe('oneinner');
    symlinkSync('..two', join(folder, 'volume/new'));
    renameSync(join(folder, 'volume/new'), join(folder, 'volume/..data'));
    expect(await bed.run(['cat', '/etc/of-test/key'])).toBe('two');
  });

  it('hold inner mounts that they have no place for, unless the program may change them', async () => {
    file('plain/a', 'outer');
    file('inner/deep', 'inner');
    const inner = join(folder, 'inner');
    const { remarks } = await show([
      { mountPath: '/srv/fixed-of-test', localPath: join(folder, 'plain') },
      { mountPath: '/srv/fixed-of-test/inner', localPath: inner },
      { mountPath: '/srv/free-of-test', localPath: join(folder, 'plain'), readOnly: false },
      { mountPath: '/srv/free-of-test/inner', localPath: inner },
    ]);
    const why = 'There is no such path in /srv/free-of-test, which your program may change.';
    expect(remarks).toEqual([{ mountPath: '/srv/free-of-test/inner', why, shown: false }]);
    expect(await bed.run(['cat', '/srv/fixed-of-test/a', '/srv/fixed-of-test/inner/deep'])).toBe('outerinner');
    expect(readdirSync(join(folder, 'plain'))).toEqual(['a']);
  });

  it('are seen by a program that runs already', async () => {
    file('config/a', 'config');
    const program = await bed.start(['sh', '-c', 'while read -r path; do cat "$path"; echo; done']);
    if (program.stdout === null) throw new Error('no pipe');
    const lines: string[] = [];
    createInterface({ input: program.stdout }).on('line', (line) => lines.push(line));
    for (const mountPath of ['/srv/of-test', '/late-of-test', '/late-of-test-2']) {
      await show([{ mountPath, localPath: join(folder, 'config') }]);
      const count = lines.length;
      program.stdin?.write(`${mountPath}/a\n`);
      await expect.poll(() => lines.length, patience).toBe(count + 1);
      expect(lines.at(-1)).toBe('config');
    }
  });

  it('go before what the computer has, which is told, but not before what is needed', async () => {
    file('config/a', 'config');
    const config = join(folder, 'config');
    const { remarks } = await show(
      [
        ...[
          '/etc/ssl',
          '/',
          '/usr',
          '/proc/of-test',
          '/sys',
          '/dev',
          '/etc',
          tmpdir(),
          join(tmpdir(), 'of-test'),
          '/etc/hostname',
        ],
        '/srv/of-test',
      ].map((mountPath) => ({ mountPath, localPath: config })),
    );
    expect(remarks.filter(({ shown }) => shown)).toEqual([
      { mountPath: '/etc/ssl', shown: true, why: expect.stringContaining("the pod's files") },
    ]);
    const refused = remarks.filter(({ shown }) => !shown).map(({ mountPath }) => mountPath);
    expect(refused.toSorted()).toEqual(
      [
        '/',
        '/usr',
        '/proc/of-test',
        '/sys',
        '/dev',
        '/etc',
        tmpdir(),
        join(tmpdir(), 'of-test'),
        '/etc/hostname',
      ].toSorted(),
    );
    for (const { why } of remarks) expect(why).toMatch(/^[A-Z/].*\.$/);
    expect(await bed.run(['cat', '/etc/ssl/a', '/srv/of-test/a'])).toBe('configconfig');
    expect(existsSync('/etc/ssl/a')).toBe(false);
  });

  it('vanish with a daemon that is killed, and take nothing of the computer with them', async () => {
    file('config/a', 'config');
    const mounts = ['/of-test', '/etc/of-test', '/run/of-test'].map((mountPath) => ({
      mountPath,
      localPath: join(folder, 'config'),
    }));
    expect(await show(mounts)).toEqual({ remarks: [] });
    const { dialSocket } = await bed.ready();
    bed.daemon.kill('SIGKILL');
    await expect.poll(() => existsSync(dirname(dialSocket)), patience).toBe(false);
    expect(readFileSync(join(folder, 'config/a'), 'utf8')).toBe('config');
    await new Promise((resolve) => (bed.daemon.signalCode === null ? bed.daemon.once('exit', resolve) : resolve(0)));
  });

  it('say what is not there', async () => {
    const { remarks } = await show([{ mountPath: '/of-test', localPath: join(folder, 'absent') }]);
    expect(remarks).toEqual([
      { mountPath: '/of-test', shown: false, why: `${join(folder, 'absent')} does not exist.` },
    ]);
  });
});

it.runIf(process.getuid?.() === 0)('read-only mounts keep the flags of what they show', async () => {
  const [, [, nobody] = ['', []]] = users;
  const place = await mkdtemp(join(tmpdir(), 'shown-flags-'));
  chmodSync(place, 0o755);
  // A place that a user namespace may not show with fewer flags, in a mount namespace of the daemon's alone.
  const script = 'mount -t tmpfs -o nosuid,nodev,noexec,noatime,mode=0755 t "$0" && echo text > "$0/file" && exec "$@"';
  const user = ['unshare', '--mount', '--propagation', 'slave', 'sh', '-c', script, place, ...nobody];
  const bed = new Bed(user);
  await bed.ready();
  const mounts = [{ mountPath: '/flags-of-test', localPath: place, readOnly: true }];
  expect(await bed.ask({ mounts }, 'remarks')).toEqual({ remarks: [] });
  expect(await bed.run(['cat', '/flags-of-test/file'])).toBe('text');
  expect(await bed.run(['sh', '-c', 'grep " /flags-of-test " /proc/self/mountinfo'])).toContain(
    ' ro,nosuid,nodev,noexec,noatime ',
  );
  await bed[Symbol.asyncDispose]();
  await rm(place, { recursive: true });
});
