/**
 * A user without privileges gets them by the real sudo, and by a stand-in for pkexec in its place: names and a port below 1024
 * for the time of the session. Runs as root, for it allows user nobody a sudo, and takes it away again.
 */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openMeetingPlace } from '../../adapter/network/helper/helper-meeting.ts';
import { encodeArgument, helperVersion } from '../../adapter/network/helper/helper-protocol.ts';
import { ensurePackages } from '../cluster/packages.ts';

const run = promisify(execFile);
const nobody = 65_534;
const client = join(import.meta.dirname, 'workstation-client.ts');
const helperProgram = join(import.meta.dirname, 'workstation-helper.ts');
const elevation = join(import.meta.dirname, '../../adapter/network/helper/elevation.ts');
const sudoers = '/etc/sudoers.d/kubernetes-local-e2e';
const entries = [{ address: '127.64.1.1', names: ['prices-e2e', 'prices-e2e.shop'] }];
const patience = { timeout: 20_000, interval: 20 };
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

let folder = '';
let cleanup = new AsyncDisposableStack();
let before: Buffer;

beforeAll(() => ensurePackages(['sudo']));
beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  folder = await mkdtemp(join(tmpdir(), 'privileges-'));
  await chmod(folder, 0o777);
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
  before = await readFile('/etc/hosts');
});
afterEach(() => cleanup.disposeAsync());

/** Until the end of the test nobody may do this as root, without a password. */
async function allow(command: string): Promise<void> {
  cleanup.defer(() => rm(sudoers, { force: true }));
  await writeFile(sudoers, `nobody ALL=(root) NOPASSWD: ${command}\n`, { mode: 0o440 });
  await run('visudo', ['-c', '-f', sudoers]);
}
const theHelper = `${process.execPath} ${helperProgram} helper *`;

type Client = ChildProcessByStdio<Writable, Readable, null>;

function asNobody(command: readonly string[], environment: NodeJS.ProcessEnv = {}): Client {
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    uid: nobody,
    gid: nobody,
    cwd: '/',
    env: { PATH, TMPDIR: folder, ...environment },
  });
  cleanup.defer(() => void child.kill('SIGKILL'));
  return child;
}

const startClient = (...more: string[]) =>
  asNobody([process.execPath, client, 'privileges', JSON.stringify(entries), ...more]);

/** The helper's pid and how it was elevated. */
async function started(child: Client): Promise<{ pid: number; way: string }> {
  const [line] = await once(child.stdout, 'data');
  const [pid, way = ''] = String(line).trim().split(' ');
  expect(Number(pid), String(line)).toBeGreaterThan(0);
  return { pid: Number(pid), way };
}

const userOf = async (pid: number) => (await stat(`/proc/${pid}`)).uid;
const hosts = () => readFile('/etc/hosts', 'utf8');
const isRestored = () => expect.poll(() => readFile('/etc/hosts'), patience).toEqual(before);

async function wayOfNobody(): Promise<{ way?: string; reason: string }> {
  const command = JSON.stringify([process.execPath, helperProgram]);
  const program = `
    const { elevationWay } = await import(${JSON.stringify(elevation)});
    console.log(JSON.stringify(await elevationWay(new AbortController().signal, { command: ${command} })));
  `;
  return JSON.parse(await text(asNobody([process.execPath, '--input-type=module', '-e', program]).stdout));
}

