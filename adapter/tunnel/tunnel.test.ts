import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Problem } from '../problem.ts';
import { join } from './join.ts';
import {
  connectTo,
  fate,
  randomData,
  readHash,
  readLength,
  readText,
  startEchoServer,
  startServer,
  startTestBed,
  type TestBed,
} from './test-bed.ts';
import type { InboundConnection, Tunnel } from './tunnel.ts';

const bed = async (options?: { heartbeatTick?: number }): Promise<TestBed> => {
  const started = await startTestBed(options);
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started;
};

const server = async (onConnection: (socket: Socket) => void): Promise<number> => {
  const started = await startServer(onConnection);
  onTestFinished(() => started[Symbol.asyncDispose]());
  return started.port;
};

const firstConnection = () => {
  const { promise, resolve } = Promise.withResolvers<Socket>();
  return { connection: promise, accept: resolve };
};

const inboundPort = async ({ agent }: TestBed): Promise<number> => {
  const response = await fetch(`http://127.0.0.1:${agent.healthPort}/ready`);
  expect(response.status).toBe(200);
  const [port] = agent.ports;
  if (port === undefined) throw new Error('the agent has no inbound port');
  return port;
};

const openWithInbound = async (given: TestBed): Promise<{ tunnel: Tunnel; inbound: Promise<InboundConnection> }> => {
  const { promise, resolve } = Promise.withResolvers<InboundConnection>();
  return { tunnel: await given.open({ onInbound: resolve }), inbound: promise };
};

describe('outbound', () => {
  test('an echo comes back, half-close included', async () => {
    const tunnel = await (await bed()).open();
    await using echo = await startEchoServer();
    const stream = tunnel.dial('127.0.0.1', echo.port);
    stream.end('hello');
    expect(await readText(stream)).toBe('hello');
    expect(tunnel.roundTripTime).toBeGreaterThan(0);
    expect(tunnel.statistics.bytesIn).toBeGreaterThan(5);
  });

  test('a server may speak first', async () => {
    const port = await server((socket) => socket.write('220 ready\r\n'));
    const stream = (await (await bed()).open()).dial('127.0.0.1', port);
    expect(String((await once(stream, 'data'))[0])).toBe('220 ready\r\n');
  });

  test('a server may answer after the end of the request', async () => {
    const port = await server((socket) => {
      readText(socket).then((request) => socket.end(`answer to ${request}`));
    });
    const stream = (await (await bed()).open()).dial('127.0.0.1', port);
    stream.end('the whole request');
    expect(await readText(stream)).toBe('answer to the whole request');
  });

  test('a request may go on after the end of the answer', async () => {
    const { connection, accept } = firstConnection();
    const port = await server((socket) => {
      socket.end('enough');
      accept(socket);
    });
    const stream = (await (await bed()).open()).dial('127.0.0.1', port);
    expect(await readText(stream)).toBe('enough');
    stream.end('still to be said');
    expect(await readText(await connection)).toBe('still to be said');
  });

  test('a server that answers and is gone while the request goes on has answered', async () => {
    const port = await server((socket) => socket.once('data', () => socket.end('enough', () => socket.destroy())));
    const tunnel = await (await bed()).open();
    await using echo = await startEchoServer();
    const stream = tunnel.dial('127.0.0.1', port);
    const closed = fate(stream);
    stream.write('a request');
    expect(await readText(stream)).toBe('enough');
    while (!stream.writableEnded) {
      stream.write('that goes on');
      await exchange(tunnel, echo.port);
    }
    expect(await closed).toBe('closed');
  });

  test('data rides with the opening, before anything comes back', async () => {
    const { connection, accept } = firstConnection();
    const port = await server(accept);
    const given = await bed();
    const tunnel = await given.open();
    given.forwarder.silence('from the agent');
    tunnel.dial('127.0.0.1', port).write('at once');
    expect(String((await once(await connection, 'data'))[0])).toBe('at once');
  });

  test('a reset by the server is a reset here', async () => {
    const port = await server((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const stream = (await (await bed()).open()).dial('127.0.0.1', port);
    stream.write('x');
    expect(await fate(stream)).toBe('ERR_HTTP2_STREAM_ERROR');
  });

  test('a reset here is a reset at the server', async () => {
    const { connection, accept } = firstConnection();
    const port = await server(accept);
    const client = await server((socket) => void join(socket, tunnel.dial('127.0.0.1', port)));
    const tunnel = await (await bed()).open();
    const local = connectTo(client);
    local.write('x');
    const far = await connection;
    await once(far, 'data');
    local.resetAndDestroy();
    expect(await fate(far)).toBe('ECONNRESET');
  });

  test('a refused dial and an unknown name have their codes', async () => {
    const tunnel = await (await bed()).open();
    const closed = await startServer(() => {});
    await closed[Symbol.asyncDispose]();
    expect(await fate(tunnel.dial('127.0.0.1', closed.port))).toBe('ECONNREFUSED');
    expect(await fate(tunnel.dial('no-such-service.invalid', 80))).toBe('ENOTFOUND');
    const written = tunnel.dial('127.0.0.1', closed.port);
    written.write('data that nobody reads');
    expect(await fate(written)).toBe('ECONNREFUSED');
  });

  test('50 MB of random data arrive unchanged in both directions at once', { timeout: 60_000 }, async () => {
    const there = randomData(1, 50_000_000);
    const back = randomData(2, 50_000_000);
    const { connection, accept } = firstConnection();
    const port = await server(accept);
    const stream = (await (await bed()).open()).dial('127.0.0.1', port);
    const far = await connection;
    const [received, answered] = await Promise.all([
      readHash(far),
      readHash(stream),
      pipeline(Readable.from(there.chunks), stream, { end: true }),
      pipeline(Readable.from(back.chunks), far, { end: true }),
    ]);
    expect(received).toBe(there.hash);
    expect(answered).toBe(back.hash);
  });

  test('200 short connections at once keep their data apart', async () => {
    const tunnel = await (await bed()).open();
    await using echo = await startEchoServer();
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const stream = tunnel.dial('127.0.0.1', echo.port);
        stream.end(`connection ${index}`);
        return readText(stream);
      }),
    );
    expect(answers).toEqual(Array.from({ length: 200 }, (_, index) => `connection ${index}`));
  });
});

