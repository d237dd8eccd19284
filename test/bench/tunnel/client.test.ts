import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { connectionTimes, idleConnections, timesBeside, transferRate, type Way } from './client.ts';
import { buildProbe } from './probe.ts';

const folder = mkdtempSync(join(tmpdir(), 'bench-client-'));
const program = join(folder, 'probe');
const undo = new AsyncDisposableStack();
let way: Way;

beforeAll(async () => {
  await buildProbe(program);
  const server = spawn(program, ['serve', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  undo.defer(async () => {
    server.kill();
    await once(server, 'exit');
  });
  const [line] = await once(createInterface({ input: server.stdout }), 'line');
  const { port } = z.object({ port: z.number() }).parse(JSON.parse(String(line)));
  way = { probe: [program], wrk: ['wrk'], address: `127.0.0.1:${port}` };
});
afterAll(async () => {
  await undo.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
});

it('times each new connection', async () => {
  const times = await connectionTimes(way, 7);
  expect(times).toHaveLength(7);
  expect(Math.min(...times)).toBeGreaterThan(0);
});

it.each(['download', 'upload'] as const)(
  'moves all bytes of a %s, and times connections beside one',
  async (direction) => {
    expect(await transferRate(way, direction, 4, 5_000_001)).toBeGreaterThan(0);
    const { times, rate } = await timesBeside(way, direction, 300);
    expect(times).toHaveLength(300);
    expect(rate).toBeGreaterThan(0);
  },
);

it('holds as many idle connections as it is told, until it is let go', async () => {
  let open = 0;
  const server = createServer((socket) => {
    open++;
    // The first byte is what is wanted, the second comes back.
    socket.once('data', () => socket.write('x'));
    socket.on('error', () => {}).once('close', () => open--);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  {
    await using idle = idleConnections({ ...way, address: `127.0.0.1:${port}` });
    await idle.open(5);
    expect(open).toBe(5);
    await idle.open(40);
    expect(open).toBe(40);
  }
  await vi.waitFor(() => expect(open).toBe(0));
  server.close();
});

it('says what went wrong where nobody listens', async () => {
  await expect(connectionTimes({ ...way, address: '127.0.0.1:1' }, 1)).rejects.toThrow('connection refused');
});
