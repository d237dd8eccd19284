/**
 * Connections from the cluster to this computer and back, over the real Service: what the user is told when nothing
 * answers, and that neither side needs to speak first or to speak as long as the other.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Snapshot } from '../stage/snapshot.ts';
import { openWorld, type World } from '../stage/world.ts';
import { cartConfiguration, startAdapter } from './cart-session.ts';
import { freePort, placeOptions, type RunningCommand, startCommand } from './command-line.ts';

const namespace = 'e2e-notices';
const python = '/usr/bin/python3';
const cleanups: (() => unknown)[] = [];
let world: World;
let before: Snapshot;
let address: string;

beforeAll(async () => {
  world = await openWorld(namespace);
  address = await world.shop.kubectl.run([
    'get',
    'service',
    'cart',
    '-n',
    namespace,
    '-o',
    'jsonpath={.spec.clusterIP}',
  ]);
});
afterAll(() => world?.[Symbol.asyncDispose]());
beforeEach(async () => {
  before = await world.snapshot();
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  await world.asBefore(before);
});

function start(
  command: readonly string[],
  mapping: readonly string[],
  program: readonly string[] = [],
): RunningCommand {
  const started = startCommand(world, [...command, ...mapping, ...placeOptions(world), ...program]);
  cleanups.push(() => started.kill('SIGTERM'));
  return started;
}

async function connected(target: string, ...mapping: readonly string[]): Promise<RunningCommand> {
  const command = start(['connect', '--target', target], mapping);
  await command.saw('Ready.');
  return command;
}

/** What a shell in another pod of the namespace prints; a failure is part of it. */
function inTheCluster(script: string): Promise<string> {
  const command = ['exec', '-n', namespace, 'visitor', '--', 'sh', '-c', `${script} || echo "failed with $?"`];
  return world.shop.kubectl.run(command);
}

/** A request to the cart from the cluster that nobody answers. */
async function vainRequest(): Promise<void> {
  expect(await inTheCluster(`timeout 20 wget -q -O - http://${address}/`)).toMatch(/^failed with 1\n$/);
}

function warnings(command: RunningCommand): readonly string[] {
  return command
    .stderr()
    .split('\n')
    .filter((line) => line.startsWith('warning: '));
}

async function listen(port: number, serve: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, serve);
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
  cleanups.push(() => server.close());
  return server;
}

describe('a request that nobody here answers', () => {
  it('is told once, with the port and what to do, and the next one is answered when the program has started', async () => {
    const port = await freePort();
    const command = await connected('cart', '--port', `http:${port}`);
    await Promise.all([vainRequest(), vainRequest(), vainRequest()]);
    await command.saw('warning: ');
    expect(warnings(command)).toEqual([
      `warning: A request for port 8080 of cart arrived, but nothing listens on 127.0.0.1:${port}. ` +
        'Start your program, or name its port with "ports": { "8080": PORT } (--port 8080:PORT).',
    ]);
    await listen(port, (socket) => {
      socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nhere I am'));
    });
    expect(await inTheCluster(`timeout 20 wget -q -O - http://${address}/`)).toBe('here I am');
    expect(warnings(command)).toHaveLength(1);
  });

  it('names the port on which the program listens instead', async () => {
    const [expected, actual] = [await freePort(), await freePort()];
    const program = ['--', python, '-m', 'http.server', String(actual), '--bind', '127.0.0.1'];
    const command = start(['run', '--target', 'cart'], ['--port', `http:${expected}`], program);
    await eventuallyListens(actual);
    await vainRequest();
    await command.saw(`"ports": { "8080": ${actual} } (--port 8080:${actual})`);
    const [warning, ...others] = warnings(command);
    expect(others).toEqual([]);
    expect(warning).toMatch(
      new RegExp(
        `nothing listens on 127.0.0.1:${expected}. Your program \\(pid \\d+\\) listens on 127.0.0.1:${actual}:`,
      ),
    );
  });

  it('names the address on which the program listens instead', async () => {
    const port = await freePort();
    const program = ['--', python, '-m', 'http.server', String(port), '--bind', '127.0.0.2'];
    const command = start(['run', '--target', 'cart'], ['--port', `http:${port}`], program);
    await eventuallyListens(port, '127.0.0.2');
    await vainRequest();
    await command.saw('warning: ');
    expect(warnings(command)).toEqual([
      expect.stringMatching(
        new RegExp(
          `python3\\S* \\(pid \\d+\\) listens on 127.0.0.2:${port} only: let it listen on 127.0.0.1 or on all`,
        ),
      ),
    ]);
  });

  it('does not take our own listener for a Service of the same port for the user’s program', async () => {
    // Redis has the same port in the pod, as a Service, and here.
    const command = await connected('redis');
    const service = ['get', 'service', 'redis', '-n', namespace, '-o', 'jsonpath={.spec.clusterIP}'];
    const redis = await world.shop.kubectl.run(service);
    expect(await inTheCluster(`printf 'PING\\r\\n' | timeout 20 nc ${redis} 6379 | grep PONG`)).toBe('failed with 1\n');
    await command.saw('warning: ');
    expect(warnings(command)).toEqual([
      'warning: A request for port 6379 of redis arrived, but nothing listens on 127.0.0.1:6379. ' +
        'Start your program, or name its port with "ports": { "6379": PORT } (--port 6379:PORT).',
    ]);
  });

  it('is told in the IDE too, with the port of the program under the debugger', async () => {
    const [expected, actual] = [await freePort(), await freePort()];
    const client = await startAdapter(world, '--delegate', 'debugpy');
    cleanups.push(() => client.kill('SIGTERM'));
    const { delegate, ...configuration } = cartConfiguration(world, { ports: { http: expected } });
    const initialized = client.waitForEvent('initialized');
    const launched = client.request('launch', {
      ...configuration,
      delegate: { ...z.record(z.string(), z.unknown()).parse(delegate), env: { PORT: String(actual) } },
    });
    await Promise.race([initialized, launched]);
    await client.request('configurationDone');
    await launched;
    await client.waitForEvent<{ output: string }>('output', ({ output }) =>
      output.includes(`listens on port ${actual}`),
    );
    await vainRequest();
    const notice = await client.waitForEvent<{ output: string; category: string }>('output', ({ output }) =>
      output.includes(`nothing listens on 127.0.0.1:${expected}`),
    );
    expect(notice).toMatchObject({
      category: 'important',
      output: expect.stringContaining(`set "ports": { "8080": ${actual} }`),
    });
    await client.request('disconnect', { terminateDebuggee: true });
    client.endInput();
    expect(await client.exited).toEqual({ code: 0, signal: null });
  });

  async function eventuallyListens(port: number, host = '127.0.0.1'): Promise<void> {
    const isThere = () =>
      new Promise<boolean>((resolve) => {
        const socket = connect({ port, host });
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
        socket.once('connect', () => socket.destroy());
      });
    await expect.poll(isThere, { timeout: 60_000 }).toBe(true);
  }
});