describe('sudo', () => {
  it('that allows the helper gives names and a low port, by a relay of the user’s own, until the client is killed', async () => {
    await allow(theHelper);
    expect(await wayOfNobody()).toMatchObject({ way: 'sudo' });
    const child = startClient('listen=127.64.1.1:80');
    const { pid, way } = await started(child);
    expect(way).toBe('sudo');
    expect(await userOf(pid)).toBe(0);
    expect(await hosts()).toContain('127.64.1.1 prices-e2e prices-e2e.shop');
    const answer = await buffer(connect({ host: 'prices-e2e.shop', port: 80 }));
    expect(answer.toString()).toBe(`from user ${nobody}`);
    const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ').map(Number);
    expect(await Promise.all(children.map(userOf))).toEqual([nobody]);
    const status = await readFile(`/proc/${children[0]}/status`, 'utf8');
    expect(status).toMatch(/^Groups:\s*(?:65534)?\s*$/m);
    expect(status).toMatch(/^CapEff:\s*0+$/m);
    child.kill('SIGKILL');
    await isRestored();
    await expect.poll(() => refusal('127.64.1.1', 80), patience).toBe('ECONNREFUSED');
    await expect.poll(() => readdir(folder), patience).toEqual([]);
  });

  it('that allows nothing is told, with the reason', async () => {
    expect(await wayOfNobody()).toMatchObject({ reason: expect.stringMatching(/^sudo: a password is required\./) });
    const problem = JSON.parse(await text(startClient().stdout));
    expect(problem).toMatchObject({
      code: 'privileges-needed',
      why: expect.stringContaining('a password is required'),
    });
    await isRestored();
  });

  it('that allows other programs only is told from one that allows the helper', async () => {
    await allow('/usr/bin/id');
    expect((await wayOfNobody()).way).toBeUndefined();
    expect(JSON.parse(await text(startClient().stdout))).toMatchObject({ code: 'privileges-needed' });
  });

  it('does not make the helper serve another user, or another file', async () => {
    await allow(theHelper);
    await using roots = await openMeetingPlace();
    const argument = { version: helperVersion, directory: roots.directory, uid: 0 };
    for (const [more, why] of [
      [{}, /User 65534 asked for it, not user 0/],
      [{ uid: nobody }, /does not belong to user 65534 alone/],
      [{ uid: nobody, hostsFile: '/etc/shadow' }, /for tests without privileges only/],
    ] as const) {
      const command = [process.execPath, helperProgram, 'helper', encodeArgument({ ...argument, ...more })];
      const child = asNobody(['sh', '-c', 'exec "$@" 2>&1', 'sh', 'sudo', '-n', '--', ...command]);
      expect(await text(child.stdout)).toMatch(why);
    }
    await isRestored();
  });
});

describe('the graphical question', () => {
  /** A pkexec at its real place, in a mount namespace of its own; what it does is the test's. */
  async function clientWithPkexec(pkexec: string, ...more: string[]): Promise<Client> {
    const programs = join(folder, 'programs');
    await run('mkdir', [programs]);
    await writeFile(join(programs, 'pkexec'), `#!/bin/sh\n${pkexec}\n`, { mode: 0o755 });
    const script = `mount -t overlay overlay -o "lowerdir=$1:/usr/bin" /usr/bin && shift && exec setpriv --reuid=${nobody} --regid=${nobody} --clear-groups "$@"`;
    const command = [process.execPath, client, 'privileges', JSON.stringify(entries), ...more];
    const child = spawn('unshare', ['--mount', 'sh', '-c', script, 'sh', programs, ...command], {
      stdio: ['pipe', 'pipe', 'inherit'],
      cwd: '/',
      env: { PATH, TMPDIR: folder, DISPLAY: ':0' },
    });
    cleanup.defer(() => void child.kill('SIGKILL'));
    return child;
  }

  it('that is answered starts the helper, which gives the same as by sudo', async () => {
    await allow('/bin/bash -c echo SUDOPROMPT*');
    const log = join(folder, 'asked');
    const pkexec = `printf '%s\\n' "$@" > ${log}; [ "$1" = --disable-internal-agent ] || exit 9; shift; exec sudo -n -- "$@"`;
    const child = await clientWithPkexec(pkexec, 'listen=127.64.1.1:80');
    const { pid, way } = await started(child);
    expect(way).toBe('graphical');
    expect(await userOf(pid)).toBe(0);
    const asked = (await readFile(log, 'utf8')).trim().split('\n');
    expect(asked.slice(0, 3)).toEqual(['--disable-internal-agent', '/bin/bash', '-c']);
    expect(asked).toHaveLength(4);
    expect(asked[3]).toMatch(/^echo SUDOPROMPT; "[^"$`\\]+" "[^"$`\\]+" "helper" "[A-Za-z0-9_-]+"$/);
    expect((await buffer(connect({ host: 'prices-e2e', port: 80 }))).toString()).toBe(`from user ${nobody}`);
    child.kill('SIGKILL');
    await isRestored();
  });

  it.each([
    ['dismissed', 'exit 126', 'consent-refused'],
    [
      'forbidden by polkit',
      'echo "Error executing command as another user: Not authorized" >&2; exit 127',
      'privileges-needed',
    ],
    ['shown to nobody', 'echo "Error: No authentication agent found." >&2; exit 127', 'privileges-needed'],
  ])('that is %s is told as that', async (_name, pkexec, code) => {
    const child = await clientWithPkexec(pkexec);
    expect(JSON.parse(await text(child.stdout))).toMatchObject({ code });
    await isRestored();
  });
});

function refusal(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    socket.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    socket.once('connect', () => {
      socket.destroy();
      resolve('connected');
    });
  });
}
