import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { FakeApiServer } from '../fake-api-server.ts';
import { portForwarder } from './forwarder.ts';
import { clusterAt, type FarEnd, serve, type WayName } from './test-servers.ts';

const never = new AbortController().signal;
const mebi = 1024 * 1024;

/** A server with this way only, one channel through it, and its far end. */
async function oneChannel(way: WayName) {
  const far = Promise.withResolvers<FarEnd>();
  const server = await serve(far.resolve, { ways: [way] });
  const forward = await server.forwarder.forward('cart-1', [80], never);
  const [channel] = forward.channels;
  if (channel === undefined) throw new Error('there is no channel');
  return {
    channel,
    forward,
    far: await far.promise,
    async [Symbol.asyncDispose]() {
      await forward[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describe.each<WayName>(['spdy', 'websocket'])('over %s', (way) => {
  test('one port twice is two streams that do not mix', async () => {
    let count = 0;
    await using server = await serve(
      (far) => {
        const number = count++;
        far.onData((data) => far.send(`${data} at ${far.port}, ${number}`));
      },
      { ways: [way] },
    );
    await using forward = await server.forwarder.forward('cart-1', [8080, 8080], never);
    const [first, second] = forward.channels;
    if (!first || !second) throw new Error('too few channels');
    first.write('hello');
    second.write('world');
    const answers = await Promise.all([first, second].map(async (channel) => String((await once(channel, 'data'))[0])));
    expect(answers.map((answer) => answer.replace(/\d$/, ''))).toEqual(['hello at 8080, ', 'world at 8080, ']);
    expect(answers.map((answer) => answer.at(-1)).sort()).toEqual(['0', '1']);
    expect(first.bytesWritten).toBe(5);
    expect(first.bytesRead).toBe('hello at 8080, 0'.length);
  });

  test('bytes arrive whole and in order in both directions, in chunks of all sizes', async () => {
    await using one = await oneChannel(way);
    one.far.onData((data) => one.far.send(data));
    const sent: Buffer[] = [];
    for (const size of [1, 7, 8, 9, 1000, 65536, 131071, 131072, 131073, 300_000, mebi]) {
      sent.push(Buffer.alloc(size, size % 251));
    }
    one.channel.cork();
    for (const chunk of sent) one.channel.write(chunk);
    one.channel.uncork();
    const all = Buffer.concat(sent);
    const back: Buffer[] = [];
    for await (const chunk of one.channel) {
      back.push(chunk);
      if (back.reduce((sum, { length }) => sum + length, 0) >= all.length) break;
    }
    expect(Buffer.concat(back).equals(all)).toBe(true);
  });

  test('a connection in the pod that fails says why', async () => {
    await using one = await oneChannel(way);
    one.far.complain('connection refused');
    expect(String(await one.forward.closed)).toContain('connection refused');
    expect(one.channel.destroyed).toBe(true);
  });

  test('a connection that is cut is an error', async () => {
    await using one = await oneChannel(way);
    one.far.cut();
    expect(await one.forward.closed).toBeInstanceOf(Error);
    expect(one.channel.destroyed).toBe(true);
  });

  test('the end of the connection is the end of the stream, with all its bytes', async () => {
    await using one = await oneChannel(way);
    one.far.send('all of it');
    one.far.end();
    expect(await one.forward.closed).toBeUndefined();
    expect(await text(one.channel)).toBe('all of it');
  });

  test('what was written before it is destroyed still arrives', async () => {
    await using one = await oneChannel(way);
    let received = '';
    const arrived = new Promise<void>((resolve) => {
      one.far.onData((data) => {
        received += data;
        if (received === 'goodbye') resolve();
      });
    });
    one.channel.write('goodbye');
    one.channel.destroy();
    await arrived;
  });

  test('a slow reader holds the sender back and loses nothing', async () => {
    const size = 64 * 1024;
    const count = 400;
    await using one = await oneChannel(way);
    for (let index = 0; index < count; index++) one.far.send(Buffer.alloc(size, index));
    // Nobody reads: what has been taken in must stay far below what was sent.
    while (one.channel.readableLength < one.channel.readableHighWaterMark) await new Promise(setImmediate);
    for (let turn = 0; turn < 50; turn++) await new Promise(setImmediate);
    expect(one.channel.readableLength).toBeLessThan(4 * mebi);
    expect(one.far.waiting).toBeGreaterThan(0);
    let received = 0;
    for await (const chunk of one.channel) {
      received += chunk.length;
      if (received === size * count) break;
    }
    expect(received).toBe(size * count);
  });

  test('writers are held back while the connection is full', async () => {
    await using one = await oneChannel(way);
    one.far.pause();
    const chunk = Buffer.alloc(mebi);
    let written = 0;
    while (written < 200 && one.channel.write(chunk)) {
      written++;
      await new Promise(setImmediate);
    }
    expect(written).toBeLessThan(200);
    const drained = once(one.channel, 'drain');
    one.far.resume();
    await drained;
  });

  test('is read on while a write waits, so that two ends that both write do not wait for each other', async () => {
    await using one = await oneChannel(way);
    one.far.pause();
    const chunk = Buffer.alloc(mebi);
    for (let written = 0; written < 64; written++) one.channel.write(chunk);
    for (let sent = 0; sent < 20; sent++) one.far.send(chunk);
    // Nobody reads the channel either.
    while (one.channel.readableLength < 20 * mebi) await new Promise(setImmediate);
    one.far.resume();
  });

  test('the end of one channel is the end of all', async () => {
    const fars: FarEnd[] = [];
    await using server = await serve((far) => void fars.push(far), { ways: [way] });
    await using forward = await server.forwarder.forward('cart-1', [80, 80], never);
    while (fars.length < 2) await new Promise(setImmediate);
    fars[1]?.cut();
    expect(await forward.closed).toBeInstanceOf(Error);
  });
});

describe('the way', () => {
  const echo = (far: FarEnd): void => far.onData((data) => far.send(data));

  test('is SPDY where it passes', async () => {
    await using server = await serve(echo);
    await using _ = await server.forwarder.forward('cart-1', [80, 80], never);
    expect(server.requests).toEqual(Array(2).fill('POST /api/v1/namespaces/shop/pods/cart-1/portforward'));
  });

  test.each([400, 403, 502])('is the websocket where SPDY is refused with %i, then at once', async (refusal) => {
    await using server = await serve(echo, { ways: ['websocket'], refusal });
    for (const pod of ['cart-1', 'cart-2']) {
      await using forward = await server.forwarder.forward(pod, [80], never);
      const [channel] = forward.channels;
      if (!channel) throw new Error('there is no channel');
      channel.write('hello');
      expect(String((await once(channel, 'data'))[0])).toBe('hello');
    }
    expect(server.requests).toEqual([
      'POST /api/v1/namespaces/shop/pods/cart-1/portforward',
      'GET /api/v1/namespaces/shop/pods/cart-1/portforward?ports=80',
      'GET /api/v1/namespaces/shop/pods/cart-2/portforward?ports=80',
    ]);
  });

  test('is not asked for twice if there is no such pod', async () => {
    await using server = await serve(echo, { ways: [], refusal: 404 });
    await expect(server.forwarder.forward('cart-1', [80], never)).rejects.toMatchObject({ status: 404 });
    expect(server.requests).toHaveLength(1);
  });

  test('stays what has passed once, whatever is refused later', async () => {
    const refused = { refusal: 400, ways: ['spdy', 'websocket'] as WayName[] };
    await using server = await serve(echo, refused);
    await using _ = await server.forwarder.forward('cart-1', [80], never);
    refused.ways.splice(0, 1);
    await expect(server.forwarder.forward('cart-2', [80], never)).rejects.toMatchObject({ status: 400 });
    expect(server.requests.filter((request) => request.startsWith('GET'))).toEqual([]);
  });
});

test('a refusal of the API server is told in its words', async () => {
  await using server = await FakeApiServer.start(() => 403);
  await expect(portForwarder(server.cluster()).forward('cart-1', [80], never)).rejects.toMatchObject({
    code: 'right-missing',
    why: expect.stringContaining('message 403'),
  });
});

test('new credentials are tried after a 401', async () => {
  const asked: string[] = [];
  await using server = await FakeApiServer.start(({ method, headers }) => {
    asked.push(`${method} ${headers.authorization}`);
    return 401;
  });
  let token = 1;
  const cluster = clusterAt(server.url, {
    apply: async (options) => {
      options.headers = { authorization: `token ${token}` };
      return token;
    },
    refresh: () => ++token === 2,
  });
  await expect(portForwarder(cluster).forward('cart-1', [80], never)).rejects.toMatchObject({ status: 401 });
  expect(asked).toEqual(['POST token 1', 'POST token 2']);
});

test('the signal ends the opening', async () => {
  const silent = createServer();
  const stop = new AbortController();
  silent.on('upgrade', () => stop.abort(new Error('enough')));
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const cluster = clusterAt(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  await expect(portForwarder(cluster).forward('cart-1', [80], stop.signal)).rejects.toThrow('enough');
  silent.closeAllConnections();
  silent.close();
});
