import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes, randomInt, sign } from 'node:crypto';
import { once } from 'node:events';
import http2 from 'node:http2';
import { connect, createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Agent, startAgent } from './agent.ts';
import {
  type AgentConfiguration,
  agentConfigurationVariable,
  configurationVersion,
  decodeHello,
  decodeHelloHead,
  encodeAnswer,
  type Hello,
  helloHeadLength,
  helloRestLength,
  nonceLength,
  protocolVersion,
  type Role,
  signatureLength,
  signedBytes,
  status,
  tunnelIdLength,
} from './protocol.ts';
import { readExactly } from './read.ts';
import { listenEverywhere } from './sockets.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const configuration: AgentConfiguration = {
  version: configurationVersion,
  session: 'test',
  publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  tunnelPort: 0,
  healthPort: 0,
  ports: [0, 0],
};

const start = async (): Promise<Agent> => {
  const agent = await startAgent(configuration, { log: () => {}, patience: 2_000 });
  onTestFinished(() => agent.close());
  return agent;
};

const get = async (healthPort: number, path: string): Promise<number> =>
  (await fetch(`http://127.0.0.1:${healthPort}${path}`)).status;

const never = new AbortController().signal;

const readHello = async (socket: Socket): Promise<Hello> => {
  const highest = decodeHelloHead(await readExactly(socket, helloHeadLength, never));
  return decodeHello(highest, await readExactly(socket, helloRestLength(highest), never));
};

/** A right answer to a hello; `said`: the role it says, where that is another one than it signs. */
const answerTo = (hello: Hello, role: Role, tunnelId: Buffer = randomBytes(tunnelIdLength), said = role): Buffer => {
  const nonce = randomBytes(nonceLength);
  const greeting = { version: protocolVersion, session: 'test', role, tunnelId, hello, daemonNonce: nonce };
  const signature = sign(null, signedBytes('daemon', greeting), privateKey);
  return encodeAnswer({ version: protocolVersion, role: said, tunnelId, nonce, signature });
};

/** A daemon's first bytes on one connection; resolves with the agent's verdict. */
const greet = async (
  tunnelPort: number,
  role: Role,
  tunnelId: Buffer,
): Promise<{ socket: Socket; verdict: number }> => {
  const socket = connect(tunnelPort, '127.0.0.1').on('error', () => {});
  onTestFinished(() => void socket.destroy());
  const hello = await readHello(socket);
  socket.write(answerTo(hello, role, tunnelId));
  const verdict = (await readExactly(socket, 1, never)).readUInt8(0);
  if (verdict === status.accepted) await readExactly(socket, signatureLength, never);
  return { socket, verdict };
};

describe('the health server', () => {
  test('says live always, ready only with both connections of a tunnel and some seconds longer, and 404 to the rest', async () => {
    const agent = await start();
    const tunnelId = randomBytes(16);
    expect(await get(agent.healthPort, '/live')).toBe(200);
    expect(await get(agent.healthPort, '/ready')).toBe(503);
    expect(await get(agent.healthPort, '/')).toBe(404);

    const outbound = await greet(agent.tunnelPort, 'outbound', tunnelId);
    expect(outbound.verdict).toBe(status.accepted);
    expect(await get(agent.healthPort, '/ready')).toBe(503);
    expect(agent.ports).toEqual([]);

    const inbound = await greet(agent.tunnelPort, 'inbound', tunnelId);
    expect(inbound.verdict).toBe(status.accepted);
    expect(await get(agent.healthPort, '/ready')).toBe(200);
    expect(agent.ports).toHaveLength(2);

    inbound.socket.destroy();
    await once(outbound.socket.resume(), 'close');
    expect(await get(agent.healthPort, '/ready')).toBe(200);
    await vi.waitFor(() => expect(agent.ports).toEqual([]), { timeout: 10_000 });
    expect(await get(agent.healthPort, '/ready')).toBe(503);
  });

  test('holds the question until the tunnel stands', async () => {
    const agent = await start();
    const tunnelId = randomBytes(16);
    const asked = get(agent.healthPort, '/ready');
    await Promise.all([greet(agent.tunnelPort, 'outbound', tunnelId), greet(agent.tunnelPort, 'inbound', tunnelId)]);
    expect(await asked).toBe(200);
  });

  test('does not count connections of two different tunnels as one', async () => {
    const agent = await start();
    const first = await greet(agent.tunnelPort, 'outbound', randomBytes(16));
    await greet(agent.tunnelPort, 'inbound', randomBytes(16));
    await once(first.socket.resume(), 'close');
    expect(await get(agent.healthPort, '/ready')).toBe(503);
  });
});

