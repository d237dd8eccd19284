/** docs/tunnel-protocol.md is for those who write the other end: what it says in bytes and numbers must be so. */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http2, { type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { DatagramReader, datagramIdleLimit, datagramQueueLimit, largestDatagram } from './datagrams.ts';
import { agentWindows, agentWindowsFor, sessionOptions, workstationWindows } from './http2.ts';
import { guestDials, holderDials, mostHeld, mostUnproven } from './limits.ts';
import {
  configurationVersion,
  decodeAnswer,
  decodeHello,
  decodeHelloHead,
  destinationAddressHeader,
  encodeAnswer,
  encodeHello,
  errorHeader,
  expectedHeader,
  goodbyeCode,
  guestLimit,
  helloHeadLength,
  keyAgainAfterLines,
  modeHeader,
  signedBytes,
  sourceAddressHeader,
  sourcePortHeader,
  status,
  transportHeader,
  versionHeader,
} from './protocol.ts';
import type { WindowLimits } from './receive-window.ts';
import { agentVersions, daemonVersions, protocolVersion } from './versions.ts';

const page = readFileSync(new URL('../docs/tunnel-protocol.md', import.meta.url), 'utf8');

/** The bytes of one example. */
const example = (name: string): Buffer => {
  const found = new RegExp(`\`\`\`hex ${name}\\n([0-9a-f\\n]+)\`\`\``).exec(page)?.[1];
  if (found === undefined) throw new Error(`the page has no example ${name}`);
  return Buffer.from(found.replaceAll('\n', ''), 'hex');
};

/** RFC 8410 section 7: what stands before the seed. */
const keyOf = (seed: number): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), Buffer.alloc(32, seed)]),
    format: 'der',
    type: 'pkcs8',
  });
const [daemon, agent] = [keyOf(1), keyOf(2)];
const tunnelId = Buffer.from(Array.from({ length: 16 }, (_, index) => index));
const hello = {
  versions: agentVersions,
  agentKey: createPublicKey(agent).export({ type: 'spki', format: 'der' }),
  nonce: Buffer.alloc(32, 0xa0),
};
const greeting = {
  version: protocolVersion,
  session: 'example',
  role: 'outbound',
  tunnelId,
  hello,
  daemonNonce: Buffer.alloc(32, 0xd0),
} as const;

test('the example of a greeting is what the code says', () => {
  const signature = sign(null, signedBytes('daemon', greeting), daemon);
  const answer = {
    version: protocolVersion,
    role: 'outbound',
    tunnelId,
    nonce: greeting.daemonNonce,
    signature,
  } as const;
  const proof = sign(null, signedBytes('agent', greeting), agent);
  expect(example('hello')).toEqual(encodeHello(hello));
  expect(example('signed')).toEqual(signedBytes('daemon', greeting));
  expect(example('answer')).toEqual(encodeAnswer(answer));
  expect(example('status')).toEqual(Buffer.concat([Buffer.of(status.accepted), proof]));
});

/** Offset and length of a row of the page's tables. */
const field = (row: string): [number, number] => {
  const [, offset, length] = new RegExp(`^\\| ${row}.* \\| (\\d+) \\| (\\d+) \\|$`, 'm').exec(page) ?? [];
  if (offset === undefined || length === undefined) throw new Error(`the page has no row ${row}`);
  return [Number(offset), Number(length)];
};
const cut = (name: string, row: string): Buffer => {
  const [offset, length] = field(row);
  const bytes = example(name).subarray(offset, offset + length);
  expect(bytes).toHaveLength(length);
  return bytes;
};

test('read by the offsets of the page, the example says what it should', () => {
  const bytes = example('hello');
  expect(cut('hello', 'magic').toString()).toBe('KLTUNNEL');
  expect([...cut('hello', 'highest version'), ...cut('hello', 'lowest version')]).toEqual([
    agentVersions.highest,
    agentVersions.lowest,
  ]);
  const key = cut('hello', "the agent's public key");
  expect(decodeHello(decodeHelloHead(bytes.subarray(0, helloHeadLength)), bytes.subarray(helloHeadLength))).toEqual({
    versions: agentVersions,
    agentKey: key,
    nonce: cut('hello', "the agent's nonce"),
  });
  const answer = {
    version: cut('answer', 'version chosen').readUInt8(0),
    tunnelId: cut('answer', 'tunnel id, random'),
    nonce: cut('answer', "the daemon's nonce, fresh"),
    signature: cut('answer', 'Ed25519 signature of the daemon'),
  };
  expect(decodeAnswer(answer.version, example('answer').subarray(1))).toEqual({ role: 'outbound', ...answer });
  expect(example('answer')).toHaveLength(field('Ed25519 signature of the daemon').reduce((one, other) => one + other));
  expect(verify(null, example('signed'), createPublicKey(daemon), answer.signature)).toBe(true);
  const agentKey = createPublicKey({ key, format: 'der', type: 'spki' });
  const proof = cut('status', 'Ed25519 signature of the agent');
  expect(verify(null, signedBytes('agent', greeting), agentKey, proof)).toBe(true);
});

