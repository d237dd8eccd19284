/**
 * The hosts file of a real computer, changed by the real helper process: whatever way it ends, the file is as before.
 * Runs as root, for it changes /etc/hosts.
 */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter } from 'vscode-jsonrpc/node';
import { silentLog } from '../../adapter/diagnostics/log.ts';
import { type PrivilegedHelper, startHelper } from '../../adapter/network/helper/helper-client.ts';
import { openMeetingPlace } from '../../adapter/network/helper/helper-meeting.ts';
import { encodeArgument, helperVersion } from '../../adapter/network/helper/helper-protocol.ts';
import { listBlocks } from '../../adapter/network/hosts/hosts-writer.ts';

const client = join(import.meta.dirname, 'workstation-client.ts');
const helperProgram = [process.execPath, join(import.meta.dirname, 'workstation-helper.ts')] as const;
const run = promisify(execFile);
const original = '127.0.0.1 localhost\r\n# mine, and without a last newline\r\n10.0.0.1 old.example';
const entries = [{ address: '127.64.1.1', names: ['prices-e2e', 'prices-e2e.shop'] }];
const patience = { timeout: 20_000, interval: 20 };

let folder = '';
let hosts = '';
let cleanup = new AsyncDisposableStack();

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  folder = await mkdtemp(join(tmpdir(), 'workstation-'));
  hosts = join(folder, 'hosts');
  await writeFile(hosts, original);
  cleanup.defer(() => rm(folder, { recursive: true, force: true }));
});
afterEach(() => cleanup.disposeAsync());

type Client = ChildProcessByStdio<Writable, Readable, null>;

/** Starts the client process; the environment decides about the hosts file. */
function startClient(session: string, hostsFile: string | undefined, ...more: string[]): Client {
  return track(
    spawn(process.execPath, [client, session, JSON.stringify(entries), ...more], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, KUBERNETES_LOCAL_HOSTS_FILE: hostsFile ?? '' },
    }),
  );
}

function track(child: Client): Client {
  cleanup.defer(() => void child.kill('SIGKILL'));
  return child;
}

/** Waits until the names are set; returns the pid of the helper. */
async function isSet(child: Client): Promise<number> {
  const [line] = await once(child.stdout, 'data');
  const pid = Number(String(line).split(' ')[0]);
  expect(pid, String(line)).toBeGreaterThan(0);
  return pid;
}

async function openHelper(): Promise<PrivilegedHelper> {
  const helper = await startHelper({
    log: silentLog,
    command: helperProgram,
    hostsFile: hosts,
    signal: AbortSignal.timeout(30_000),
  });
  cleanup.use(helper);
  return helper;
}

const content = () => readFile(hosts, 'utf8');
const signal = AbortSignal.timeout(600_000);
const isRestored = () => expect.poll(content, patience).toBe(original);
const sessions = async () => (await listBlocks(hosts)).map((block) => block.session).sort();

async function resolve(name: string): Promise<string> {
  return run('getent', ['ahostsv4', name]).then(
    ({ stdout }) => stdout.trim().split(/\s+/)[0] ?? '',
    (error: { code?: unknown }) => `exit ${error.code}`,
  );
}

describe('the hosts file comes back', () => {
  it('when the client ends as it should', async () => {
    const child = startClient('normal', hosts);
    await isSet(child);
    expect(await content()).toContain('127.64.1.1 prices-e2e prices-e2e.shop');
    child.stdin.end();
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
    // At once, for the client waits for the helper's end.
    expect(await content()).toBe(original);
    expect(await readdir(folder)).toEqual(['hosts']);
  });

  it('when the client is killed', async () => {
    const child = startClient('killed', hosts);
    await isSet(child);
    expect(await content()).not.toBe(original);
    child.kill('SIGKILL');
    await isRestored();
    await expect.poll(() => readdir(folder), patience).toEqual(['hosts']);
  });

  it('when the client is killed while the helper is writing', async () => {
    for (let round = 0; round < 5; round++) {
      const child = startClient(`careless-${round}`, hosts, 'careless');
      await once(child, 'close');
    }
    await isRestored();
    await expect.poll(() => readdir(folder), patience).toEqual(['hosts']);
  });

  it('when the helper is told to end, and the client knows of it', async () => {
    const helper = await openHelper();
    await helper.setHosts('term', entries, signal);
    expect(await sessions()).toEqual(['term']);
    process.kill(helper.pid, 'SIGTERM');
    await helper.closed;
    expect(await content()).toBe(original);
    await expect(helper.setHosts('term', entries, signal)).rejects.toMatchObject({ code: 'helper-failed' });
  });

  it('by the next helper when one was killed', async () => {
    const killed = await openHelper();
    await killed.setHosts('lost', entries, signal);
    process.kill(killed.pid, 'SIGKILL');
    await killed.closed;
    expect(await listBlocks(hosts)).toMatchObject([{ session: 'lost', alive: false }]);
    const next = await openHelper();
    await next.clearHosts('lost', signal);
    expect(await content()).toBe(original);
  });

  it('with what the user wrote into it meanwhile', async () => {
    const child = startClient('edited', hosts);
    await isSet(child);
    await writeFile(hosts, `10.0.0.2 above\r\n${await content()}10.0.0.3 below\r\n`);
    child.kill('SIGKILL');
    await expect.poll(content, patience).toBe(`10.0.0.2 above\r\n${original}\r\n10.0.0.3 below\r\n`);
  });

  it('for each of several clients at once', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const children = names.map((name) => startClient(name, hosts));
    await Promise.all(children.map(isSet));
    expect(await sessions()).toEqual(names);
    children[1]?.kill('SIGKILL');
    children[3]?.stdin.end();
    await expect.poll(sessions, patience).toEqual(['a', 'c']);
    children[0]?.stdin.end();
    children[2]?.kill('SIGKILL');
    await isRestored();
  });
});