/** Goes through the tunnel and back, so that whatever was under way before has had its chance to move. */
const exchange = async (tunnel: Tunnel, echoPort: number): Promise<void> => {
  const stream = tunnel.dial('127.0.0.1', echoPort);
  stream.end('ping');
  expect(await readText(stream)).toBe('ping');
};

/** Resolves when `bytes` has not moved by a chunk in 20 exchanges. */
const settled = async (tunnel: Tunnel, echoPort: number, bytes: () => number): Promise<number> => {
  for (let before = bytes(); ; before = bytes()) {
    for (let round = 0; round < 20; round += 1) await exchange(tunnel, echoPort);
    if (bytes() - before < 30_000) return bytes();
  }
};

describe('a reader that does not read', { timeout: 60_000 }, () => {
  const chunk = Buffer.alloc(64 * 1024, 1);
  const total = 256 * 1024 * 1024;
  const bound = 48 * 1024 * 1024;
  const feed = (stream: Duplex) => pipeline(Readable.from(Array(total / chunk.length).fill(chunk)), stream);
  test('in the cluster stops the sender here, and nobody else', async () => {
    const { connection, accept } = firstConnection();
    const port = await server((socket) => accept(socket.pause()));
    const tunnel = await (await bed()).open();
    await using echo = await startEchoServer();
    const stream = tunnel.dial('127.0.0.1', port);
    const sent = feed(stream);
    const far = await connection;
    expect(await settled(tunnel, echo.port, () => tunnel.statistics.bytesOut)).toBeLessThan(bound);
    const [received] = await Promise.all([readLength(far), sent]);
    expect(received).toBe(total);
  });

  test('here stops the sender in the cluster, and nobody else', async () => {
    const port = await server((socket) => void feed(socket).catch(() => {}));
    const tunnel = await (await bed()).open();
    await using echo = await startEchoServer();
    const stream = tunnel.dial('127.0.0.1', port);
    expect(await settled(tunnel, echo.port, () => tunnel.statistics.bytesIn)).toBeLessThan(bound);
    expect(await readLength(stream)).toBe(total);
  });
});