test('the frames of the example are streams, data, an end, a reset and a goodbye', async () => {
  interface Seen {
    readonly stream: ServerHttp2Stream;
    readonly headers: IncomingHttpHeaders;
    readonly chunks: Buffer[];
    ended: boolean;
  }
  const seen: Seen[] = [];
  const goodbyes: number[] = [];
  const server = createServer((socket) => {
    const session = http2.performServerHandshake(socket, sessionOptions(agentWindows));
    session.on('goaway', (code) => goodbyes.push(code)).on('error', () => {});
    session.on('stream', (stream, headers) => {
      const one: Seen = { stream, headers, chunks: [], ended: false };
      seen.push(one);
      stream.respond({ ':status': 200 });
      stream.on('data', (chunk: Buffer) => one.chunks.push(chunk)).on('error', () => {});
      stream.once('end', () => {
        one.ended = true;
      });
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  onTestFinished(() => void socket.destroy());
  socket.resume().write(Buffer.concat(['start', 'stream', 'datagram'].map(example)));
  await vi.waitFor(() => expect(seen.flatMap(({ chunks }) => chunks)).toHaveLength(2));
  const [first, second] = seen;
  if (first === undefined || second === undefined) throw new Error('there are not two streams');
  expect(first.headers).toMatchObject({ ':method': 'CONNECT', ':authority': 'prices:80' });
  expect(String(Buffer.concat(first.chunks))).toBe('hello');
  expect(second.headers).toMatchObject({ ':authority': 'statsd:8125', [transportHeader]: 'udp' });
  const datagrams: string[] = [];
  new DatagramReader((payload) => datagrams.push(String(payload))).write(Buffer.concat(second.chunks));
  expect(datagrams).toEqual(['up:1|c']);
  expect(first.ended).toBe(false);
  socket.write(example('end'));
  await vi.waitFor(() => expect(first.ended).toBe(true));
  socket.write(example('reset'));
  await vi.waitFor(() => expect(first.stream.rstCode).toBe(http2.constants.NGHTTP2_INTERNAL_ERROR));
  socket.write(example('goodbye'));
  await vi.waitFor(() => expect(goodbyes).toEqual([goodbyeCode]));
});

const size = (bytes: number): string =>
  bytes % 1024 ** 3 === 0 ? `${bytes / 1024 ** 3} GiB` : `${bytes / 1024 ** 2} MiB`;
const both = ({ stream, session, unread }: WindowLimits): string => [stream, session, unread].map(size).join(' / ');
const count = (number: number): string => number.toLocaleString('en-US');

test.each([
  ['connections that have not proved themselves', `${mostUnproven}, 10 s each`],
  ['guests', `${guestLimit}`],
  ['TCP connections that the agent is opening, for the holder', count(holderDials.dialling)],
  ['streams of datagrams, for the holder', count(holderDials.datagrams)],
  ['connections from the cluster that wait for a tunnel', count(mostHeld)],
  ['streams of one connection', count(sessionOptions(agentWindows).settings?.maxConcurrentStreams ?? 0)],
  [
    'bytes to readers in the pod: one stream / under way on one connection / unread on one connection',
    both(agentWindowsFor(Number.POSITIVE_INFINITY)),
  ],
  [
    'bytes to readers on the workstation: one stream / under way on one connection / unread on one connection',
    both(workstationWindows),
  ],
  ['datagrams that wait, for each stream and direction', `${datagramQueueLimit / 1024} KiB`],
])('the limit of %s is %s', (what, limit) => {
  expect(page).toContain(`\n| ${what} | ${limit} |`);
});

test('the other numbers and names are those of the code', () => {
  expect(page).toContain(`It is version ${protocolVersion}.`);
  expect(page).toContain(
    `speaks ${agentVersions.highest}, a daemon ${daemonVersions.lowest} and ${daemonVersions.highest}`,
  );
  for (const { dialling, datagrams } of [guestDials]) {
    expect(page).toContain(`| the same for all guests | ${dialling} |`);
    expect(page).toContain(`| the same for all guests | ${datagrams} |`);
  }
  expect(page).toContain(`length of the datagram, 0 to ${largestDatagram}`);
  expect(page).toContain(`nothing passed for ${datagramIdleLimit / 1000} s`);
  expect(page).toContain(`again every ${keyAgainAfterLines} lines`);
  expect(page).toContain(`form of this JSON, ${configurationVersion}; an agent reads 1 to ${configurationVersion}`);
  const names = [
    ...[errorHeader, transportHeader, sourceAddressHeader, sourcePortHeader, destinationAddressHeader],
    ...[expectedHeader, versionHeader, modeHeader],
  ];
  for (const name of names) expect(page).toContain(`\`${name}`);
  for (const [name, byte] of Object.entries(status)) {
    const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
    expect(page).toContain(`${byte} ${words}`);
  }
});
