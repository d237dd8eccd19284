/** Tests only: the API server's side of port-forwards, for both ways. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { constants, inflateSync } from 'node:zlib';
import { type WebSocket, WebSocketServer } from 'ws';
import { silentLog } from '../../diagnostics/log.ts';
import type { PortForwarder } from '../../tunnel/tunnel.ts';
import { Api, type Credentials } from '../api.ts';
import type { Cluster } from '../cluster.ts';
import { portForwarder } from './forwarder.ts';
import { dataHead, headLength, readHead } from './spdy-frames.ts';

/** The pod's end of one channel. */
export interface FarEnd {
  readonly port: number;
  send(data: string | Buffer): void;
  /** Bytes that wait to be sent. */
  readonly waiting: number;
  onData(take: (data: Buffer) => void): void;
  pause(): void;
  resume(): void;
  /** The connection in the pod ended well. */
  end(): void;
  /** The connection in the pod failed. */
  complain(text: string): void;
  cut(): void;
}

export interface TestServer extends AsyncDisposable {
  readonly forwarder: PortForwarder;
  /** Method, path and query of what was asked. */
  readonly requests: readonly string[];
}

export type WayName = 'spdy' | 'websocket';

export interface Ways {
  /** Default both. */
  readonly ways?: readonly WayName[];
  /** With which status it refuses a way that it does not have. */
  readonly refusal?: number;
}

/** A cluster whose API server this is; without credentials unless some are given. */
export function clusterAt(
  server: string,
  credentials: Credentials = { apply: async () => 0, refresh: () => false },
): Cluster {
  const api = new Api(server, credentials, silentLog);
  return { context: 'fake', server, namespace: 'shop', user: 'anna', version: 'v1.35.4', log: silentLog, api };
}

/** Serves port-forwards over loopback; `onChannel` is called for each connection in the pod. */
export async function serve(
  onChannel: (far: FarEnd) => void,
  { ways = ['spdy', 'websocket'], refusal = 400 }: Ways = {},
): Promise<TestServer> {
  const requests: string[] = [];
  const sockets = new Set<Duplex>();
  const websockets = new WebSocketServer({ noServer: true, handleProtocols: () => 'v4.channel.k8s.io' });
  const server = createServer();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('upgrade', (request, socket, head) => {
    requests.push(`${request.method} ${request.url}`);
    socket.on('error', () => {});
    const way = request.headers.upgrade === 'SPDY/3.1' ? 'spdy' : 'websocket';
    if (!ways.includes(way)) {
      const body = JSON.stringify({ kind: 'Status', reason: 'Test', message: `message ${refusal}` });
      socket.end(`HTTP/1.1 ${refusal} No\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    } else if (way === 'spdy') {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: portforward.k8s.io\r\n\r\n',
      );
      new SpdyServer(socket as Socket, onChannel).read(head);
    } else {
      const port = Number(new URL(request.url ?? '/', 'http://fake').searchParams.get('ports'));
      websockets.handleUpgrade(request, socket, head, (websocket) => onChannel(websocketEnd(websocket, port)));
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    forwarder: portForwarder(clusterAt(url)),
    requests,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function websocketEnd(socket: WebSocket, port: number): FarEnd {
  const send = (channel: number, data: string | Buffer) =>
    socket.send(Buffer.concat([Buffer.of(channel), Buffer.from(data)]));
  for (const channel of [0, 1]) send(channel, Buffer.of(port & 0xff, port >> 8));
  return {
    port,
    send: (data) => send(0, data),
    get waiting() {
      return socket.bufferedAmount;
    },
    onData: (take) => void socket.on('message', (data: Buffer) => take(data.subarray(1))),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    end: () => socket.close(1000),
    complain: (text) => send(1, text),
    cut: () => socket.terminate(),
  };
}

/** As the kubelet does it: answers the opening of the streams, and ends both when the connection in the pod has ended. */
class SpdyServer {
  readonly #socket: Socket;
  readonly #onChannel: (far: FarEnd) => void;
  #blocks = Buffer.alloc(0);
  #headerLength = 0;
  readonly #streams = new Map<string, number>();
  #bytes = Buffer.alloc(0);
  #take: (data: Buffer) => void = () => {};

  constructor(socket: Socket, onChannel: (far: FarEnd) => void) {
    this.#socket = socket;
    this.#onChannel = onChannel;
    socket.on('data', (chunk: Buffer) => this.read(chunk));
    socket.once('end', () => socket.end());
  }

  read(chunk: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    while (this.#bytes.length >= headLength) {
      const head = readHead(this.#bytes);
      const end = headLength + head.length;
      if (this.#bytes.length < end) return;
      const type = this.#bytes.readUInt16BE(2);
      const payload = this.#bytes.subarray(headLength, end);
      this.#bytes = this.#bytes.subarray(end);
      if (head.kind === 'data') this.#data(head, payload);
      else if (type === 1) this.#open(payload.readUInt32BE(0), this.#headersOf(payload.subarray(10)));
    }
  }

  #data({ stream, fin }: { readonly stream: number; readonly fin: boolean }, payload: Buffer): void {
    if (stream !== this.#stream('data')) return;
    this.#take(payload);
    if (fin) this.#socket.write(dataHead(stream, 0, true));
  }

  #open(stream: number, headers: ReadonlyMap<string, string>): void {
    this.#streams.set(headers.get('streamtype') ?? '', stream);
    const reply = Buffer.from([0x80, 3, 0, 2, 0, 0, 0, 4, 0, 0, 0, 0]);
    reply.writeUInt32BE(stream, headLength);
    this.#socket.write(reply);
    if (this.#streams.size === 2) this.#onChannel(this.#farEnd(Number(headers.get('port'))));
  }

  #farEnd(port: number): FarEnd {
    const socket = this.#socket;
    const send = (stream: number, data: string | Buffer, fin = false): void => {
      const bytes = Buffer.from(data);
      socket.write(Buffer.concat([dataHead(stream, bytes.length, fin), bytes]));
    };
    return {
      port,
      send: (data) => send(this.#stream('data'), data),
      get waiting() {
        return socket.writableLength;
      },
      onData: (take) => {
        this.#take = take;
      },
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      end: () => send(this.#stream('data'), '', true),
      complain: (text) => {
        send(this.#stream('error'), text, true);
        send(this.#stream('data'), '', true);
      },
      cut: () => socket.resetAndDestroy(),
    };
  }

  #stream(type: 'error' | 'data'): number {
    return this.#streams.get(type) ?? Number.NaN;
  }

  /** All header blocks of a connection are one zlib stream. */
  #headersOf(block: Buffer): ReadonlyMap<string, string> {
    this.#blocks = Buffer.concat([this.#blocks, block]);
    const all = inflateSync(this.#blocks, { finishFlush: constants.Z_SYNC_FLUSH });
    const bytes = all.subarray(this.#headerLength);
    this.#headerLength = all.length;
    const headers = new Map<string, string>();
    let at = 4;
    const text = (): string => {
      const length = bytes.readUInt32BE(at);
      at += 4 + length;
      return bytes.toString('utf8', at - length, at);
    };
    for (let left = bytes.readUInt32BE(0); left > 0; left -= 1) headers.set(text(), text());
    return headers;
  }
}