describe('the helper', () => {
  it('survives a terminal’s Ctrl-C and its closing', async () => {
    const helper = await openHelper();
    process.kill(helper.pid, 'SIGINT');
    process.kill(helper.pid, 'SIGHUP');
    await helper.setHosts('steady', entries, signal);
    expect(await sessions()).toEqual(['steady']);
    // It leads its own group, so that a signal to the client's group passes it by.
    const stat = await readFile(`/proc/${helper.pid}/stat`, 'utf8');
    expect(stat.replace(/^.*\) /, '').split(' ')[2]).toBe(String(helper.pid));
  });

  it('refuses what is not loopback and leaves the file alone', async () => {
    const helper = await openHelper();
    const evil = [{ address: '93.184.216.34', names: ['bank.example'] }];
    await expect(helper.setHosts('evil', evil, signal)).rejects.toMatchObject({ code: 'helper-failed' });
    expect(await content()).toBe(original);
  });

  it('does nothing for a caller without the token', async () => {
    await using meeting = await openMeetingPlace();
    const child = spawnHelper(meeting.directory, helperVersion);
    const [socket] = await once(meeting.server, 'connection');
    const connection = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
    connection.listen();
    const request = { session: 'sly', lines: entries };
    await expect(connection.sendRequest('setHosts', request)).rejects.toThrow(/token/);
    const wrong = { version: helperVersion, token: 'x'.repeat(meeting.token.length) };
    await expect(connection.sendRequest('hello', wrong)).rejects.toThrow(/token/);
    await expect(connection.sendRequest('setHosts', request)).rejects.toThrow(/token/);
    const other = { version: helperVersion + 1, token: meeting.token };
    await expect(connection.sendRequest('hello', other)).rejects.toThrow(/version/);
    await expect(connection.sendRequest('hello', { ...other, version: helperVersion })).resolves.toMatchObject({
      pid: child.pid,
    });
    connection.dispose();
    socket.destroy();
    await once(child, 'close');
    expect(await content()).toBe(original);
  });

  it.each([
    ['of another version', helperVersion + 1, async () => {}],
    ['whose directory others may enter', helperVersion, (directory: string) => chmod(directory, 0o755)],
    ['whose token others may read', helperVersion, (directory: string) => chmod(join(directory, 'token'), 0o644)],
    ['whose directory is another user’s', helperVersion, (directory: string) => chown(directory, 65534, 65534)],
  ])('does not even connect to a client %s', async (_name, version, spoil) => {
    await using meeting = await openMeetingPlace();
    let connected = false;
    meeting.server.on('connection', () => {
      connected = true;
    });
    await spoil(meeting.directory);
    const child = spawnHelper(meeting.directory, version);
    const [code] = await once(child, 'close');
    expect(code).not.toBe(0);
    expect(connected).toBe(false);
  });

  it('that cannot be started is told with its own words', async () => {
    vi.stubEnv('TMPDIR', folder);
    cleanup.defer(() => void vi.unstubAllEnvs());
    const command = [process.execPath, '-e', 'console.error("no such thing"); process.exit(3)'];
    const start = startHelper({ log: silentLog, command, hostsFile: hosts, signal });
    await expect(start).rejects.toMatchObject({ code: 'helper-failed', why: 'no such thing' });
    expect(await readdir(folder)).toEqual(['hosts']);
  });

  it('is given up when that is wanted', async () => {
    const reason = new Error('cancelled by the test');
    const start = startHelper({
      log: silentLog,
      command: [process.execPath, '-e', 'setInterval(() => {}, 1000)'],
      hostsFile: hosts,
      signal: AbortSignal.abort(reason),
    });
    await expect(start).rejects.toBe(reason);
  });
});

