import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { frameDatagram, sendDatagram } from '../../agent/datagrams.ts';
import { encodeBytes, errorHeader, expectedHeader, guestLimit, modeHeader } from '../../agent/protocol.ts';
import { Problem } from '../problem.ts';
import { fate, readText, startEchoServer, startTestBed, type TestBed } from './test-bed.ts';
import type { Tunnel } from './tunnel.ts';

const base64 = (key: KeyObject): string => key.export({ type: 'spki', format: 'der' }).toString('base64');

interface Key {
  readonly guest: { readonly publicKey: string; readonly name: string };
  readonly privateKey: KeyObject;
}

const keyOf = (name: string): Key => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { guest: { publicKey: base64(publicKey), name }, privateKey };
};

const bed = async (): Promise<TestBed & { readonly folder: string }> => {
  const folder = mkdtempSync(join(tmpdir(), 'guests-'));
  writeFileSync(join(folder, 'file'), 'content');
  const started = await startTestBed({ files: { roots: [folder], writable: [folder] } });
  onTestFinished(async () => {
    await started[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  });
  return Object.assign(started, { folder });
};

const openAs = (given: TestBed, { privateKey }: Key): Promise<Tunnel> => given.open({ role: 'guest', privateKey });

const echoes = async (tunnel: Tunnel): Promise<string> => {
  await using echo = await startEchoServer();
  const stream = tunnel.dial('127.0.0.1', echo.port);
  stream.end('hello');
  return await readText(stream);
};

/** One request with a body, answered. */
const send = async (tunnel: Tunnel, headers: OutgoingHttpHeaders, body = ''): Promise<IncomingHttpHeaders> => {
  const stream = tunnel.ask(headers, true);
  if (stream === undefined) throw new Error('the tunnel is closing');
  const responded = once(stream, 'response');
  stream.end(body);
  const [response] = await responded;
  stream.resume();
  return response;
};

const refused = (problem: unknown): boolean => problem instanceof Problem && problem.code === 'tunnel-failed';

test('a guest sends datagrams too', async () => {
  const given = await bed();
  const ada = keyOf('ada');
  const holder = await given.open();
  await holder.setGuests([ada.guest]);
  const server = createSocket('udp4');
  onTestFinished(() => void server.close());
  server.on('message', (payload, { port, address }) => server.send(`to ${payload}`, port, address));
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  const stream = (await openAs(given, ada)).dialDatagrams('127.0.0.1', server.address().port);
  sendDatagram(stream, Buffer.from('ada'));
  expect((await once(stream, 'data'))[0]).toEqual(frameDatagram(Buffer.from('to ada')));
  expect(given.agent.counts).toMatchObject({ guests: 1, datagrams: 1 });
});

test('a guest is admitted when the holder says so, beside the tunnel of the holder', async () => {
  const given = await bed();
  const ada = keyOf('ada');
  const holder = await given.open();
  await expect(openAs(given, ada)).rejects.toThrow('it refused the key');
  await holder.setGuests([ada.guest]);
  const guest = await openAs(given, ada);
  expect(await echoes(guest)).toBe('hello');
  expect(await echoes(holder)).toBe('hello');
  expect(await given.logged('guest connected')).toEqual({ guest: 'ada' });
});

test('a guest neither changes files nor names guests, but reads', async () => {
  const given = await bed();
  const [ada, ben] = [keyOf('ada'), keyOf('ben')];
  const holder = await given.open();
  await holder.setGuests([ada.guest]);
  const guest = await openAs(given, ada);
  const place = `root=${encodeBytes(given.folder)}&path=file`;
  const written = { ':method': 'PUT', ':path': `/files/content?${place}`, 'content-length': 1 };
  expect(await send(guest, { ...written, [expectedHeader]: 'absent', [modeHeader]: '644' }, 'x')).toMatchObject({
    ':status': 403,
    [errorHeader]: 'EACCES',
  });
  const gone = { ':method': 'DELETE', ':path': `/files/entry?${place}`, [expectedHeader]: 'absent' };
  expect((await send(guest, gone))[':status']).toBe(403);
  expect(readFileSync(join(given.folder, 'file'), 'utf8')).toBe('content');
  await expect(guest.setGuests([ben.guest])).rejects.toSatisfy(refused);
  await expect(openAs(given, ben)).rejects.toThrow('it refused the key');

  const stream = guest.ask({ ':method': 'GET', ':path': `/files/content?${place}` }, false);
  if (stream === undefined) throw new Error('the tunnel is closing');
  expect(await readText(stream)).toBe('content');
});

test('a guest gets no traffic of the pod, and a guest alone does not make it ready', async () => {
  const given = await bed();
  const ada = keyOf('ada');
  const holder = await given.open();
  await holder.setGuests([ada.guest]);
  await openAs(given, ada);
  const port = given.agent.ports[0];
  await holder[Symbol.asyncDispose]();
  await given.logged('tunnel lost');
  expect(port).toBeGreaterThan(0);
  expect(given.agent.ready).toBe(false);
  expect(given.agent.ports).toEqual([]);
});

test('a key of a guest opens no tunnel of a holder', async () => {
  const given = await bed();
  const ada = keyOf('ada');
  const holder = await given.open();
  await holder.setGuests([ada.guest]);
  await expect(given.open({ privateKey: ada.privateKey })).rejects.toThrow('it refused the key');
  expect(await echoes(holder)).toBe('hello');
});

test('who is no longer named loses the connection, the others keep theirs', async () => {
  const given = await bed();
  const [ada, ben] = [keyOf('ada'), keyOf('ben')];
  const holder = await given.open();
  await holder.setGuests([ada.guest, ben.guest]);
  const [first, second] = await Promise.all([openAs(given, ada), openAs(given, ben)]);
  await holder.setGuests([ben.guest]);
  expect(await first.closed).toBeInstanceOf(Error);
  expect(await echoes(second)).toBe('hello');
  await expect(openAs(given, ada)).rejects.toThrow('it refused the key');
});

test('a second connection of the same guest replaces the first', async () => {
  const given = await bed();
  const ada = keyOf('ada');
  const holder = await given.open();
  await holder.setGuests([ada.guest]);
  const first = await openAs(given, ada);
  const second = await openAs(given, ada);
  expect(await first.closed).toBeInstanceOf(Error);
  expect(await echoes(second)).toBe('hello');
});

test('guests stay when the tunnel of the holder is replaced', async () => {
  const given = await bed();
  const ada = keyOf('ada');
  await (await given.open()).setGuests([ada.guest]);
  const guest = await openAs(given, ada);
  await given.open();
  expect(await echoes(guest)).toBe('hello');
});

test('a list that is too long is refused, and a tunnel that is closing says so', async () => {
  const given = await bed();
  const holder = await given.open();
  const many = Array.from({ length: guestLimit + 1 }, (_, index) => keyOf(`guest ${index}`).guest);
  await expect(holder.setGuests(many)).rejects.toThrow('refused the list of guests (EINVAL)');
  const long = [{ ...keyOf('ada').guest, name: 'a'.repeat(20_000) }];
  await expect(holder.setGuests(long)).rejects.toThrow('refused the list of guests (EINVAL)');
  await holder[Symbol.asyncDispose]();
  await expect(holder.setGuests([])).rejects.toThrow('The tunnel is closing.');
  expect(await fate(holder.dial('127.0.0.1', 1))).toBe('ECONNREFUSED');
});
