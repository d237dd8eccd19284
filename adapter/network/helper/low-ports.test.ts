/** Ports that the real helper process listens on for its client: what arrives there, from end to end. */
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Duplex, PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../diagnostics/log.ts';
import { listenDatagrams } from '../../tunnel/datagram-listener.ts';
import { ask, connected, echo } from '../../tunnel/datagram-test-bed.ts';
import { DialError, failedStream } from '../../tunnel/dial-error.ts';
import { runCommand } from '../platform/run-command.ts';
import { type PrivilegedHelper, startHelper } from './helper-client.ts';

const program = join(import.meta.dirname, '../../../test/e2e/workstation-helper.ts');
const patience = { timeout: 20_000, interval: 20 };
const { signal } = new AbortController();
const address = '127.64.3.7';

let folder = '';
let helper: PrivilegedHelper;
let port = 0;
let cleanup: (() => unknown)[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'low-ports-'));
  await writeFile(join(folder, 'hosts'), '');
  helper = await start();
});
afterAll(async () => {
  await helper[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  cleanup = [];
  port = await freePort();
});
afterEach(async () => {
  for (const free of cleanup.reverse()) await free();
});

function start(): Promise<PrivilegedHelper> {
  const command = [process.execPath, program];
  return startHelper({ log: silentLog, command, hostsFile: join(folder, 'hosts'), signal });
}

async function freePort(): Promise<number> {
  const server = createServer().listen({ host: address, port: 0 });
  await once(server, 'listening');
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

/** A server of the test's own, in the cluster's place. */
async function destination(handle: (socket: Socket) => void): Promise<() => Socket> {
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    cleanup.push(() => void socket.destroy());
    socket.on('error', () => {});
    handle(socket);
  }).listen({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  cleanup.push(() => new Promise((resolve) => server.close(resolve)));
  const bound = server.address();
  const at = typeof bound === 'object' && bound !== null ? bound.port : 0;
  return () => connect({ port: at, host: '127.0.0.1', allowHalfOpen: true });
}

function listen(dial: () => Socket, errors: Error[] = [], by = helper): Promise<AsyncDisposable> {
  return by.listen({ address, port, dial, onError: (error) => errors.push(error), signal });
}

function client(): Socket {
  const socket = connect({ port, host: address, allowHalfOpen: true });
  cleanup.push(() => void socket.destroy());
  return socket;
}

describe('a connection', () => {
  it('carries both directions, each to its own end', async () => {
    await using _listener = await listen(
      await destination(async (socket) => {
        socket.write('first\n');
        const all = await buffer(socket);
        socket.end(`got ${all.length} bytes`);
      }),
    );
    const socket = client();
    const answer = buffer(socket);
    await once(socket, 'data');
    for (let piece = 0; piece < 100; piece++) socket.write(Buffer.alloc(50_000, piece));
    socket.end();
    expect(String(await answer)).toMatch(/^(?:first\n)?got 5000000 bytes$/);
  });

  it('carries bytes unchanged, in both directions at once', async () => {
    await using _listener = await listen(await destination((socket) => socket.pipe(socket)));
    const socket = client();
    const sent = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * 2_654_435_761) >>> 24));
    const answer = buffer(socket.pipe(new PassThrough()));
    socket.end(sent);
    expect((await answer).equals(sent)).toBe(true);
  });

  it('that the far end resets is reset, and not ended', async () => {
    await using _listener = await listen(
      await destination((socket) => {
        socket.once('data', () => socket.resetAndDestroy());
      }),
    );
    const socket = client();
    socket.write('x');
    const [error] = await once(socket, 'error');
    expect(error).toMatchObject({ code: 'ECONNRESET' });
  });

  it('that the near end resets is reset at the far end', async () => {
    const far = Promise.withResolvers<Error>();
    await using _listener = await listen(
      await destination((socket) => {
        socket.once('error', far.resolve).write('hello');
        socket.resume();
      }),
    );
    const socket = client();
    await once(socket, 'data');
    socket.resetAndDestroy();
    expect(await far.promise).toMatchObject({ code: 'ECONNRESET' });
  });

  it('waits for a reader: what is not taken stays with its writer', async () => {
    let written = 0;
    await using _listener = await listen(
      await destination((socket) => {
        const chunk = Buffer.alloc(65_536);
        const more = () => {
          while (!socket.destroyed && socket.write(chunk)) written += chunk.length;
        };
        socket.on('drain', more).on('error', () => {});
        more();
      }),
    );
    const socket = client();
    await expect.poll(() => written, patience).toBeGreaterThan(0);
    let before = -1;
    await expect
      .poll(
        () => {
          const stands = written === before;
          before = written;
          return stands;
        },
        { ...patience, interval: 300 },
      )
      .toBe(true);
    // Kernel buffers of three sockets and no more; it would be endless otherwise.
    expect(written).toBeLessThan(64 * 1024 * 1024);
    let taken = 0;
    socket.on('data', (data) => {
      taken += data.length;
    });
    const waited = written;
    await expect.poll(() => taken, patience).toBeGreaterThan(waited);
  });

  it('whose destination fails is reset, and the failure told', async () => {
    const errors: Error[] = [];
    await using _listener = await listen(() => connect({ port: 1, host: '127.0.0.1' }), errors);
    const [error] = await once(client(), 'error');
    expect(error).toMatchObject({ code: 'ECONNRESET' });
    expect(errors).toMatchObject([{ code: 'ECONNREFUSED' }]);
  });

  it('is reset when its listener closes, and the port is free again', async () => {
    const listener = await listen(await destination((socket) => void socket.write('hello')));
    const socket = client();
    await once(socket, 'data');
    const failed = once(socket, 'error');
    await listener[Symbol.asyncDispose]();
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
    expect((await once(client(), 'error'))[0]).toMatchObject({ code: 'ECONNREFUSED' });
    await using _again = await listen(await destination((other) => void other.end()));
  });

  it('is reset when the helper is killed', async () => {
    const own = await start();
    cleanup.push(() => own[Symbol.asyncDispose]());
    await listen(await destination((socket) => void socket.write('hello')), [], own);
    const socket = client();
    await once(socket, 'data');
    const failed = once(socket, 'error');
    process.kill(own.pid, 'SIGKILL');
    await own.closed;
    expect((await failed)[0]).toMatchObject({ code: 'ECONNRESET' });
  });
});