function spawnHelper(directory: string, version: number) {
  const argument = encodeArgument({ version, directory, uid: process.getuid?.() ?? -1, hostsFile: hosts });
  const [program, script] = helperProgram;
  const child = spawn(program, [script, 'helper', argument], { stdio: 'ignore' });
  cleanup.defer(() => void child.kill('SIGKILL'));
  return child;
}

describe('a user without privileges', () => {
  /** What such a user's client says, with a `sudo` of this behaviour on the PATH or none. */
  async function startWithSudo(sudo: string | undefined): Promise<unknown> {
    await chmod(folder, 0o755);
    if (sudo !== undefined) {
      await writeFile(join(folder, 'sudo'), `#!/bin/sh\n${sudo}\n`);
      await chmod(join(folder, 'sudo'), 0o755);
    }
    const child = spawn(process.execPath, [client, 'plain', JSON.stringify(entries)], {
      stdio: ['ignore', 'pipe', 'inherit'],
      uid: 65534,
      gid: 65534,
      env: { PATH: folder },
    });
    cleanup.defer(() => void child.kill('SIGKILL'));
    return JSON.parse(await text(child.stdout));
  }

  it('is told what to do when sudo asks for a password', async () => {
    expect(await startWithSudo('echo "sudo: a password is required" >&2; exit 1')).toMatchObject({
      code: 'privileges-needed',
      why: expect.stringMatching(/^sudo: a password is required\. There is /),
      remedy: expect.stringContaining('workstation-helper.ts helper'),
    });
  });

  it('is told what to do when there is no sudo', async () => {
    expect(await startWithSudo(undefined)).toMatchObject({
      code: 'privileges-needed',
      why: expect.stringMatching(/^There is no sudo here\. There is /),
    });
  });

  it('is told which file a helper may not write, which sudo starts without asking', async () => {
    const before = await readFile('/etc/hosts');
    const sudo = '[ "$1 $2" = "-n --" ] || exit 9; shift 2; exec "$@"';
    expect(await startWithSudo(sudo)).toMatchObject({
      code: 'hosts-unwritable',
      what: expect.stringContaining('/etc/hosts'),
      why: 'EACCES',
    });
    expect(await readFile('/etc/hosts')).toEqual(before);
  });
});

describe('/etc/hosts', () => {
  const fingerprint = async () => {
    const { mode, uid, gid } = await stat('/etc/hosts');
    return {
      mode,
      uid,
      gid,
      sha256: createHash('sha256')
        .update(await readFile('/etc/hosts'))
        .digest('hex'),
    };
  };

  it('resolves the names for every program, and is the same afterwards to the byte', async () => {
    const before = await fingerprint();
    expect(await resolve('prices-e2e.shop')).toBe('exit 2');
    const child = startClient('real', undefined);
    await isSet(child);
    expect(await resolve('prices-e2e')).toBe('127.64.1.1');
    expect(await resolve('prices-e2e.shop')).toBe('127.64.1.1');
    expect(await resolve('localhost')).not.toMatch(/exit/);
    expect(await fingerprint()).toMatchObject({ mode: before.mode, uid: before.uid, gid: before.gid });
    child.kill('SIGKILL');
    await expect.poll(fingerprint, patience).toEqual(before);
    expect(await resolve('prices-e2e.shop')).toBe('exit 2');
    // The lock goes a moment after the lines.
    const ours = async () => (await readdir('/etc')).filter((name) => name.includes('kubernetes-local'));
    await expect.poll(ours, patience).toEqual([]);
  });

  it('is written in place where it is a bind mount, as in containers', async () => {
    const outside = await fingerprint();
    const { ino } = await stat(hosts);
    const script = 'mount --bind "$1" /etc/hosts && shift && exec "$@"';
    const command = [process.execPath, client, 'mounted', JSON.stringify(entries)];
    const child = track(
      spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script, 'sh', hosts, ...command], {
        stdio: ['pipe', 'pipe', 'inherit'],
      }),
    );
    const helper = await isSet(child);
    const inside = await run('nsenter', ['--mount', `--target=${child.pid}`, 'getent', 'ahostsv4', 'prices-e2e']);
    expect(inside.stdout).toMatch(/^127\.64\.1\.1\s/);
    expect(await resolve('prices-e2e')).toBe('exit 2');
    expect(await sessions()).toEqual(['mounted']);
    child.kill('SIGKILL');
    await isRestored();
    expect((await stat(hosts)).ino).toBe(ino);
    expect(await fingerprint()).toEqual(outside);
    await expect.poll(() => isRunning(helper), patience).toBe(false);
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
