/** The real helper process, without privileges and with a hosts file of the test's own: abused, forgotten, and of other versions. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createMessageConnection,
  type MessageConnection,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-jsonrpc/node';
import { silentLog } from '../../diagnostics/log.ts';
import { startHelper } from './helper-client.ts';
import { type MeetingPlace, openMeetingPlace } from './helper-meeting.ts';
import { encodeArgument, helperVersion, longestMessage } from './helper-protocol.ts';

const program = join(import.meta.dirname, '../../../test/e2e/workstation-helper.ts');
const original = '127.0.0.1 localhost\n10.0.0.1 mine';
const uid = process.getuid?.() ?? 0;
const patience = { timeout: 20_000, interval: 20 };
const lines = [{ address: '127.64.0.1', names: ['prices'] }];
const { signal } = new AbortController();

let folder = '';
let hosts = '';
let meeting: MeetingPlace;
let said = '';
let children: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'helper-process-'));
  hosts = join(folder, 'hosts');
  await writeFile(hosts, original);
  meeting = await openMeetingPlace();
  said = '';
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await meeting[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function spawnHelper(argument: string, environment: NodeJS.ProcessEnv = {}, ...more: string[]): ChildProcess {
  const child = spawn(process.execPath, [program, 'helper', argument, ...more], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...environment },
  });
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    said += piece;
  });
  children.push(child);
  return child;
}

const argumentOf = (more: object = {}) =>
  encodeArgument({ version: helperVersion, directory: meeting.directory, uid, hostsFile: hosts, ...more });

/** A helper of its own and our end of the connection, before hello. */
async function open(): Promise<{ child: ChildProcess; socket: Socket; connection: MessageConnection }> {
  const child = spawnHelper(argumentOf());
  const [socket]: Socket[] = await once(meeting.server, 'connection');
  if (socket === undefined) throw new Error('no connection');
  socket.on('error', () => {});
  const connection = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
  connection.onError(() => {});
  return { child, socket, connection };
}

async function openTrusted() {
  const opened = await open();
  opened.connection.listen();
  await opened.connection.sendRequest('hello', { version: helperVersion, token: meeting.token });
  return opened;
}

/** Nothing was written, nowhere, and the helper says in one line what it refused. */
async function isRefused(pattern: RegExp): Promise<void> {
  await expect.poll(() => said, patience).toMatch(pattern);
  expect(await readFile(hosts, 'utf8')).toBe(original);
  expect(await readdir(folder)).toEqual(['hosts']);
}