describe('a connection', () => {
  it('from the cluster hears a server that speaks first, and its answer after the caller’s end', async () => {
    const port = await freePort();
    await listen(port, async (socket) => {
      socket.write('220 welcome\n');
      let said = '';
      socket.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      socket.once('end', async () => {
        // The caller has closed its half long ago when the answer comes.
        await delay(300);
        socket.end(`you said ${said}, ${said.length} characters\n`);
      });
    });
    await connected('cart', '--port', `http:${port}`);
    const said = await inTheCluster(`printf 'one line' | timeout 20 nc ${address} 80`);
    expect(said).toBe('220 welcome\nyou said one line, 8 characters\n');
  });

  it('from the cluster carries much in both directions, and an end in one only', async () => {
    const port = await freePort();
    const size = 3_000_000;
    let received = 0;
    await listen(port, (socket) => {
      socket.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      // The caller's end comes first: its nc gives up what it has not sent when ours does.
      socket.write(Buffer.alloc(size, 'x'));
      socket.once('end', () => socket.end());
    });
    await connected('cart', '--port', `http:${port}`);
    const answer = await inTheCluster(`head -c ${size} /dev/zero | timeout 60 nc ${address} 80 | wc -c`);
    expect(Number(answer)).toBe(size);
    await expect.poll(() => received, { timeout: 20_000 }).toBe(size);
  });

  it('to a Service ends in one direction only', async () => {
    const program = [
      'import socket',
      's = socket.create_connection(("redis", 6379))',
      's.sendall(b"PING\\r\\nECHO hello\\r\\n")',
      's.shutdown(socket.SHUT_WR)',
      'print(b"".join(iter(lambda: s.recv(100), b"")))',
    ].join('\n');
    const port = await freePort();
    const command = start(['run', '--target', 'cart'], ['--port', `http:${port}`], ['--', python, '-c', program]);
    expect(await command.ended).toMatchObject({ code: 0, stdout: "b'+PONG\\r\\n$5\\r\\nhello\\r\\n'\n" });
  });

  it('to a Service port that nobody listens on is refused, not left open', async () => {
    const program = [
      'import socket',
      's = socket.create_connection(("cart", 80))',
      'try: print(s.recv(100))',
      'except ConnectionResetError: print("reset")',
    ].join('\n');
    const port = await freePort();
    const command = start(['run', '--target', 'cart'], ['--port', `http:${port}`], ['--', python, '-c', program]);
    expect(await command.ended).toMatchObject({ code: 0, stdout: 'reset\n' });
  });
});