describe('the tunnel port', () => {
  test('refuses a signature made for another role', async () => {
    const agent = await start();
    const socket = connect(agent.tunnelPort, '127.0.0.1');
    const hello = await readHello(socket);
    socket.write(answerTo(hello, 'outbound', undefined, 'inbound'));
    expect((await readExactly(socket, 1, never)).readUInt8(0)).toBe(status.signatureRefused);
    await once(socket.resume(), 'end');
    socket.destroy();
  });

  test('refuses an answer made for another connection', async () => {
    const agent = await start();
    const [one, other] = [connect(agent.tunnelPort, '127.0.0.1'), connect(agent.tunnelPort, '127.0.0.1')];
    const hello = await readHello(one);
    await readHello(other);
    other.write(answerTo(hello, 'outbound'));
    expect((await readExactly(other, 1, never)).readUInt8(0)).toBe(status.signatureRefused);
    one.destroy();
    other.destroy();
  });

  test('says so when the daemon is of another version', async () => {
    const agent = await start();
    const socket = connect(agent.tunnelPort, '127.0.0.1');
    await readHello(socket);
    // The answer of version 1 was shorter: it must not be waited for.
    socket.write(Buffer.alloc(82, 1));
    expect((await readExactly(socket, 1, never)).readUInt8(0)).toBe(status.versionUnknown);
    socket.destroy();
  });

  test('is on loopback only', async () => {
    const agent = await start();
    const refused = connect(agent.tunnelPort, '::1');
    expect(
      await new Promise((resolve) => refused.once('error', (error) => resolve('code' in error && error.code))),
    ).toBe('ECONNREFUSED');
  });
});

/** A port below those that the system gives to outgoing connections, so that no other test gets it meanwhile. */
const freePort = async (): Promise<number> => {
  for (;;) {
    const server = createServer();
    const port = randomInt(10_000, 32_000);
    const free = await listenEverywhere(server, port).catch(() => undefined);
    if (free === undefined) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
};

describe('the program', () => {
  const launch = (value: string): { child: ChildProcess; lines: string[]; line(message: string): Promise<unknown> } => {
    const child = spawn(process.execPath, [new URL('main.ts', import.meta.url).pathname], {
      env: { [agentConfigurationVariable]: value },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    if (child.stdout === null) throw new Error('no standard output');
    const lines: string[] = [];
    const reader = createInterface({ input: child.stdout });
    reader.on('line', (line) => lines.push(line));
    const line = async (message: string): Promise<unknown> => {
      for (;;) {
        const found = lines.map((text): unknown => JSON.parse(text)).find((entry) => hasMessage(entry, message));
        if (found !== undefined) return found;
        if (child.exitCode !== null) throw new Error(`the agent ended: ${lines.join(' ')}`);
        await Promise.race([once(reader, 'line'), once(child, 'close')]);
      }
    };
    return { child, lines, line };
  };
  const hasMessage = (entry: unknown, message: string): boolean =>
    typeof entry === 'object' && entry !== null && 'message' in entry && entry.message === message;

  test('ends with exit code 0 on SIGTERM, letting an open connection finish', async () => {
    const [tunnelPort, healthPort, port] = await Promise.all([freePort(), freePort(), freePort()]);
    const { child, line } = launch(JSON.stringify({ ...configuration, tunnelPort, healthPort, ports: [port] }));
    expect(await line('agent started')).toMatchObject({ level: 'info', tunnelPort, healthPort, ports: [port] });
    const tunnelId = randomBytes(16);
    const outbound = await greet(tunnelPort, 'outbound', tunnelId);
    const daemon = http2.connect('http://pod', { createConnection: () => outbound.socket }).on('error', () => {});
    const inbound = await greet(tunnelPort, 'inbound', tunnelId);
    http2.performServerHandshake(inbound.socket).on('error', () => {});
    expect(await get(healthPort, '/ready')).toBe(200);

    const server = createServer({ allowHalfOpen: true });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    const far = once(server, 'connection');
    const stream = daemon.request({
      ':method': 'CONNECT',
      ':authority': `127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    });
    // On a busy computer it may come before the connection is seen.
    const responded = once(stream, 'response');
    stream.end('request');
    const [socket]: Socket[] = await far;
    if (socket === undefined) throw new Error('no connection');
    await responded;

    const exited = once(child, 'exit');
    child.kill('SIGTERM');
    await once(daemon, 'goaway');
    socket.resume().end('the last answer');
    let answer = '';
    for await (const chunk of stream) answer += chunk;
    expect(answer).toBe('the last answer');
    expect(await exited).toEqual([0, null]);
  });

  test('with a wrong configuration says which field and exits with 1', async () => {
    const { child, lines } = launch(JSON.stringify({ ...configuration, tunnelPort: 'x' }));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'error',
      message: 'KUBERNETES_LOCAL_AGENT: tunnelPort is not a port between 1 and 65535',
    });
  });
});
