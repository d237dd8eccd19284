import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test, vi } from 'vitest';
import { SpdyChannel } from './spdy-channel.ts';
import { dataFrameLimit, dataHead, headLength, readHead } from './spdy-frames.ts';

/** A channel over loopback, the socket at its far end, and what arrived there. */
async function open(): Promise<{ channel: SpdyChannel; far: Socket; arrived: () => Buffer }> {
  const server = createServer({ allowHalfOpen: false });
  const accepted = once(server, 'connection');
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const channel = new SpdyChannel(near, 80, Buffer.alloc(0));
  const [far] = (await accepted) as [Socket];
  let bytes = Buffer.alloc(0);
  far
    .on('error', () => {})
    .on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
    });
  onTestFinished(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return { channel, far, arrived: () => bytes };
}

/** The heads of the frames, in order. */
function heads(bytes: Buffer): ReturnType<typeof readHead>[] {
  const found = [];
  for (let at = 0; at + headLength <= bytes.length; ) {
    const head = readHead(bytes.subarray(at, at + headLength));
    found.push(head);
    at += headLength + head.length;
  }
  return found;
}

const data = (content: string): Buffer => Buffer.concat([dataHead(3, content.length), Buffer.from(content)]);

test('a PING comes back as it is', async () => {
  const { far, arrived } = await open();
  const ping = Buffer.from([0x80, 3, 0, 6, 0, 0, 0, 4, 0, 0, 0, 2]);
  far.write(ping);
  await vi.waitFor(() => expect(arrived().includes(ping)).toBe(true));
});

test('frames may arrive in pieces, and between others', async () => {
  const { channel, far } = await open();
  const settings = Buffer.from([0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0]);
  const reply = Buffer.from([0x80, 3, 0, 2, 0, 0, 0, 4, 0, 0, 0, 3]);
  const all = Buffer.concat([reply, data('hel'), settings, data('lo'), dataHead(3, 0, true)]);
  far.setNoDelay(true);
  for (const byte of all) {
    far.write(Buffer.of(byte));
    await new Promise(setImmediate);
  }
  expect(await text(channel)).toBe('hello');
  expect(await channel.gone).toBeUndefined();
});

test('no frame is longer than the limit', async () => {
  const { channel, arrived } = await open();
  channel.cork();
  for (const length of [10, 3 * dataFrameLimit + 5, 20]) channel.write(Buffer.alloc(length));
  channel.uncork();
  const sent = () => heads(arrived()).filter((head) => head.kind === 'data' && head.stream === 3);
  const total = 3 * dataFrameLimit + 35;
  await vi.waitFor(() => expect(sent().reduce((sum, { length }) => sum + length, 0)).toBe(total));
  expect(Math.max(...sent().map(({ length }) => length))).toBeLessThanOrEqual(dataFrameLimit);
});

test.each([
  ['a reset of the stream', Buffer.from([0x80, 3, 0, 3, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 5]), 'was reset'],
  ['an answer in another protocol', Buffer.from('\x80\x02\x00\x01 and more', 'latin1'), 'not SPDY/3'],
  ['a frame that is too long', Buffer.from([0x80, 3, 0, 4, 0, 0xff, 0xff, 0xff]), 'too long'],
])('%s is an error', async (_what, bytes, words) => {
  const { channel, far } = await open();
  far.write(bytes);
  expect(String(await channel.gone)).toContain(words);
  expect(channel.destroyed).toBe(true);
});

test('a far end that goes away has ended', async () => {
  const { channel, far } = await open();
  far.write(Buffer.concat([data('last'), Buffer.from([0x80, 3, 0, 7, 0, 0, 0, 8, 0, 0, 0, 3, 0, 0, 0, 0])]));
  expect(await channel.gone).toBeUndefined();
  expect(await text(channel)).toBe('last');
});

test('a write that is under way when the far end has ended fails, and does not wait for ever', async () => {
  const { channel, far } = await open();
  far.pause();
  const written = new Promise<unknown>((resolve) => channel.write(Buffer.alloc(64 * 1024 * 1024), resolve));
  far.write(dataHead(3, 0, true));
  expect(await written).toBeInstanceOf(Error);
});
