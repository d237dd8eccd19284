import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DapClient } from '../../../test/dap-client.ts';
import { silentLog } from '../../diagnostics/log.ts';
import { listeningSockets } from '../../network/ports/socket-table.ts';
import { Problem } from '../../problem.ts';
import { fake } from '../fixtures/scene.ts';
import { isRaw } from '../message.ts';
import type { Peers } from './admission.ts';
import { type ServerOptions, serveMany } from './server.ts';

/** Nothing ends by itself while a test looks at it. */
const patient = { first: 600_000, next: 600_000 };
const nobodyKnows: Peers = { told: false, of: async () => 'unknown' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-server-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Running {
  readonly where: string;
  readonly lines: string[];
  readonly warnings: string[];
  readonly closed: number[];
  readonly code: Promise<number>;
}

const running = new Set<Running>();
afterEach(async () => {
  // As a signal would: every server and every session of this process hears it.
  process.emit('SIGTERM');
  for (const { code } of running) await code;
  running.clear();
});

/** A server whose sessions have surroundings of their own; one that is told to launch "defect" throws in them. */
async function start(options: Partial<ServerOptions> = {}): Promise<Running> {
  const [lines, warnings, closed]: [string[], string[], number[]] = [[], [], []];
  const ready = Promise.withResolvers<void>();
  let sessions = 0;
  const code = serveMany({
    place: { port: 0 },
    stay: false,
    log: silentLog,
    patience: patient,
    open: () => {
      const session = ++sessions;
      return {
        options: {
          delegate: 'fake',
          profiles: [fake([])],
          surroundings: {
            parse: (args, request) => ({
              delegateType: 'fake',
              request,
              delegateArguments: isRaw(args) ? { ...args } : {},
            }),
            connect: async (args) => {
              if (isRaw(args) && args.program === 'defect') process.emit('uncaughtException', new Error('a defect'));
              return { environment: { SESSION: String(session) }, summary: 'Connected.' };
            },
            processStarted: () => {},
            disconnect: async () => 'undone',
          },
        },
        close: async () => void closed.push(session),
      };
    },
    say: (line) => {
      lines.push(line);
      ready.resolve();
    },
    warn: (line) => void warnings.push(line),
    ...options,
  });
  await Promise.race([ready.promise, code]);
  const where = lines[0]?.replace('DAP server listening at: ', '') ?? '';
  const one = { where, lines, warnings, closed, code };
  running.add(one);
  return one;
}

async function dial({ where }: Running): Promise<DapClient> {
  const port = /^127\.0\.0\.1:(\d+)$/.exec(where)?.[1];
  const socket = port === undefined ? connect(where) : connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  return DapClient.over(socket, socket);
}

/** As far as a running program; resolves with the environment that it was given. */
async function launch(client: DapClient, args: object = {}): Promise<unknown> {
  await client.request('initialize', { adapterID: 'kubernetes-local' });
  await client.request('launch', args);
  const received = await client.request<{ command?: string; arguments?: { env?: unknown } }[]>('received');
  return received.find(({ command }) => command === 'launch')?.arguments?.env;
}

describe('a server', () => {
  test('says in one line where it listens, and serves sessions one after another and at once', async () => {
    const server = await start();
    expect(server.lines).toEqual([expect.stringMatching(/^DAP server listening at: 127\.0\.0\.1:\d+$/)]);
    const [a, b] = [await dial(server), await dial(server)];
    const given = await Promise.all([launch(a), launch(b)]);
    expect(new Set(given)).toEqual(new Set([{ SESSION: '1' }, { SESSION: '2' }]));
    await a.request('disconnect');
    await a.exited;
    const c = await dial(server);
    expect(await launch(c)).toEqual({ SESSION: '3' });
    await b.request('disconnect');
    await c.request('disconnect');
    await Promise.all([b.exited, c.exited]);
    await vi.waitFor(() => expect(server.closed.toSorted()).toEqual([1, 2, 3]));
  });

  test('listens at 127.0.0.1 and nowhere else', async () => {
    const server = await start();
    const port = Number(server.where.split(':')[1]);
    const ours = (await listeningSockets('self')).filter((socket) => socket.port === port);
    expect(ours.map(({ address }) => address)).toEqual(['127.0.0.1']);
    const others = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ internal }) => !internal);
    for (const { address, scopeid } of others) {
      const socket = connect(port, scopeid ? `${address}%${scopeid}` : address);
      const [error] = await once(socket, 'error');
      expect(error).toMatchObject({ code: expect.stringMatching(/ECONNREFUSED|EADDRNOTAVAIL|EINVAL/) });
    }
  });

  test('ends when its last session has ended and none follows', async () => {
    const server = await start({ patience: { first: 600_000, next: 10 } });
    const client = await dial(server);
    await launch(client);
    await client.request('disconnect');
    expect(await server.code).toBe(0);
    expect(server.closed).toEqual([1]);
  });

  test('does not take a look at whether it listens for a session', async () => {
    const server = await start({ patience: { first: 600_000, next: 10 } });
    const look = await dial(server);
    look.endInput();
    await look.exited;
    const client = await dial(server);
    expect(await launch(client)).toEqual({ SESSION: expect.any(String) });
    await client.request('disconnect');
    expect(await server.code).toBe(0);
    expect(server.warnings).toEqual([]);
  });

  test('ends when nobody comes', async () => {
    expect(await (await start({ patience: { first: 10, next: 600_000 } })).code).toBe(0);
  });

  test('that stays waits for a signal, which ends every session first', async () => {
    const server = await start({ stay: true, patience: { first: 0, next: 0 } });
    const gone = await dial(server);
    await launch(gone);
    await gone.request('disconnect');
    await gone.exited;
    const [a, b] = [await dial(server), await dial(server)];
    await Promise.all([launch(a), launch(b)]);
    process.emit('SIGHUP');
    expect(await server.code).toBe(0);
    expect(server.closed.toSorted()).toEqual([1, 2, 3]);
    await Promise.all([a.exited, b.exited]);
    await expect(dial(server)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('goes on with the others when one fails', async () => {
    const server = await start();
    const other = await dial(server);
    await launch(other);
    await launch(await dial(server), { program: 'defect' });
    const rude = connect(Number(server.where.split(':')[1]), '127.0.0.1');
    await once(rude, 'connect');
    rude.write('Content-Length: 5\r\n\r\n{{{{{');
    rude.resetAndDestroy();
    expect(server.warnings).toEqual(['A debug session failed: a defect']);
    expect(await other.request('echo')).toMatchObject({ command: 'echo' });
  });

  test('ends with the exit code of a session that failed', async () => {
    const open = () => ({
      options: {
        profiles: [fake([])],
        surroundings: {
          parse: () => {
            throw new Problem({ code: 'missing-key', what: 'No.', why: '', remedy: '' });
          },
          connect: async () => ({ environment: {}, summary: '' }),
          processStarted: () => {},
          disconnect: async () => 'undone' as const,
        },
      },
      close: async () => {},
    });
    const server = await start({ open, patience: { first: 600_000, next: 10 } });
    const client = await dial(server);
    await expect(launch(client)).rejects.toThrow('No.');
    await client.request('disconnect');
    expect(await server.code).toBe(2);
  });

  test('says what is in the way of its port', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    await expect(start({ place: { port } })).rejects.toMatchObject({ code: 'listen-failed', why: /EADDRINUSE/ });
    other.close();
  });
});

