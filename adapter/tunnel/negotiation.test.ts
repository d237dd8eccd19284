/** Ends of different versions, and somebody between them who would like them to speak an older one. */
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign, verify } from 'node:crypto';
import { once } from 'node:events';
import http2 from 'node:http2';
import { connect, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { helloHeadLength, helloRestLength, signedBytes, status } from '../../agent/protocol.ts';
import { readExactly } from '../../agent/read.ts';
import type { VersionRange } from '../../agent/versions.ts';
import { Problem } from '../problem.ts';
import {
  fate,
  LoopbackForwarder,
  readText,
  startEchoServer,
  startServer,
  startTestBed,
  type TestBed,
} from './test-bed.ts';
import type { Tunnel } from './tunnel.ts';

const never = new AbortController().signal;
const der = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
const range = (lowest: number, highest: number): VersionRange => ({ lowest, highest });

const bedOf = async (versions?: VersionRange): Promise<TestBed> => {
  const bed = await startTestBed(versions && { versions });
  onTestFinished(() => bed[Symbol.asyncDispose]());
  return bed;
};

const echoes = async (tunnel: Tunnel): Promise<string> => {
  await using echo = await startEchoServer();
  const stream = tunnel.dial('127.0.0.1', echo.port);
  stream.end('hello');
  return await readText(stream);
};

/** What the daemon signs in version 2, written down here once more: the code of that version is no longer there. */
const signedInVersion2 = (signer: string, session: string, answer: Buffer, hello: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from(`kubernetes-local tunnel 2 ${signer}\0`),
    Buffer.of(0, 0, 0, session.length),
    Buffer.from(session),
    answer.subarray(1, 18),
    hello.subarray(9),
    answer.subarray(18, 50),
  ]);

/** An agent of version 2, which serves the outbound connection with an echo and nothing else. */
const oldAgent = async (holder: KeyObject) => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const seen: http2.IncomingHttpHeaders[] = [];
  const play = async (socket: Socket): Promise<void> => {
    const hello = Buffer.concat([Buffer.from('KLTUNNEL\x02', 'latin1'), der(publicKey), randomBytes(32)]);
    socket.write(hello);
    const answer = await readExactly(socket, 114, never);
    const isHolder = verify(null, signedInVersion2('daemon', 'test', answer, hello), holder, answer.subarray(50));
    if (answer[0] !== 2 || !isHolder) return void socket.end(Buffer.of(status.signatureRefused));
    const proof = sign(null, signedInVersion2('agent', 'test', answer, hello), privateKey);
    socket.write(Buffer.concat([Buffer.of(status.accepted), proof]));
    if (answer[1] === 2) {
      http2.connect('http://workstation', { createConnection: () => socket }).on('error', () => {});
      return;
    }
    http2.performServerHandshake(socket).on('stream', (stream, headers) => {
      seen.push(headers);
      stream.respond({ ':status': 200 });
      stream.on('error', () => {}).pipe(stream);
    });
  };
  const server = await startServer((socket) => void play(socket).catch(() => socket.destroy()));
  onTestFinished(() => server[Symbol.asyncDispose]());
  const forwarder = new LoopbackForwarder(() => server.port);
  onTestFinished(() => forwarder[Symbol.asyncDispose]());
  return { forwarder, seen, agentKeys: { keyOf: async () => der(publicKey) } };
};

test('an older agent and this daemon speak the older version, and datagrams are not tried', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const { seen, ...agent } = await oldAgent(publicKey);
  const tunnel = await (await bedOf()).open({ ...agent, privateKey });
  const stream = tunnel.dial('prices', 80);
  stream.end('as before');
  expect(await readText(stream)).toBe('as before');
  expect(await fate(tunnel.dialDatagrams('statsd', 8125))).toBe('EPROTONOSUPPORT');
  expect(seen).toHaveLength(1);
});

test.each([
  ['a newer agent', range(3, 5), undefined],
  ['a newer daemon', undefined, range(3, 9)],
  ['two newer ones that share more than one version', range(2, 6), range(3, 5)],
])('%s and the other end find a version', async (_name, agent, daemon) => {
  const tunnel = await (await bedOf(agent)).open(daemon && { versions: daemon });
  expect(await echoes(tunnel)).toBe('hello');
});