describe('a port', () => {
  it('that somebody uses is told with the system’s code', async () => {
    const other = createServer().listen({ host: address, port });
    await once(other, 'listening');
    cleanup.push(() => other.close());
    const start = listen(() => expect.unreachable());
    await expect(start).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('outside 127.64.0.0/10, or that is none, is refused', async () => {
    const places: [string, number][] = [
      ['10.0.0.1', 8080],
      ['127.0.0.1', 8080],
      ['127.63.255.255', 8080],
      ['127.128.0.1', 8080],
      ['0.0.0.0', 8080],
      ['::1', 8080],
      [address, 0],
      [address, 65_536],
      [address, 80.5],
    ];
    for (const [host, number] of places) {
      const start = helper.listen({ address: host, port: number, dial: expect.unreachable, onError: () => {}, signal });
      await expect(start, `${host}:${number}`).rejects.toMatchObject({ code: 'helper-failed' });
    }
  });

  it('is offered to many at once', async () => {
    const dial = await destination((socket) => void socket.end('x'));
    const ports = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const where = `127.64.9.${index + 1}`;
        const listener = await helper.listen({ address: where, port, dial, onError: () => {}, signal });
        cleanup.push(() => listener[Symbol.asyncDispose]());
        return where;
      }),
    );
    const answers = await Promise.all(ports.map((where) => buffer(connect({ port, host: where }))));
    expect(new Set(answers.map(String))).toEqual(new Set(['x']));
  });
});

describe('a UDP port', () => {
  const cluster = { dial: { host: 'dns' } };
  const listenUdp = (dial: () => Duplex, by = helper, errors: Error[] = []) =>
    by.listen({ address, port, protocol: 'UDP', dial, onError: (error) => errors.push(error), signal });

  it('carries datagrams whole from each source, answers from its own address, and is free afterwards', async () => {
    const listener = await listenUdp(() => echo(cluster, 53));
    expect(await Promise.all(['one', 'two'].map((text) => ask(port, address, text)))).toEqual([
      'dns:53 one',
      'dns:53 two',
    ]);
    const large = 'x'.repeat(60_000);
    expect(await ask(port, address, large)).toBe(`dns:53 ${large}`);
    await listener[Symbol.asyncDispose]();
    await vi.waitFor(
      () => expect(ask(port, address, 'gone?')).rejects.toMatchObject({ code: 'ECONNREFUSED' }),
      patience,
    );
    await using _again = await listenUdp(() => echo(cluster, 54));
    expect(await ask(port, address, 'new')).toBe('dns:54 new');
  });

  it('has a number that TCP has too', async () => {
    await using _tcp = await listen(await destination((socket) => void socket.end('by TCP')));
    await using _udp = await listenUdp(() => echo(cluster, 53));
    expect(String(await buffer(client()))).toBe('by TCP');
    expect(await ask(port, address, 'by UDP')).toBe('dns:53 by UDP');
  });

  it('that somebody uses is told with the system’s code', async () => {
    await using _other = await listenDatagrams({ address, port, dial: expect.unreachable, onError: () => {}, signal });
    await expect(listenUdp(expect.unreachable)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });

  it('comes back when the relay is killed', async () => {
    const own = await start();
    cleanup.push(() => own[Symbol.asyncDispose]());
    await listenUdp(() => echo(cluster, 53), own);
    expect(await ask(port, address, 'before')).toBe('dns:53 before');
    const { stdout } = await runCommand(['/usr/bin/pgrep', '--parent', String(own.pid)], signal);
    process.kill(Number(stdout.trim()), 'SIGKILL');
    await vi.waitFor(async () => expect(await ask(port, address, 'after')).toBe('dns:53 after'), patience);
  });

  it('tells of a cluster that is not reached, and serves the next datagram', async () => {
    const errors: Error[] = [];
    let stands = false;
    const refused = () => failedStream(new DialError('ENETUNREACH', 'dns', 53));
    await using _listener = await listenUdp(() => (stands ? echo(cluster, 53) : refused()), helper, errors);
    const socket = await connected(port, address);
    cleanup.push(() => socket.close());
    socket.send('lost');
    await vi.waitFor(() => expect(errors).toMatchObject([{ code: 'ENETUNREACH' }]), patience);
    stands = true;
    await vi.waitFor(async () => expect(await ask(port, address, 'next')).toBe('dns:53 next'), patience);
  });
});

it('leaves nothing in the temporary folder', async () => {
  vi.stubEnv('TMPDIR', folder);
  cleanup.push(() => vi.unstubAllEnvs());
  const own = await start();
  expect(await readdir(folder)).toHaveLength(2);
  await listen(() => expect.unreachable(), [], own);
  await own[Symbol.asyncDispose]();
  expect(await readdir(folder)).toEqual(['hosts']);
});
