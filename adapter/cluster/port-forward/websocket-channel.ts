/** One TCP connection in the pod, over a websocket of its own. */
import { WebSocket } from 'ws';
import { refusalOf } from '../refusal.ts';
import { unreachable } from '../unreachable.ts';
import { asBuffer } from '../websocket-message.ts';
import { type Opening, openingLimit } from './opening.ts';
import { PodChannel, type Taken, writeBuffer } from './pod-channel.ts';

const subprotocol = 'v4.channel.k8s.io';
const pingInterval = 20_000;
/** How long the API server may take to answer our goodbye, in milliseconds. */
const goodbyeLimit = 1_000;

/**
 * Opens a channel by `GET …/portforward` as a websocket. Rejects with ApiError if the API server refuses, with Problem
 * 'cluster-unreachable', or with the signal's reason.
 */
export async function openWebsocket({ server, path, port, options, signal }: Opening): Promise<PodChannel> {
  signal.throwIfAborted();
  const url = new URL(server.replace(/^http/, 'ws') + path);
  url.searchParams.append('ports', `${port}`);
  // Compression would only cost time: the inner traffic is often encrypted or compressed.
  const settings = { ...options, perMessageDeflate: false, handshakeTimeout: openingLimit } as object;
  const socket = new WebSocket(url, subprotocol, settings);
  const channel = new WebsocketChannel(socket);
  const opened = Promise.withResolvers<PodChannel>();
  const abort = () => opened.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  socket.once('open', () => opened.resolve(channel));
  socket.once('unexpected-response', (_request, response) => void refusalOf('GET', path, response).then(opened.reject));
  socket.once('error', (error) => opened.reject(unreachable(server, error)));
  socket.once('close', () => opened.reject(unreachable(server, new Error('the connection was closed'))));
  try {
    return await opened.promise;
  } catch (error) {
    socket.terminate();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/**
 * Protocol v4.channel.k8s.io: every message begins with a byte, 0 for data and 1 for errors; the first message of each kind is
 * the port, two bytes little-endian. Source: kubernetes, kubelet's portforward/websocket.go. client-node's PortForward
 * ignores back-pressure.
 */
class WebsocketChannel extends PodChannel {
  readonly #socket: WebSocket;
  readonly #awaitsPort = [true, true];
  #complaint = '';
  #heard = true;

  constructor(socket: WebSocket) {
    super();
    this.#socket = socket;
    socket.on('message', (data) => this.#receive(asBuffer(data)));
    socket.on('error', (error) => this.destroy(error));
    socket.on('pong', () => {
      this.#heard = true;
    });
    const heartbeat = setInterval(() => this.#beat(), pingInterval);
    socket.once('close', (code: number) => {
      clearInterval(heartbeat);
      this.isDisconnected();
      // What the error channel says tells why better than the websocket's code.
      if (this.#complaint === '' && code !== 1000 && code !== 1005) {
        this.destroy(new Error(`The port-forward was cut (websocket code ${code}).`));
      } else {
        this.finish(this.#complaint);
      }
    });
  }

  protected override send(chunks: readonly Buffer[], taken: Taken): void {
    if (this.#socket.readyState !== WebSocket.OPEN) {
      taken(new Error('The port-forward is closed.'));
      return;
    }
    // A message in a buffer of its own: ws masks asynchronously. Not as fragments: the API server takes each for a message.
    const message = Buffer.concat([dataPrefix, ...chunks]);
    if (this.#socket.bufferedAmount + message.length > writeBuffer) this.#socket.send(message, taken);
    else {
      this.#socket.send(message);
      taken();
    }
  }

  protected override pauseReading(): void {
    this.#socket.pause();
  }

  protected override resumeReading(): void {
    this.#socket.resume();
  }

  protected override close(): void {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    // Paused, it would never see the other side's goodbye.
    this.#socket.resume();
    this.#socket.close(1000);
    const timer = setTimeout(() => this.#socket.terminate(), goodbyeLimit);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  #receive(message: Buffer): void {
    this.#heard = true;
    const number = message[0];
    if (number !== 0 && number !== 1) return;
    if (this.#awaitsPort[number]) {
      this.#awaitsPort[number] = false;
    } else if (number === 0) {
      this.receive(message.subarray(1));
    } else {
      this.#complaint += message.toString('utf8', 1);
      this.#socket.close(1000);
    }
  }

  /** A connection that answers nothing between two beats is dead, unless we hold it back ourselves. */
  #beat(): void {
    if (!this.#heard && !this.#socket.isPaused) {
      this.destroy(new Error('The port-forward no longer answers.'));
      this.#socket.terminate();
      return;
    }
    this.#heard = false;
    this.#socket.ping();
  }
}

const dataPrefix = Buffer.of(0);
