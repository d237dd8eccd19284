/** The clients of what runs on TCP in most systems. */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { buffer, text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import WebSocket from 'ws';
import type { AskOf, Findings } from './asks.ts';
import { same } from './bytes.ts';
import { chunksOf, digestOf, newHash, SeededBytes, SeededNumbers } from './random.ts';
import { Incoming, open } from './socket.ts';

const pipelined = 100;
const kept = 50;
const bodyLength = 3_000_000;

/** Pipelining, keep-alive, chunked in both directions, and `Expect: 100-continue`. */
export async function askHttp1({ host, port, seed }: AskOf<'http1'>): Promise<Findings> {
  await pipeline(host, port);
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  const sockets = new Set<unknown>();
  const ask = async (method: string, path: string, body: Iterable<Buffer> = [], headers = {}) => {
    const sending = request({ host, port, method, path, agent, headers });
    sending.on('socket', (socket) => sockets.add(socket));
    if (Object.hasOwn(headers, 'expect')) {
      sending.flushHeaders();
      await once(sending, 'continue');
    }
    const answered = once(sending, 'response');
    for (const chunk of body) if (!sending.write(chunk)) await once(sending, 'drain');
    sending.end();
    const [response] = await answered;
    return { content: await buffer(response), transfer: response.headers.transfer };
  };
  const pages = await Promise.all(Array.from({ length: kept }, (_, index) => ask('GET', `/page/${index}`)));
  same('the pages', pages.map(({ content }) => content.toString()).join(), [...pages.keys()].join());
  if (sockets.size > 4) throw new Error(`${sockets.size} connections were used where 4 were to be kept`);
  const { content } = await ask('GET', `/data?seed=${seed}&length=${bodyLength}`);
  same('a chunked answer', newHash().update(content).digest('hex'), digestOf(seed, bodyLength));
  const chunked = await ask('PUT', '/', chunksOf(seed, bodyLength));
  same('a chunked request', [chunked.content.toString(), chunked.transfer], [digestOf(seed, bodyLength), 'chunked']);
  const expected = await ask('PUT', '/', chunksOf(seed, 1000), { expect: '100-continue', 'content-length': 1000 });
  same('after 100 Continue', [expected.content.toString(), expected.transfer], [digestOf(seed, 1000), 'length 1000']);
  agent.destroy();
  return { pipelined, 'on kept connections': kept, 'chunked bytes each way': bodyLength };
}

/** All requests in one write; the answers come in their order. */
async function pipeline(host: string, port: number): Promise<void> {
  const socket = await open(host, port);
  const lines = Array.from({ length: pipelined }, (_, index) => {
    const last = index === pipelined - 1 ? 'connection: close\r\n' : '';
    return `GET /page/${index} HTTP/1.1\r\nhost: ${host}\r\n${last}\r\n`;
  });
  socket.write(lines.join(''));
  let answers = '';
  await new Incoming(socket).all((chunk) => {
    answers += chunk.toString('latin1');
  });
  socket.end();
  const bodies = [...answers.matchAll(/\r\n\r\n(\d+)(?=HTTP|$)/g)].map(([, body]) => body);
  same('the pipelined answers', bodies.join(), Array.from({ length: pipelined }, (_, index) => index).join());
}

const streams = 100;

/** One connection with many streams at once, then a large body in each direction, beside small ones. */
export async function askHttp2({ host, port, seed, bytes }: AskOf<'http2'>): Promise<Findings> {
  const session = connectHttp2(`http://${host}:${port}`);
  await once(session, 'connect');
  await Promise.all(
    Array.from({ length: streams }, (_, index) => fetchData(session, `${seed}/${index}`, 1000 + index)),
  );
  await Promise.all([
    putData(session, `${seed}/up`, bytes),
    fetchData(session, `${seed}/down`, bytes),
    ...Array.from({ length: streams }, (_, index) => fetchData(session, `${seed}/small/${index}`, 100)),
  ]);
  session.close();
  await once(session, 'close');
  return { streams: 2 * streams + 2, 'bytes each way': bytes };
}

async function fetchData(session: ClientHttp2Session, seed: string, length: number): Promise<void> {
  const stream = session.request({ ':path': `/data?seed=${encodeURIComponent(seed)}&length=${length}` });
  const hash = newHash();
  for await (const chunk of stream) hash.update(chunk);
  same(`the answer ${seed}`, hash.digest('hex'), digestOf(seed, length));
}

async function putData(session: ClientHttp2Session, seed: string, length: number): Promise<void> {
  const stream = session.request({ ':method': 'PUT', ':path': '/' });
  for (const chunk of chunksOf(seed, length)) if (!stream.write(chunk)) await once(stream, 'drain');
  stream.end();
  same(`the digest of ${seed}`, await text(stream), digestOf(seed, length));
}

/** The client trusts this one certificate alone, so nobody on the way has opened the connection. */
export async function askTls({ host, port, name, certificate }: AskOf<'tls'>): Promise<Findings> {
  const socket = connectTls({ host, port, servername: name, ca: certificate, ALPNProtocols: ['load/1'] });
  await once(socket, 'secureConnect');
  const shown = socket.getPeerX509Certificate();
  const said = JSON.parse(await text(socket));
  same('what the server saw', said, { name, protocol: 'load/1', version: 'TLSv1.3' });
  same('the certificate', shown?.toString().trim(), certificate.trim());
  return { version: said.version, certificate: shown?.fingerprint256.slice(0, 11) ?? '' };
}

const messages = 200;
const largestMessage = 1 << 20;

/** Messages of all sizes, text and binary, ping, a subprotocol, and the server's close with its code. */
export async function askWebSocket({ host, port, seed }: AskOf<'websocket'>): Promise<Findings> {
  const socket = new WebSocket(`ws://${host}:${port}/echo`, ['load.v1']);
  await once(socket, 'open');
  same('the subprotocol', socket.protocol, 'load.v1');
  const numbers = new SeededNumbers(seed);
  const bytes = new SeededBytes(seed);
  const sent = Array.from({ length: messages }, (_, index) => {
    const data = bytes.next(numbers.size(1, largestMessage));
    return index % 2 === 0 ? data : Buffer.from(data.toString('base64').slice(0, data.length));
  });
  const received: string[] = [];
  const { promise: all, resolve } = Promise.withResolvers<void>();
  socket.on('message', (data: Buffer, isBinary) => {
    received.push(`${isBinary} ${newHash().update(data).digest('hex')}`);
    if (received.length === messages) resolve();
  });
  const pong = once(socket, 'pong');
  for (const [index, data] of sent.entries()) socket.send(data, { binary: index % 2 === 0 });
  socket.ping('are you there');
  await Promise.race([all, once(socket, 'close').then(() => Promise.reject(new Error('the WebSocket was closed')))]);
  const wanted = sent.map((data, index) => `${index % 2 === 0} ${newHash().update(data).digest('hex')}`);
  same('the messages', received, wanted);
  const [ponged] = await pong;
  same('the pong', String(ponged), 'are you there');
  const closed = once(socket, 'close');
  socket.send('close 4001 enough of it');
  const [code, reason] = await closed;
  same('the close', [code, String(reason)], [4001, 'enough of it']);
  return { messages, bytes: sent.reduce((sum, { length }) => sum + length, 0) };
}
