import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type Duplex, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
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

const bed = async (options?: { heartbeatTick?: number; patience?: number }): Promise<TestBed> => {
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
  const bound = 72 * 1024 * 1024;
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
      localAddress: '127.0.0.1',
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
      const given = await bed({ heartbeatTick: 20, patience: 50 });
      const tunnel = await given.open();
      await inboundPort(given);
      given.forwarder.silence(direction);
      const reason =
        direction === 'from the agent' ? 'the agent does not answer any more' : 'the agent closed the tunnel';
      expect(await tunnel.closed).toMatchObject({ message: expect.stringContaining(reason) });
      await given.logged('tunnel lost');
      await given.logged('the workstation did not come back');
      expect(given.agent.ready).toBe(false);
      expect(given.agent.ports).toEqual([]);
    },
  );

  test('that is asked and says nothing is given up', async () => {
    const given = await bed();
    const tunnel = await given.open();
    await vi.waitFor(() => expect(tunnel.answering).toBe(true));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    given.forwarder.silence('from the agent');
    tunnel.check();
    expect(tunnel.answering).toBe(false);
    vi.runAllTimers();
    expect(await tunnel.closed).toMatchObject({ message: 'the agent does not answer any more' });
  });

  test('that is asked and answers stands on', async () => {
    const tunnel = await (await bed()).open();
    tunnel.check();
    expect(tunnel.answering).toBe(false);
    await vi.waitFor(() => expect(tunnel.answering).toBe(true), { timeout: 10_000 });
  });

  test('that breaks is waited for: connections are held and served by the next one', async () => {
    const given = await bed();
    const first = await given.open();
    const port = await inboundPort(given);
    given.forwarder.break();
    await first.closed;
    await given.logged('tunnel lost');
    expect(given.agent.ready).toBe(true);
    const callers = ['one', 'two'].map((name) => connectTo(port).end(name));
    const answers = callers.map(readText);
    const gone = connectTo(port);
    await once(gone, 'connect');
    gone.resetAndDestroy();
    const echo = ({ stream }: InboundConnection) => void stream.pipe(stream);
    await given.open({ onInbound: echo });
    expect(await Promise.all(answers)).toEqual(['one', 'two']);
    expect(given.agent.ports).toEqual([port]);
  });

  test('that does not come back in time is given up: what was held is reset, and nothing listens', async () => {
    const given = await bed({ patience: 300 });
    await given.open();
    const port = await inboundPort(given);
    given.forwarder.break();
    await given.logged('tunnel lost');
    const caller = connectTo(port);
    expect(await fate(caller)).toBe('ECONNRESET');
    await given.logged('the workstation did not come back');
    expect(given.agent.ready).toBe(false);
    expect(await fate(connectTo(port))).toBe('ECONNREFUSED');
  });

  test('that is given up while it opens is no goodbye: the agent waits for the next attempt', async () => {
    const given = await bed();
    const port = await given.open().then(() => inboundPort(given));
    given.forwarder.break();
    await given.logged('tunnel lost');
    const caller = fate(connectTo(port).end('still here'));
    // The agent takes the tunnel for live, while the first PING is never answered.
    given.forwarder.greetingOnly = true;
    const stop = new AbortController();
    const opening = expect(given.open({ signal: stop.signal })).rejects.toThrow('another network');
    await vi.waitFor(() => expect(given.count('tunnel connected')).toBe(2));
    stop.abort(new Error('another network'));
    await opening;
    await vi.waitFor(() => expect(given.count('tunnel lost')).toBe(2));
    given.forwarder.greetingOnly = false;
    await given.open();
    expect(given.agent.ports).toEqual([port]);
    expect(given.agent.ready).toBe(true);
    // It was on its way over the tunnel that was given up.
    expect(await caller).toBe('ECONNRESET');
  });

  test('that is disposed of is not waited for', async () => {
    const given = await bed();
    const tunnel = await given.open();
    const port = await inboundPort(given);
    await tunnel[Symbol.asyncDispose]();
    expect(await given.logged('tunnel lost')).toMatchObject({ orderly: true });
    expect(given.agent.ready).toBe(false);
    expect(await fate(connectTo(port))).toBe('ECONNREFUSED');
  });

  test('takes its streams with it when it breaks, by resets and not by ends', async () => {
    const { connection, accept } = firstConnection();
    const port = await server(accept);
    const program = firstConnection();
    const programPort = await server(program.accept);
    const given = await bed();
    const tunnel = await given.open({ onInbound: ({ stream }) => void join(stream, connectTo(programPort)) });
    const caller = connectTo(await inboundPort(given));
    const local = connectTo(await server((socket) => void join(socket, tunnel.dial('127.0.0.1', port))));
    local.write('x');
    const ended = Promise.all([caller, await program.connection, local, await connection].map(fate));
    given.forwarder.break();
    expect(await tunnel.closed).toBeInstanceOf(Error);
    expect(await ended).toEqual(['ECONNRESET', 'ECONNRESET', 'ECONNRESET', 'ECONNRESET']);
  });

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
