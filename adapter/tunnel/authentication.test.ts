import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import {
  answerRestLength,
  decodeAnswer,
  encodeHello,
  type Hello,
  nonceLength,
  signatureLength,
  signedBytes,
  status,
} from '../../agent/protocol.ts';
import { readExactly } from '../../agent/read.ts';
import { agentVersions } from '../../agent/versions.ts';
import { Problem } from '../problem.ts';
import { AgentUnproven, authenticate, type Identity } from './authentication.ts';
import { LoopbackForwarder, startEchoServer, startServer, startTestBed } from './test-bed.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const agentPair = generateKeyPairSync('ed25519');
const der = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
const never = new AbortController().signal;
const identity: Identity = { session: 'test', privateKey, tunnelId: randomBytes(16) };

/** A server that takes the agent's place, and all that came to it. */
const impostor = async (play: (socket: Socket, heard: Buffer[]) => void) => {
  const heard: Buffer[] = [];
  const server = await startServer((socket) => play(socket, heard));
  onTestFinished(() => server[Symbol.asyncDispose]());
  const channel = connect(server.port, '127.0.0.1').on('error', () => {});
  onTestFinished(() => void channel.destroy());
  return { channel, heard, port: server.port };
};

const helloOf = (key: KeyObject): Hello => ({
  versions: agentVersions,
  agentKey: der(key),
  nonce: randomBytes(nonceLength),
});

test('an agent that shows another key than its log is told nothing', async () => {
  const { channel, heard } = await impostor((socket, heard) => {
    socket.on('data', (chunk: Buffer) => heard.push(chunk)).once('end', () => socket.end());
    socket.write(encodeHello(helloOf(agentPair.publicKey)));
  });
  const isAgentKey = async (key: Buffer) => key.equals(der(publicKey));
  await expect(authenticate(channel, 'outbound', identity, isAgentKey, never)).rejects.toBeInstanceOf(AgentUnproven);
  channel.end();
  await once(channel.resume(), 'end');
  expect(heard).toEqual([]);
});

/** Says yes to any answer, with `prove` instead of the agent's signature. */
const accepting = (prove: (agent: Buffer, daemon: Buffer) => Buffer) =>
  impostor(async (socket) => {
    const hello = helloOf(agentPair.publicKey);
    socket.write(encodeHello(hello));
    const chosen = (await readExactly(socket, 1, never)).readUInt8(0);
    const answer = decodeAnswer(chosen, await readExactly(socket, answerRestLength, never));
    if (answer === undefined) throw new Error('no answer');
    const { version, role, tunnelId, nonce, signature } = answer;
    const bytes = signedBytes('agent', { version, session: 'test', role, tunnelId, hello, daemonNonce: nonce });
    socket.write(Buffer.concat([Buffer.of(status.accepted), prove(bytes, signature)]));
  });

test.each<[string, (agent: Buffer, daemon: Buffer) => Buffer]>([
  ['signs with another key', (bytes) => sign(null, bytes, generateKeyPairSync('ed25519').privateKey)],
  ['sends our own signature back', (_bytes, signature) => signature],
  ['signs nothing', () => Buffer.alloc(signatureLength)],
  ['signs something else', (bytes) => sign(null, bytes.subarray(1), agentPair.privateKey)],
])('what shows the right key and %s is no agent', async (_name, prove) => {
  const { channel } = await accepting(prove);
  const opening = authenticate(channel, 'outbound', identity, async () => true, never);
  await expect(opening).rejects.toThrow('it does not hold the key that it shows');
});

test('what proves the key is the agent', async () => {
  const { channel } = await accepting((bytes) => sign(null, bytes, agentPair.privateKey));
  await authenticate(channel, 'outbound', identity, async () => true, never);
});

test('a tunnel to an impostor fails with the Problem that says so', async () => {
  await using bed = await startTestBed();
  const { port } = await impostor((socket) => socket.write(encodeHello(helloOf(agentPair.publicKey))));
  await using forwarder = new LoopbackForwarder(() => port);
  const opening = bed.open({ forwarder, keyPatience: 300 });
  await expect(opening).rejects.toSatisfy((error) => error instanceof Problem && error.code === 'agent-unproven');
});

test('a container that started again is known when its new key is in the log', async () => {
  await using bed = await startTestBed();
  const keys = [der(agentPair.publicKey), der(agentPair.publicKey), bed.agent.publicKey];
  let reads = 0;
  await using tunnel = await bed.open({ agentKeys: { keyOf: async () => keys[reads++] ?? bed.agent.publicKey } });
  expect(reads).toBeGreaterThan(2);
  await using echo = await startEchoServer();
  const stream = tunnel.dial('127.0.0.1', echo.port);
  stream.end('hello');
  expect(String((await once(stream, 'data'))[0])).toBe('hello');
});

test('both are proved in one and a half round trips, with one look at the log', async () => {
  await using bed = await startTestBed();
  const flights: string[] = [];
  const relay = await startServer((near) => {
    const far = connect(bed.agent.tunnelPort, '127.0.0.1');
    const pass = (from: Socket, to: Socket, who: string): void => {
      from.on('data', (chunk: Buffer) => {
        if (flights.at(-1) !== who) flights.push(who);
        to.write(chunk);
      });
      from.on('error', () => {}).once('close', () => to.destroy());
    };
    pass(near, far, 'daemon');
    pass(far, near, 'agent');
  });
  let looks = 0;
  const channel = connect(relay.port, '127.0.0.1');
  const bedKey = async (key: Buffer) => {
    looks += 1;
    return key.equals(bed.agent.publicKey);
  };
  // A key that the agent does not know: its refusal is the third flight, as its proof would be.
  await expect(authenticate(channel, 'outbound', identity, bedKey, never)).rejects.toThrow('it refused the key');
  expect(flights).toEqual(['agent', 'daemon', 'agent']);
  expect(looks).toBe(1);
  channel.destroy();

  flights.length = 0;
  let reads = 0;
  const keyOf = async () => {
    reads += 1;
    return bed.agent.publicKey;
  };
  await using forwarder = new LoopbackForwarder(() => relay.port);
  await using _tunnel = await bed.open({ forwarder, agentKeys: { keyOf } });
  expect(reads).toBe(1);
  await relay[Symbol.asyncDispose]();
});
