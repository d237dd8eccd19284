import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { userInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../problem.ts';
import { assertPortFree, findPortOwner, listeningPorts } from './ports.ts';

async function listening(host: string): Promise<{ port: number } & AsyncDisposable> {
  const server: Server = createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())) };
}

describe('findPortOwner', () => {
  it.each(['127.0.0.1', '0.0.0.0', '::'])('finds this process on %s', async (address) => {
    await using server = await listening(address);
    expect(await findPortOwner(server.port)).toMatchObject({
      pid: process.pid,
      address,
      name: expect.stringMatching(/./),
      user: userInfo().username,
    });
  });

  it('tells whether the owner is in the way of an address', async () => {
    await using one = await listening('127.64.0.1');
    expect(await findPortOwner(one.port, '127.64.0.2')).toBeUndefined();
    expect(await findPortOwner(one.port, '127.64.0.1')).toMatchObject({ pid: process.pid });
    expect(await findPortOwner(one.port, '0.0.0.0')).toMatchObject({ pid: process.pid });
    // Such an address stands for a Service; who asks for a program does not mean that.
    expect(await findPortOwner(one.port)).toBeUndefined();
    await using all = await listening('::');
    expect(await findPortOwner(all.port, '127.64.0.2')).toMatchObject({ pid: process.pid, address: '::' });
  });

  it('finds nobody on a free port', async () => {
    const { port } = await freed();
    expect(await findPortOwner(port)).toBeUndefined();
  });
});

describe('assertPortFree', () => {
  it('names the owner', async () => {
    await using server = await listening('0.0.0.0');
    const error = await assertPortFree('127.0.0.1', server.port).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(Problem);
    expect(error).toMatchObject({
      code: 'port-in-use',
      why: expect.stringContaining(
        `(pid ${process.pid}, user ${userInfo().username}) listens on 0.0.0.0:${server.port}`,
      ),
    });
  });

  it('leaves a free port free', async () => {
    const { port } = await freed();
    await assertPortFree('127.0.0.1', port);
    await assertPortFree('127.0.0.1', port);
  });
});

describe('listeningPorts', () => {
  it('sees the descendants of a process and nobody else', async () => {
    await using own = await listening('127.0.0.1');
    const listen = `const s = require('net').createServer().listen(0, '127.0.0.9', () => console.log(s.address().port));`;
    const spawnChild = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(listen)}], { stdio: 'inherit' });`;
    const script = `${spawnChild} process.stdin.resume()`;
    const grandparent = spawn(process.execPath, ['-e', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      const [printed] = await once(grandparent.stdout, 'data');
      const port = Number(String(printed).trim());
      const places = await listeningPorts([grandparent.pid ?? 0]);
      expect(places).toEqual([{ pid: expect.any(Number), address: '127.0.0.9', port }]);
      expect(places[0]?.pid).not.toBe(grandparent.pid);
      const ours = await listeningPorts([process.pid]);
      expect(ours).toContainEqual({ pid: process.pid, address: '127.0.0.1', port: own.port });
      process.kill(places[0]?.pid ?? 0);
    } finally {
      grandparent.kill();
    }
    expect(await listeningPorts([])).toEqual([]);
  });
});

async function freed(): Promise<{ port: number }> {
  await using server = await listening('127.0.0.1');
  return { port: server.port };
}
