import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { MessageConnection } from 'vscode-jsonrpc/node';
import { silentLog } from '../../diagnostics/log.ts';
import { isAlive, startFamily } from '../../processes/test-family.ts';
import { rpcOver } from '../../rpc.ts';
import { ReportedProcesses } from '../client/reported-processes.ts';
import {
  type ConnectRequest,
  connectRequest,
  goodbyeRequest,
  helloRequest,
  leaveRequest,
  progressNotification,
  type Status,
  sessionProtocolVersion,
  statusRequest,
} from '../protocol.ts';
import { Clients } from './clients.ts';

vi.setConfig({ testTimeout: 60_000 });

const request: ConnectRequest = {
  target: 'service/cart',
  context: 'c',
  namespace: 'n',
  ports: {},
  agentImage: 'a',
  network: 'hosts',
  otherNamespaces: [],
  onPortConflict: 'fail',
  onHeld: 'fail',
  elevate: 'never',
  reaper: 'never',
  reaperDelay: 300,
  externalEndpoints: [],
  onUnresolved: 'fail',
  fromImage: true,
  volumes: { copy: 'auto', limit: 0, writeBack: [], localPaths: {}, namedPaths: [] },
  keep: { probes: false, lifecycle: false },
  managedIdentity: false,
  folder: '/',
  startsProgram: true,
  clientPid: 1,
};
const status: Status = { state: 'connected', session: 's', pid: 1, started: '', clients: [], kept: [] };

let folder: string;
let clients: Clients;
let vanished: PromiseWithResolvers<void>;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-clients-'));
  vanished = Promise.withResolvers<void>();
  clients = new Clients({
    token: 'token',
    log: silentLog,
    connect: async (client) => {
      client.joined = true;
      return { kind: 'ending' };
    },
    leave: async (client) => {
      client.joined = false;
      return 'kept';
    },
    release: () => 'ended',
    status: () => status,
    standing: () => undefined,
    diagnosis: () => Promise.reject(new Error('not asked for')),
    logs: () => [],
    processStarted: () => {},
    vanished: () => vanished.resolve(),
  });
  await clients.listen(join(folder, 'socket'));
});
afterEach(async () => {
  await clients.close();
  rmSync(folder, { recursive: true });
});

async function joinedClient(): Promise<{ socket: Socket; rpc: MessageConnection; processes: ReportedProcesses }> {
  const socket = connect(join(folder, 'socket'));
  await once(socket, 'connect');
  const rpc = rpcOver(socket);
  rpc.listen();
  const processes = new ReportedProcesses();
  await rpc.sendRequest(helloRequest, { version: sessionProtocolVersion, token: 'token' });
  processes.reportTo(rpc);
  await rpc.sendRequest(connectRequest, request);
  return { socket, rpc, processes };
}

test('what is told to a client that is just going harms nobody', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', note);
  try {
    for (let n = 0; n < 20; n++) {
      vanished = Promise.withResolvers<void>();
      const { socket } = await joinedClient();
      let isGone = false;
      void vanished.promise.then(() => {
        isGone = true;
      });
      socket.end();
      // Between the end of its writing and the close of its socket.
      while (!isGone) {
        clients.tell(progressNotification, { text: 'a step' });
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', note);
  }
});

test('the processes of a client whose socket closes without a word are ended', async () => {
  using family = await startFamily();
  const { socket, rpc, processes } = await joinedClient();
  processes.started(family.pid, 'debugger');
  await rpc.sendRequest(statusRequest);
  socket.destroy();
  await vanished.promise;
  await clients.farewells();
  expect(await isAlive(family.grandchild)).toBe(false);
});

test('those of a client that is killed after it left are ended too', async () => {
  using family = await startFamily();
  const { socket, rpc, processes } = await joinedClient();
  processes.started(family.pid, 'program');
  await rpc.sendRequest(leaveRequest, { budget: 0 });
  const farewells = clients.farewells();
  socket.destroy();
  await farewells;
  expect(await isAlive(family.grandchild)).toBe(false);
});

test('those of a client that said goodbye are left alone, and waited for until then', async () => {
  using family = await startFamily();
  const { socket, rpc, processes } = await joinedClient();
  processes.started(family.pid, 'program');
  await rpc.sendRequest(leaveRequest, { budget: 0 });
  let over = false;
  const farewells = clients.farewells().then(() => {
    over = true;
  });
  await rpc.sendRequest(statusRequest);
  expect(over).toBe(false);
  await rpc.sendRequest(goodbyeRequest);
  await farewells;
  socket.destroy();
  await once(socket, 'close');
  await clients.close();
  expect(await isAlive(family.pid)).toBe(true);
});

test('a client that left is not waited for when somebody waits for the end', async () => {
  const { socket, rpc } = await joinedClient();
  await rpc.sendRequest(leaveRequest, { budget: 0 });
  clients.hurry();
  await clients.farewells();
  socket.destroy();
});

test('what was reported before there was a daemon is told to it', async () => {
  using family = await startFamily();
  const socket = connect(join(folder, 'socket'));
  await once(socket, 'connect');
  const rpc = rpcOver(socket);
  rpc.listen();
  const processes = new ReportedProcesses();
  processes.started(family.pid, 'debugger');
  await rpc.sendRequest(helloRequest, { version: sessionProtocolVersion, token: 'token' });
  processes.reportTo(rpc);
  await rpc.sendRequest(connectRequest, request);
  socket.destroy();
  await vanished.promise;
  await clients.farewells();
  expect(await isAlive(family.grandchild)).toBe(false);
});

test.each([
  ['does not know the token', { version: sessionProtocolVersion, token: 'Token' }, 'wrong token'],
  ['speaks another version', { version: 0, token: 'token' }, 'belongs to another version of kubernetes-local'],
])('who %s is told so, each time, before the connection closes', async (_who, hello, why) => {
  // Many at once: the answer must not depend on who is quicker.
  const told = Array.from({ length: 40 }, async () => {
    const socket = connect(join(folder, 'socket'));
    await once(socket, 'connect');
    const rpc = rpcOver(socket);
    rpc.listen();
    const closed = once(socket, 'close');
    await expect(rpc.sendRequest(helloRequest, hello)).rejects.toThrow(why);
    await closed;
    rpc.dispose();
  });
  await Promise.all(told);
});