describe('inbound', () => {
  test('a connection to the pod arrives with its source, and half-close works', async () => {
    const given = await bed();
    const { inbound } = await openWithInbound(given);
    const client = connectTo(await inboundPort(given));
    client.end('GET /');
    const connection = await inbound;
    expect(connection).toMatchObject({
      pod: 'cart-1',
      port: given.agent.ports[0],
      remoteAddress: '127.0.0.1',
      remotePort: client.localPort,
    });
    expect(await readText(connection.stream)).toBe('GET /');
    connection.stream.end('200 OK');
    expect(await readText(client)).toBe('200 OK');
  });

  test('the program here may speak first', async () => {
    const given = await bed();
    const { inbound } = await openWithInbound(given);
    const client = connectTo(await inboundPort(given));
    (await inbound).stream.write('220 ready\r\n');
    expect(String((await once(client, 'data'))[0])).toBe('220 ready\r\n');
  });

  test('a program that is not there is a reset for the client', async () => {
    const given = await bed();
    const gone = await startServer(() => {});
    await gone[Symbol.asyncDispose]();
    await given.open({ onInbound: ({ stream }) => void join(stream, connectTo(gone.port)) });
    const client = connectTo(await inboundPort(given));
    expect(await fate(client)).toBe('ECONNRESET');
  });

  test('a reset by the client reaches the program here', async () => {
    const given = await bed();
    const { inbound } = await openWithInbound(given);
    const client = connectTo(await inboundPort(given));
    const { stream } = await inbound;
    client.resetAndDestroy();
    expect(await fate(stream)).toBe('ERR_HTTP2_STREAM_ERROR');
  });
});

describe('the tunnel', () => {
  test('with another key is refused, and the agent says so', async () => {
    const given = await bed();
    const opening = given.open({ privateKey: generateKeyPairSync('ed25519').privateKey });
    await expect(opening).rejects.toSatisfy((error) => error instanceof Problem && error.code === 'tunnel-failed');
    await expect(opening).rejects.toThrow('it refused the key');
    expect(given.agent.ready).toBe(false);
  });

  test('of another session is refused even with the right key', async () => {
    const given = await bed();
    await expect(given.open({ session: 'another' })).rejects.toThrow('it refused the key');
  });

  test('to something that is no agent fails with the reason', async () => {
    const given = await bed();
    const port = await server((socket) => socket.write('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'));
    const { LoopbackForwarder } = await import('./test-bed.ts');
    await using forwarder = new LoopbackForwarder(() => port);
    await expect(given.open({ forwarder })).rejects.toThrow('what listens on the tunnel port is not the agent');
  });

  test('can be given up while it opens', async () => {
    const given = await bed();
    const port = await server(() => {});
    const { LoopbackForwarder } = await import('./test-bed.ts');
    await using forwarder = new LoopbackForwarder(() => port);
    const controller = new AbortController();
    const opening = given.open({ forwarder, signal: controller.signal });
    controller.abort(new Error('given up'));
    await expect(opening).rejects.toThrow('given up');
  });

  test('of a newer daemon replaces the one before', async () => {
    const given = await bed();
    const first = await given.open();
    const second = await given.open();
    expect(await first.closed).toBeInstanceOf(Error);
    await using echo = await startEchoServer();
    await exchange(second, echo.port);
    expect((await fetch(`http://127.0.0.1:${given.agent.healthPort}/ready`)).status).toBe(200);
    expect(await fate(first.dial('127.0.0.1', echo.port))).toBe('ECONNREFUSED');
  });

  test.each(['from the agent', 'to the agent'] as const)(
    'that falls silent %s is given up by both',
    async (direction) => {
      const given = await bed({ heartbeatTick: 20 });
      const tunnel = await given.open();
      await inboundPort(given);
      given.forwarder.silence(direction);
      const reason =
        direction === 'from the agent' ? 'the agent does not answer any more' : 'the agent closed the tunnel';
      expect(await tunnel.closed).toMatchObject({ message: expect.stringContaining(reason) });
      await given.logged('tunnel lost');
      expect(given.agent.ready).toBe(false);
      expect(given.agent.ports).toEqual([]);
    },
  );

  test('takes its streams with it when it is disposed of', async () => {
    const { connection, accept } = firstConnection();
    const port = await server(accept);
    const given = await bed();
    const tunnel = await given.open();
    const stream = tunnel.dial('127.0.0.1', port);
    stream.write('x');
    const far = await connection;
    const ended = Promise.all([fate(stream), fate(far)]);
    await tunnel[Symbol.asyncDispose]();
    expect(await tunnel.closed).toBeUndefined();
    expect((await ended)[1]).toBe('ECONNRESET');
    expect(tunnel.statistics.streams).toBe(0);
  });
});
