import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { silentLog } from '../../diagnostics/log.ts';
import { dialLoopback } from '../../network/ports/dial-loopback.ts';
import { connectTo, readText, startServer, startTestBed } from '../../tunnel/test-bed.ts';
import type { Notice } from '../protocol.ts';
import { Callers } from './callers.ts';
import { Inbound } from './inbound.ts';
import type { ProxyProtocol } from './proxy-header.ts';
import { SelfTest } from './self-test.ts';

const never = new AbortController().signal;

/** The real agent and tunnel, at whose other end `program` answers, if there is one. */
async function setUp(proxyProtocol: ProxyProtocol | undefined, program?: (socket: Socket) => void) {
  const bed = await startTestBed();
  onTestFinished(() => bed[Symbol.asyncDispose]());
  let localPort = 1;
  if (program !== undefined) {
    const server = await startServer(program);
    onTestFinished(() => server[Symbol.asyncDispose]());
    localPort = server.port;
  }
  // The agent says its ports when it listens.
  const ports = new Map<number, number>();
  const callers = new Callers();
  const selfTest = new SelfTest();
  const notices: Notice[] = [];
  const inbound = new Inbound({
    network: { mode: 'env', dialProgram: dialLoopback },
    workload: 'cart',
    ports,
    selfTest,
    callers,
    proxyProtocol,
    programs: () => [],
    notice: (notice) => notices.push(notice),
    log: silentLog,
  });
  const tunnel = await bed.open({ onInbound: (connection) => void inbound.accept(connection) });
  await vi.waitFor(async () => {
    const { status } = await fetch(`http://127.0.0.1:${bed.agent.healthPort}/ready`);
    expect(status).toBe(200);
  });
  const [port] = bed.agent.ports;
  if (port === undefined) throw new Error('the agent has no port');
  ports.set(port, localPort);
  return { tunnel, port, callers, selfTest, notices };
}

/** Answers what it got, when all is there. */
const echo = (socket: Socket) => void readText(socket).then((text) => socket.end(`got ${text}`));

test('the bytes are the caller’s alone, unless the program wants to know who calls', async () => {
  const { port } = await setUp(undefined, echo);
  const client = connectTo(port);
  client.end('GET /');
  expect(await readText(client)).toBe('got GET /');
});

test('a program that wants to know who calls is told before the first byte', async () => {
  const { port } = await setUp('v1', echo);
  const client = connectTo(port);
  await once(client, 'connect');
  const { localPort } = client;
  client.end('GET /');
  expect(await readText(client)).toBe(`got PROXY TCP4 127.0.0.1 127.0.0.1 ${localPort} ${port}\r\nGET /`);
});

test('it is told of a caller that says nothing yet', async () => {
  const { port } = await setUp('v2', (socket) => {
    socket.once('data', (header: Buffer) => socket.end(`220 ready, ${header.subarray(16).toString('hex')}`));
  });
  const client = connectTo(port);
  const [greeting] = await once(client, 'data');
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(client.localPort ?? 0, 0);
  ports.writeUInt16BE(port, 2);
  expect(String(greeting)).toBe(`220 ready, 7f0000017f000001${ports.toString('hex')}`);
  client.end();
});

test('the self-test goes nowhere near the program', async () => {
  const served = vi.fn(echo);
  const { port, tunnel, selfTest, callers } = await setUp('v2', served);
  const route = { label: 'cart:80', host: '127.0.0.1', port };
  const result = await selfTest.run(route, (host, to) => tunnel.dial(host, to), 10_000, never);
  expect(result).toMatchObject({ kind: 'arrived' });
  expect(served).not.toHaveBeenCalled();
  expect(callers.count).toBe(0);
});

test('who calls is known while the connection is open', async () => {
  const accepted = Promise.withResolvers<Socket>();
  const { port, callers } = await setUp(undefined, accepted.resolve);
  const client = connectTo(port);
  const program = await accepted.promise;
  await vi.waitFor(() =>
    expect(callers.newest(1)).toMatchObject([
      {
        source: { address: '127.0.0.1', port: client.localPort },
        pod: 'cart-1',
        containerPort: port,
        seenAs: { address: '127.0.0.1', port: program.remotePort },
      },
    ]),
  );
  expect(callers.count).toBe(1);
  program.end();
  client.end();
  await vi.waitFor(() => expect(callers.count).toBe(0));
});

test('a caller is reset and the user told if no program listens', async () => {
  const { port, callers, notices } = await setUp('v2');
  const [error] = await once(connectTo(port), 'error');
  expect(error).toMatchObject({ code: 'ECONNRESET' });
  await vi.waitFor(() => expect(notices).toHaveLength(1));
  expect(notices[0]?.text).toContain(`A request for port ${port} of cart arrived, but nothing listens on 127.0.0.1:1.`);
  expect(callers.count).toBe(0);
});