const message = (body: string) => `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

describe('a caller', () => {
  it('that has not shown the token gets nothing', async () => {
    const { connection } = await open();
    connection.listen();
    for (const method of ['ping', 'checkHosts', 'setHosts', 'clearHosts', 'listen', 'unlisten', 'setAddresses']) {
      const request = connection.sendRequest(method, { session: 'sly', lines, addresses: [] });
      await expect(request).rejects.toThrow(/token/);
      await isRefused(new RegExp(`^refused "${method}": .*token`, 'm'));
    }
  });

  it('that shows a wrong token gets nothing', async () => {
    const { connection } = await open();
    connection.listen();
    for (const token of ['', 'x', meeting.token.slice(1), `${meeting.token}x`, 'x'.repeat(meeting.token.length)]) {
      await expect(connection.sendRequest('hello', { version: helperVersion, token })).rejects.toThrow(/wrong token/);
    }
    await expect(connection.sendRequest('setHosts', { session: 'sly', lines })).rejects.toThrow(/token/);
    await isRefused(/^refused "hello": .*wrong token/m);
  });

  it('that sends something wrong is refused, in one line each', async () => {
    const { connection } = await openTrusted();
    const wrongs: [string, unknown, RegExp][] = [
      ['address', { session: 's', lines: [{ address: '10.0.0.1', names: ['bank'] }] }, /address/],
      [
        'name with a newline',
        { session: 's', lines: [{ address: '127.64.0.1', names: ['a\n1.1.1.1 bank'] }] },
        /names/,
      ],
      ['name localhost', { session: 's', lines: [{ address: '127.64.0.1', names: ['localhost'] }] }, /localhost/],
      ['session that is a path', { session: '../../etc/passwd', lines }, /session/],
      ['session with a newline', { session: 's\n1.1.1.1 bank', lines }, /session/],
      ['file of its own', { session: 's', lines, file: '/etc/passwd' }, /file/],
      ['nothing', undefined, /expected object/],
      ['list', [[{ session: 's', lines }]], /expected object/],
    ];
    for (const [index, [name, parameters, why]] of wrongs.entries()) {
      await expect(connection.sendRequest('setHosts', parameters), name).rejects.toThrow(why);
      await isRefused(new RegExp(`^refused "setHosts": .*${why.source}`, 'm'));
      expect(said.trim().split('\n'), name).toHaveLength(index + 1);
    }
  });

  it('that asks for what there is not is refused, by a request and by a notification', async () => {
    const { connection } = await openTrusted();
    for (const method of ['run', 'toString', '__proto__', 'a\nb', `x${'y'.repeat(100)}`]) {
      await expect(connection.sendRequest(method, {})).rejects.toThrow(/no such method/);
    }
    await connection.sendNotification('setHosts', { session: 's', lines });
    await isRefused(/^refused "setHosts": There is no such method/m);
    expect(said.trim().split('\n')).toHaveLength(6);
    expect(await connection.sendRequest('ping')).toEqual({});
  });

  it.each([
    ['1 MB', longestMessage + 1],
    ['200 MB', 200_000_000],
    ['more than any memory', 999_999_999_999],
  ])('that announces a message of %s is hung up on before it is read', async (_name, length) => {
    const { child, socket } = await openTrusted();
    const piece = Buffer.alloc(65_536, 'x');
    socket.write(`Content-Length: ${length}\r\n\r\n`);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    let sent = 0;
    const more = () => {
      while (!socket.destroyed && sent < length && socket.write(piece)) sent += piece.length;
    };
    socket.on('drain', more);
    more();
    await closed;
    await once(child, 'close');
    expect(sent).toBeLessThan(100_000_000);
    await isRefused(new RegExp(`^refused the caller: a message of ${length} bytes`, 'm'));
  });

  it('whose long, but not too long, message is wrong is refused for what is in it', async () => {
    const { connection } = await openTrusted();
    const names = ['x'.repeat(longestMessage - 1_000)];
    const request = connection.sendRequest('setHosts', { session: 's', lines: [{ address: '127.64.0.1', names }] });
    await expect(request).rejects.toThrow(/names/);
    await isRefused(/^refused "setHosts"/m);
    expect(said.length).toBeLessThan(1_000);
  });

  it.each([
    ['garbage', Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 197) & 255))],
    ['a header without end', Buffer.from('Content-Length: 5\r\n'.repeat(1_000))],
    ['no length', Buffer.from('Content-Type: x\r\n\r\n{}')],
    ['a negative length', Buffer.from('Content-Length: -5\r\n\r\nhello')],
    ['nothing as message', Buffer.from('Content-Length: 0\r\n\r\n')],
    ['what is no JSON', Buffer.from(message('{"jsonrpc":'))],
    ['what is no JSON-RPC', Buffer.from(message('[1,2,3]'))],
    ['deep JSON', Buffer.from(message('['.repeat(400_000) + ']'.repeat(400_000)))],
  ])('that sends %s is hung up on or not listened to', async (_name, bytes) => {
    const { child, socket } = await openTrusted();
    socket.write(bytes);
    socket.end();
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
    await isRefused(/^refused |^$/);
  });

  it('that says nothing is let go when it goes', async () => {
    const { child, socket } = await open();
    socket.destroy();
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
    await isRefused(/^$/);
  });
});

describe('an argument', () => {
  it('that is not one, or leads elsewhere, is refused', async () => {
    const wrongs: [string, () => string, RegExp][] = [
      ['that is garbage', () => 'garbage!', /not one of this version/],
      ['that is empty', () => '', /not one of this version/],
      ['with more in it', () => argumentOf({ run: '/bin/sh' }), /not one of this version/],
      ['with a relative directory', () => argumentOf({ directory: '../..' }), /not one of this version/],
      [
        'with a NUL in its directory',
        () => argumentOf({ directory: `${meeting.directory}\0` }),
        /not one of this version/,
      ],
      ['with a directory of all', () => argumentOf({ directory: tmpdir() }), /ENOENT|alone/],
      ['with a directory of root’s', () => argumentOf({ directory: '/etc' }), /ENOENT|alone/],
      ['with a way around', () => argumentOf({ directory: `${meeting.directory}/../../etc` }), /ENOENT|alone/],
      ['with another user', () => argumentOf({ uid: uid + 1, hostsFile: undefined }), /alone/],
      ['with a hosts file of another user’s', () => argumentOf({ uid: uid + 1 }), /for tests/],
    ];
    const ends = wrongs.map(async ([name, argument, why]) => {
      const child = spawnHelper(argument());
      if (child.stderr === null) throw new Error('no standard error');
      expect(await text(child.stderr), name).toMatch(why);
      if (child.exitCode === null) await once(child, 'exit');
      expect(child.exitCode, name).not.toBe(0);
    });
    await Promise.all(ends);
    await isRefused(/./);
  });

  it.each(['SUDO_UID', 'PKEXEC_UID'])('of another user than %s says is refused', async (variable) => {
    const child = spawnHelper(argumentOf(), { [variable]: String(uid + 1) });
    await once(child, 'close');
    expect(child.exitCode).not.toBe(0);
    await isRefused(new RegExp(`User ${uid + 1} asked for it, not user ${uid}`));
  });

  it('whose directory is a link is refused, also to a good one', async () => {
    const link = join(folder, 'link');
    await symlink(meeting.directory, link);
    const child = spawnHelper(argumentOf({ directory: link }));
    await once(child, 'close');
    await rm(link);
    await isRefused(/alone/);
  });

  it('whose token is a link is refused', async () => {
    const secret = join(folder, 'secret');
    await writeFile(secret, 'x', { mode: 0o600 });
    await rm(join(meeting.directory, 'token'));
    await symlink(secret, join(meeting.directory, 'token'));
    const child = spawnHelper(argumentOf());
    await once(child, 'close');
    await rm(secret);
    await isRefused(/ELOOP/);
  });
});

describe('the end', () => {
  it('comes by itself when nothing is held and nothing asked, and is told to the client', async () => {
    const child = spawnHelper(argumentOf(), {}, '1000');
    const [socket]: Socket[] = await once(meeting.server, 'connection');
    if (socket === undefined) throw new Error('no connection');
    const connection = createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket));
    connection.listen();
    const closed = once(socket, 'close');
    await connection.sendRequest('hello', { version: helperVersion, token: meeting.token });
    await connection.sendRequest('setHosts', { session: 's', lines });
    // Several times as long as an idle one stays.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    await connection.sendRequest('clearHosts', { session: 's' });
    await Promise.all([closed, once(child, 'close')]);
    expect(child.exitCode).toBe(0);
    await isRefused(/^$/);
  });

  it('by an idle helper is survived: the next one is started', async () => {
    const options = { log: silentLog, hostsFile: hosts, signal };
    const idle = await startHelper({ ...options, command: [process.execPath, await withIdle()] });
    await idle.closed;
    await expect(idle.checkHosts(signal)).rejects.toMatchObject({ code: 'helper-failed', why: 'It is gone.' });
    await idle[Symbol.asyncDispose]();
    await using next = await startHelper({ ...options, command: [process.execPath, program] });
    await next.setHosts('s', lines, signal);
    expect(await readFile(hosts, 'utf8')).toContain('127.64.0.1 prices');
  });

  it('of a killed client leaves no meeting place, but nothing of anybody else’s goes with it', async () => {
    const { child, socket } = await openTrusted();
    await writeFile(join(meeting.directory, 'other'), '');
    await new Promise((resolve) => meeting.server.close(resolve).unref() && socket.destroy());
    await once(child, 'close');
    expect(await readdir(meeting.directory)).toEqual(['other']);
  });

  it('of a killed client whose directory is another by now touches that one not', async () => {
    const { child, socket } = await openTrusted();
    const precious = join(folder, 'precious');
    await mkdir(precious);
    await writeFile(join(precious, 'token'), 'mine');
    await rm(meeting.directory, { recursive: true });
    await symlink(precious, meeting.directory);
    socket.destroy();
    await once(child, 'close');
    expect(await readdir(precious)).toEqual(['token']);
    await rm(precious, { recursive: true });
    await rm(meeting.directory);
  });
});

/** A helper program that stays for a moment only. */
async function withIdle(): Promise<string> {
  const path = join(folder, 'idle.mjs');
  const module = JSON.stringify(join(import.meta.dirname, 'helper.ts'));
  await writeFile(
    path,
    `import { runHelper } from ${module};\nawait runHelper(process.argv[3], { idle: 200 });\nprocess.exit();\n`,
  );
  return path;
}

describe('a helper of another version', () => {
  /** The real program, as it was or will be: only its version is another. */
  async function ofVersion(version: number): Promise<string> {
    const outfile = join(folder, 'helper.mjs');
    await build({
      entryPoints: [program],
      outfile,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
      banner: { js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);" },
      plugins: [
        {
          name: 'another version',
          setup: (one) =>
            one.onLoad({ filter: /helper-protocol\.ts$/ }, async ({ path }) => {
              const source = await readFile(path, 'utf8');
              const contents = source.replace(/helperVersion = \d+/, `helperVersion = ${version}`);
              expect(contents).not.toBe(source);
              return { contents, loader: 'ts' };
            }),
        },
      ],
    });
    return outfile;
  }

  it.each([
    [helperVersion - 1, /older.*earlier installation/, /Install/],
    [helperVersion + 1, /newer.*updated while the session ran/, /End this session/],
  ])('%s is told with which is newer and what to do', async (version, why, remedy) => {
    const helper = await ofVersion(version);
    const start = startHelper({ log: silentLog, command: [process.execPath, helper], hostsFile: hosts, signal });
    await expect(start).rejects.toMatchObject({
      code: 'helper-failed',
      what: expect.stringContaining('another version'),
      why: expect.stringMatching(why),
      remedy: expect.stringMatching(remedy),
    });
    expect(await readFile(hosts, 'utf8')).toBe(original);
  });
});