test.each([
  [
    'newer agent',
    range(5, 7),
    undefined,
    'versions 5 to 7',
    'versions 2 to 3',
    'Use the version of kubernetes-local that',
  ],
  ['older agent', range(3, 3), range(4, 6), 'version 3', 'versions 4 to 6', 'Use the agent’s image that goes with'],
])(
  'with a much %s the Problem names both ranges, and what to do',
  async (_name, agent, daemon, theirs, ours, remedy) => {
    const bed = await bedOf(agent);
    const opening = bed.open(daemon && { versions: daemon });
    await expect(opening).rejects.toSatisfy((error) => error instanceof Problem && error.code === 'tunnel-failed');
    await expect(opening).rejects.toMatchObject({
      why: `the agent speaks ${theirs} of the tunnel protocol, this program ${ours}.`,
      remedy: expect.stringContaining(remedy),
    });
    expect(bed.agent.ready).toBe(false);
  },
);

test('an older daemon is told nothing that it could take for its own version, and refused if it answers', async () => {
  const bed = await bedOf();
  const socket = connect(bed.agent.tunnelPort, '127.0.0.1');
  // All that a daemon of version 2 looks at before it gives up: "the agent speaks version 3 …, this program version 2".
  const head = await readExactly(socket, helloHeadLength, never);
  expect(head.toString('latin1')).toBe('KLTUNNEL\x03');
  await readExactly(socket, helloRestLength(3), never);
  socket.write(Buffer.concat([Buffer.of(2, 1), randomBytes(112)]));
  expect(await readExactly(socket, 1, never)).toEqual(Buffer.of(status.versionUnknown));
  await once(socket.resume(), 'close');
});

/** Whoever is between the two, and changes a byte of what passes for the first time in one direction. */
const tampering = async (bed: TestBed, from: 'agent' | 'daemon', change: (bytes: Buffer) => Buffer) => {
  const relay = await startServer((near) => {
    const far = connect(bed.agent.tunnelPort, '127.0.0.1');
    onTestFinished(() => void far.destroy());
    const [changed, other] = from === 'agent' ? [far, near] : [near, far];
    changed.once('data', (chunk: Buffer) => {
      other.write(change(chunk));
      changed.pipe(other);
    });
    other.pipe(changed);
    for (const [one, two] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {}).once('close', () => two.destroy());
    }
  });
  onTestFinished(() => relay[Symbol.asyncDispose]());
  const forwarder = new LoopbackForwarder(() => relay.port);
  onTestFinished(() => forwarder[Symbol.asyncDispose]());
  return forwarder;
};

/** The hello as it is, with other versions: bytes 8 and 9. */
const withRange = (highest: number, lowest: number) => (hello: Buffer) => {
  hello.set([highest, lowest], 8);
  return hello;
};
/** The same key and nonce in the form of version 2. */
const asVersion2 = (hello: Buffer) => Buffer.concat([hello.subarray(0, 8), Buffer.of(2), hello.subarray(10)]);

test('what is not tampered with passes the relay of these tests', async () => {
  const bed = await bedOf(range(3, 4));
  expect(await echoes(await bed.open({ forwarder: await tampering(bed, 'agent', (hello) => hello) }))).toBe('hello');
});

test.each([
  ['a highest version that is lower', withRange(3, 3), 'it refused the key'],
  ['a lowest version that is lower', withRange(4, 2), 'it refused the key'],
  ['the form before there was a range', asVersion2, 'does not know this version'],
])('a hello with %s gives no tunnel', async (_name, change, why) => {
  const bed = await bedOf(range(3, 4));
  const forwarder = await tampering(bed, 'agent', change);
  await expect(bed.open({ forwarder, versions: range(2, 4) })).rejects.toThrow(why);
  expect(bed.count('tunnel connected')).toBe(0);
});

test('an answer with another version than the daemon chose is refused', async () => {
  const bed = await bedOf(range(3, 4));
  const forwarder = await tampering(bed, 'daemon', (answer) => {
    answer.writeUInt8(3, 0);
    return answer;
  });
  await expect(bed.open({ forwarder, versions: range(3, 4) })).rejects.toThrow('it refused the key');
});

test('an agent’s own proof is about the range that it sent', () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const hello = { versions: range(3, 5), agentKey: der(publicKey), nonce: randomBytes(32) };
  const greeting = {
    version: 3,
    session: 'a',
    role: 'outbound',
    tunnelId: randomBytes(16),
    hello,
    daemonNonce: randomBytes(32),
  } as const;
  const proof = sign(null, signedBytes('agent', greeting), privateKey);
  const key = createPublicKey({ key: hello.agentKey, format: 'der', type: 'spki' });
  expect(verify(null, signedBytes('agent', greeting), key, proof)).toBe(true);
  const read = { ...greeting, hello: { ...hello, versions: range(3, 3) } };
  expect(verify(null, signedBytes('agent', read), key, proof)).toBe(false);
});
