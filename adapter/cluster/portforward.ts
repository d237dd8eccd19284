/**
 * Byte streams into a pod over one websocket of the API server (`/portforward`).
 *
 * Protocol v4.channel.k8s.io: each requested port has two channels, data (2i) and error (2i + 1); every message begins with
 * the channel's number; the first message of each channel is the port, two bytes little-endian. There is no half-close: the
 * websocket closes when the first of its TCP connections does. Source: kubernetes/pkg/kubelet portforward/websocket.go.
 * client-node's PortForward loses half-close, ignores back-pressure and takes one port only.
 */
import type { RequestOptions } from 'node:https';
import { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { PortForward, PortForwarder } from '../tunnel/tunnel.ts';
import { ApiError, hasStatus } from './api-error.ts';
import type { Cluster } from './cluster.ts';
import { pathOf } from './kinds.ts';
import { unreachable } from './unreachable.ts';

const subprotocol = 'v4.channel.k8s.io';
const handshakeTimeout = 10_000;
const pingInterval = 20_000;
/** Bytes that may wait in the websocket before writers are held back. */
const writeBuffer = 1024 * 1024;
/** Bytes that may wait for a reader before the websocket is paused; it then stands still for all channels. */
const readBuffer = 1024 * 1024;

/** Opens port-forwards into pods of the session's namespace. */
export function portForwarder(cluster: Cluster): PortForwarder {
  return {
    async forward(pod, ports, signal) {
      const first = await cluster.api.connectionOptions();
      try {
        return await open(cluster, pod, ports, first.options, signal);
      } catch (error) {
        if (!hasStatus(error, 401) || !cluster.api.refreshCredentials(first.generation)) throw error;
        return await open(cluster, pod, ports, (await cluster.api.connectionOptions()).options, signal);
      }
    },
  };
}

async function open(
  cluster: Cluster,
  pod: string,
  ports: readonly number[],
  options: RequestOptions,
  signal: AbortSignal,
): Promise<PortForward> {
  signal.throwIfAborted();
  const path = `${pathOf('Pod', cluster.namespace, pod)}/portforward`;
  const url = new URL(cluster.server.replace(/^http/, 'ws') + path);
  for (const port of ports) url.searchParams.append('ports', String(port));
  // Compression would only cost time: the inner traffic is often encrypted or compressed.
  const socket = new WebSocket(url, subprotocol, { ...options, perMessageDeflate: false, handshakeTimeout } as object);
  const forward = new Forward(socket, ports.length);
  const opened = Promise.withResolvers<void>();
  const abort = () => opened.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  socket.once('open', opened.resolve);
  socket.once('unexpected-response', (_request, response) => {
    response.setEncoding('utf8');
    let body = '';
    const refuse = () => opened.reject(new ApiError('GET', path, response.statusCode ?? 0, body));
    response.on('data', (chunk: string) => {
      body += chunk;
    });
    response.once('end', refuse).once('error', refuse);
  });
  socket.once('error', (error) => opened.reject(unreachable(cluster.server, error)));
  socket.once('close', () => opened.reject(unreachable(cluster.server, new Error('the connection was closed'))));
  try {
    await opened.promise;
    return forward;
  } catch (error) {
    socket.terminate();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

class Forward implements PortForward {
  readonly channels: readonly Duplex[];
  readonly closed: Promise<Error | undefined>;
  readonly #socket: WebSocket;
  readonly #channels: readonly Channel[];
  readonly #complaints: string[];
  readonly #awaitsPort: boolean[];
  #error: Error | undefined;
  #heard = true;

  constructor(socket: WebSocket, count: number) {
    this.#socket = socket;
    this.#channels = Array.from(
      { length: count },
      (_, index) => new Channel(socket, index * 2, () => this.#resumeIfWanted()),
    );
    this.channels = this.#channels;
    this.#complaints = Array.from({ length: count }, () => '');
    this.#awaitsPort = Array.from({ length: count * 2 }, () => true);
    socket.on('message', (data) => this.#receive(asBuffer(data)));
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('pong', () => {
      this.#heard = true;
    });
    const heartbeat = setInterval(() => this.#beat(), pingInterval);
    const closed = Promise.withResolvers<Error | undefined>();
    this.closed = closed.promise;
    socket.once('close', (code: number) => {
      clearInterval(heartbeat);
      // The error channels tell why better than the websocket's code.
      const complaint = this.#complaints.find(Boolean);
      if (complaint) this.#error = new Error(`The port-forward failed: ${complaint}`);
      else if (code !== 1000 && code !== 1005)
        this.#error ??= new Error(`The port-forward was cut (websocket code ${code}).`);
      for (const channel of this.#channels) channel.finish(this.#error);
      closed.resolve(this.#error);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    // A paused websocket would never see the other side's close frame.
    this.#socket.resume();
    this.#socket.close(1000);
    const timer = setTimeout(() => this.#socket.terminate(), 1000);
    await this.closed;
    clearTimeout(timer);
  }

  #receive(message: Buffer): void {
    this.#heard = true;
    const number = message[0];
    if (number === undefined) return;
    if (this.#awaitsPort[number]) {
      this.#awaitsPort[number] = false;
      return;
    }
    const index = number >> 1;
    if (number % 2 === 1) {
      this.#complaints[index] += message.toString('utf8', 1);
      this.#socket.close(1000);
      return;
    }
    const channel = this.#channels[index];
    if (channel && message.length > 1 && !channel.receive(message.subarray(1))) this.#socket.pause();
  }

  #resumeIfWanted(): void {
    if (this.#socket.isPaused && !this.#channels.some((channel) => channel.isFull)) this.#socket.resume();
  }

  /** A connection that answers nothing between two beats is dead, unless we hold it back ourselves. */
  #beat(): void {
    if (!this.#heard && !this.#socket.isPaused) {
      this.#error ??= new Error('The port-forward no longer answers.');
      this.#socket.terminate();
      return;
    }
    this.#heard = false;
    this.#socket.ping();
  }
}

/** One TCP connection in the pod. Ending it sends nothing: the protocol has no half-close. */
class Channel extends Duplex {
  readonly #socket: WebSocket;
  readonly #prefix: Buffer;
  readonly #onDrained: () => void;
  #full = false;

  constructor(socket: WebSocket, number: number, onDrained: () => void) {
    super({ readableHighWaterMark: readBuffer, writableHighWaterMark: writeBuffer, allowHalfOpen: true });
    this.#socket = socket;
    this.#prefix = Buffer.from([number]);
    this.#onDrained = onDrained;
    // The error is told by `closed` too; a forward that never opened has nobody who listens here.
    this.on('error', () => {});
  }

  get isFull(): boolean {
    return this.#full;
  }

  /** Hands bytes to the reader; false: it has enough for now. */
  receive(data: Buffer): boolean {
    if (this.destroyed) return true;
    this.#full = !this.push(data);
    return !this.#full;
  }

  /** The websocket has closed. */
  finish(error: Error | undefined): void {
    if (error) this.destroy(error);
    else {
      this.push(null);
      this.end();
    }
  }

  override _read(): void {
    if (!this.#full) return;
    this.#full = false;
    this.#onDrained();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#send([this.#prefix, chunk], callback);
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], callback: (error?: Error | null) => void): void {
    this.#send([this.#prefix, ...chunks.map(({ chunk }) => chunk)], callback);
  }

  override _destroy(_error: Error | null, callback: (error?: Error | null) => void): void {
    this.#full = false;
    this.#onDrained();
    callback(_error);
  }

  #send(parts: readonly Buffer[], callback: (error?: Error | null) => void): void {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      callback(new Error('The port-forward is closed.'));
      return;
    }
    // Each message in a buffer of its own: ws masks asynchronously. Not as fragments: the API server takes each for a message.
    const message = Buffer.concat(parts);
    if (this.#socket.bufferedAmount + message.length <= writeBuffer) {
      this.#socket.send(message);
      callback();
    } else {
      this.#socket.send(message, callback);
    }
  }
}

function asBuffer(data: WebSocket.RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