describe('whom it serves', () => {
  test('refuses another user of the computer', async () => {
    const server = await start();
    const port = server.where.split(':')[1];
    // Root can become somebody else; another user already is, for a server of root's: so this needs root.
    const script = `import encodings.idna, os, socket
os.setuid(65534)
with socket.create_connection(("127.0.0.1", ${port})) as s: print(len(s.recv(1)))`;
    const stranger = spawn('python3', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = await once(stranger.stdout, 'data');
    expect(String(said).trim()).toBe('0');
    expect(server.warnings).toEqual(['A connection of another user of this computer was refused.']);
    expect(server.closed).toEqual([]);
    expect(await launch(await dial(server))).toEqual({ SESSION: '1' });
  });

  test('where nobody knows whose a connection is: the first, and each other one for one token', async () => {
    const server = await start({ peers: nobodyKnows });
    const token = () => server.lines.at(-1)?.replace('Token of the next session: ', '');
    await launch(await dial(server));
    await expect(launch(await dial(server))).rejects.toMatchObject({ body: { error: { id: 5009 } } });
    await expect(launch(await dial(server), { __kubernetesLocal: { token: 'guess' } })).rejects.toThrow('token');
    const first = token();
    await launch(await dial(server), { __kubernetesLocal: { token: first } });
    await expect(launch(await dial(server), { __kubernetesLocal: { token: first } })).rejects.toThrow('token');
    expect(token()).not.toBe(first);
    await launch(await dial(server), { __kubernetesLocal: { token: token() } });
  });

  test('where nobody knows, a server that stays asks the first one for its token too', async () => {
    const server = await start({ peers: nobodyKnows, stay: true });
    await expect(launch(await dial(server))).rejects.toThrow('token');
    const [, line] = server.lines;
    const token = line?.replace('Token of the next session: ', '');
    await launch(await dial(server), { __kubernetesLocal: { token } });
  });
});

describe('a Unix socket', () => {
  test('is the user’s only, serves sessions, and is removed at the end', async () => {
    const path = join(folder, 'dap.sock');
    const server = await start({ place: { path }, patience: { first: 600_000, next: 10 } });
    expect(server.where).toBe(path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const client = await dial(server);
    expect(await launch(client)).toEqual({ SESSION: '1' });
    await client.request('disconnect');
    expect(await server.code).toBe(0);
    expect(existsSync(path)).toBe(false);
  });

  test('takes the place of one whose server was killed', async () => {
    const path = join(folder, 'dap.sock');
    const bind = 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])';
    execFileSync('python3', ['-c', bind, path]);
    const server = await start({ place: { path } });
    expect(await launch(await dial(server))).toEqual({ SESSION: '1' });
  });

  test('does not take the place of a live one', async () => {
    const path = join(folder, 'dap.sock');
    const server = await start({ place: { path } });
    await expect(start({ place: { path } })).rejects.toMatchObject({ code: 'listen-failed', why: /listens there/ });
    // The other one's look was the first.
    expect(await launch(await dial(server))).toEqual({ SESSION: '2' });
  });

  test('does not take the place of anything else', async () => {
    const path = join(folder, 'precious');
    writeFileSync(path, 'precious');
    chmodSync(path, 0o600);
    await expect(start({ place: { path } })).rejects.toMatchObject({ code: 'listen-failed', why: /no socket/ });
    expect(existsSync(path)).toBe(true);
  });
});
