/** One tunnel: the two HTTP/2 sessions with the agent of one pod. */
import { type KeyObject, randomBytes } from 'node:crypto';
import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type Http2Session,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import { type Heartbeat, startHeartbeat } from '../../agent/heartbeat.ts';
import { openSessionWindow, sessionOptions, workstationWindows } from '../../agent/http2.ts';
import {
  errorHeader,
  formatAuthority,
  parseAuthority,
  sourceAddressHeader,
  sourcePortHeader,
} from '../../agent/protocol.ts';
import type { Log } from '../diagnostics/log.ts';
import { Problem } from '../problem.ts';
import { authenticate, type Identity } from './authentication.ts';
import { DialError, failedStream } from './dial-error.ts';
import { Transport } from './transport.ts';

/** What tunnel/ needs from the cluster: a byte stream into the pod for each element of `ports`; a port may repeat. */
export interface PortForwarder {
  forward(pod: string, ports: readonly number[], signal: AbortSignal): Promise<PortForward>;
}

/** Byte streams over one websocket. A channel that is ended closes only when the whole forward does. */
export interface PortForward extends AsyncDisposable {
  readonly channels: readonly Duplex[];
  readonly closed: Promise<Error | undefined>;
}

/** A TCP connection from the cluster to a port of the pod. */
export interface InboundConnection {
  readonly pod: string;
  readonly port: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** Can be half open. `destroy(error)` resets the connection; `destroy()` without one looks like the end of all data. */
  readonly stream: Duplex;
}

export interface Tunnel extends AsyncDisposable {
  readonly pod: string;
  /**
   * Opens a TCP connection from inside the pod. Data may be written at once. A refused dial destroys the stream with an
   * error that has a `code` such as ECONNREFUSED, ENOTFOUND or ETIMEDOUT.
   */
  dial(host: string, port: number): Duplex;
  /**
   * Asks the agent itself, see agent/protocol.ts; `body`: bytes follow. Undefined if the tunnel is closing. Errors are the
   * stream's.
   */
  ask(headers: OutgoingHttpHeaders, body: boolean): ClientHttp2Stream | undefined;
  /** Milliseconds, from the last PING. */
  readonly roundTripTime: number | undefined;
  /** Resolves when the tunnel is gone: with the reason, or undefined if it was disposed of here. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** Streams of both directions, open now and so far, and the bytes on the wire including the tunnel's own. */
  readonly statistics: { streams: number; opened: number; bytesIn: number; bytesOut: number };
}

export interface TunnelOptions {
  readonly forwarder: PortForwarder;
  readonly pod: string;
  readonly tunnelPort: number;
  readonly privateKey: KeyObject;
  readonly session: string;
  onInbound(connection: InboundConnection): void;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Milliseconds of a heartbeat's tick; for tests. */
  readonly heartbeatTick?: number;
}

/** Limit for the greeting and the first PING, in milliseconds. */
const openLimit = 15_000;

/**
 * Connects to the agent of a pod. The signal ends only the opening. Rejects with Problem 'tunnel-failed', or with the
 * signal's reason.
 */
export async function openTunnel(options: TunnelOptions): Promise<Tunnel> {
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(openLimit)]);
  try {
    const forward = await options.forwarder.forward(options.pod, [options.tunnelPort, options.tunnelPort], signal);
    try {
      return await connect(options, forward, signal);
    } catch (error) {
      await forward[Symbol.asyncDispose]();
      throw error;
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof Problem) throw error;
    throw new Problem(
      {
        code: 'tunnel-failed',
        what: `There is no tunnel to the pod ${options.pod}.`,
        why: signal.aborted ? `It did not answer within ${openLimit / 1000} s.` : describe(error),
        remedy: 'Look at the log of the agent in that pod with "kubectl logs".',
      },
      { cause: error },
    );
  }
}

const describe = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  return message.endsWith('.') ? message : `${message}.`;
};

async function connect(options: TunnelOptions, forward: PortForward, signal: AbortSignal): Promise<Tunnel> {
  const [outbound, inbound] = forward.channels;
  if (outbound === undefined || inbound === undefined) throw new Error('the port-forward has too few channels');
  const identity: Identity = { session: options.session, privateKey: options.privateKey, tunnelId: randomBytes(16) };
  const guard = (): void => {};
  for (const channel of forward.channels) channel.on('error', guard);
  await Promise.race([
    Promise.all([
      authenticate(outbound, 'outbound', identity, signal),
      authenticate(inbound, 'inbound', identity, signal),
    ]),
    forward.closed.then((reason) => {
      throw reason ?? new Error('the port-forward closed');
    }),
  ]);
  const tunnel = new AgentTunnel(options, forward, outbound, inbound);
  try {
    await tunnel.answered(signal);
    return tunnel;
  } catch (error) {
    await tunnel[Symbol.asyncDispose]();
    throw error;
  }
}

/** Resolves with the first answered PING. */
function firstPing(session: Http2Session, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(signal.aborted ? signal.reason : new Error('the agent closed the tunnel'));
    signal.addEventListener('abort', fail, { once: true });
    session.once('close', fail);
    session.ping((error) => {
      signal.removeEventListener('abort', fail);
      session.off('close', fail);
      if (error === null) resolve();
      else reject(error);
    });
  });
}

class AgentTunnel implements Tunnel {
  readonly pod: string;
  readonly closed: Promise<Error | undefined>;
  readonly #options: TunnelOptions;
  readonly #forward: PortForward;
  readonly #transports: readonly Transport[];
  readonly #outbound: ClientHttp2Session;
  readonly #sessions: readonly Http2Session[];
  readonly #heartbeats: readonly Heartbeat[];
  readonly #resolveClosed: (reason: Error | undefined) => void;
  #streams = 0;
  #opened = 0;
  #disposed: Promise<void> | undefined;

  constructor(options: TunnelOptions, forward: PortForward, outbound: Duplex, inbound: Duplex) {
    this.pod = options.pod;
    this.#options = options;
    this.#forward = forward;
    ({ promise: this.closed, resolve: this.#resolveClosed } = Promise.withResolvers<Error | undefined>());
    const outboundTransport = new Transport(outbound);
    const inboundTransport = new Transport(inbound);
    this.#transports = [outboundTransport, inboundTransport];

    this.#outbound = http2.connect('http://pod', {
      ...sessionOptions(workstationWindows),
      createConnection: () => outboundTransport,
    });
    const inboundSession = http2.performServerHandshake(inboundTransport, sessionOptions(workstationWindows));
    inboundSession.on('stream', (stream, headers) => this.#accept(stream, headers));
    this.#sessions = [this.#outbound, inboundSession];
    this.#heartbeats = [this.#watch(this.#outbound, outboundTransport), this.#watch(inboundSession, inboundTransport)];
    void forward.closed.then((reason) => this.#end(reason ?? new Error('the port-forward closed')));
  }

  get roundTripTime(): number | undefined {
    return this.#heartbeats[0]?.roundTripTime;
  }

  get statistics(): Tunnel['statistics'] {
    const sum = (count: (transport: Transport) => number): number =>
      this.#transports.reduce((total, transport) => total + count(transport), 0);
    return {
      streams: this.#streams,
      opened: this.#opened,
      bytesIn: sum(({ bytesReceived }) => bytesReceived),
      bytesOut: sum(({ bytesSent }) => bytesSent),
    };
  }

  /** Resolves when the agent has answered on both sessions. */
  async answered(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#sessions.map((session) => firstPing(session, signal)));
  }

  dial(host: string, port: number): Duplex {
    if (this.#outbound.closed || this.#outbound.destroyed) {
      return failedStream(new DialError('ECONNREFUSED', host, port));
    }
    const stream = this.#outbound.request(
      { ':method': 'CONNECT', ':authority': formatAuthority(host, port) },
      { endStream: false },
    );
    stream.once('response', (headers) => {
      if (headers[':status'] === 200) return;
      const code = headers[errorHeader];
      stream.destroy(new DialError(typeof code === 'string' ? code : 'ECONNREFUSED', host, port));
    });
    this.#count(stream);
    return stream;
  }

  ask(headers: OutgoingHttpHeaders, body: boolean): ClientHttp2Stream | undefined {
    if (this.#outbound.closed || this.#outbound.destroyed) return undefined;
    const stream = this.#outbound.request(headers, { endStream: !body });
    this.#count(stream);
    return stream;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end(undefined);
  }

  #accept(stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
    const address = headers[':method'] === 'CONNECT' ? parseAuthority(headers[':authority']) : undefined;
    if (address === undefined) {
      stream.close(http2.constants.NGHTTP2_PROTOCOL_ERROR);
      return;
    }
    const remoteAddress = headers[sourceAddressHeader];
    stream.respond({ ':status': 200 });
    this.#count(stream);
    this.#options.onInbound({
      pod: this.pod,
      port: address.port,
      remoteAddress: typeof remoteAddress === 'string' ? remoteAddress : '',
      remotePort: Number(headers[sourcePortHeader] ?? 0),
      stream,
    });
  }

  #count(stream: Duplex): void {
    this.#streams += 1;
    this.#opened += 1;
    // A caller that does not listen loses a connection, not the process.
    stream.on('error', () => {});
    stream.once('close', () => {
      this.#streams -= 1;
    });
  }

  #watch(session: Http2Session, transport: Transport): Heartbeat {
    openSessionWindow(session, workstationWindows);
    let reason = new Error('the agent closed the tunnel');
    session.on('error', (error) => {
      reason = new Error(`the agent closed the tunnel (${error.message})`, { cause: error });
    });
    session.once('close', () => void this.#end(reason));
    return startHeartbeat({
      session,
      bytesReceived: () => transport.bytesReceived,
      onDead: () => void this.#end(new Error('the agent does not answer any more')),
      ...(this.#options.heartbeatTick === undefined ? {} : { tick: this.#options.heartbeatTick }),
    });
  }

  #end(reason: Error | undefined): Promise<void> {
    this.#disposed ??= this.#close(reason);
    return this.#disposed;
  }

  async #close(reason: Error | undefined): Promise<void> {
    for (const heartbeat of this.#heartbeats) heartbeat[Symbol.dispose]();
    const error = reason ?? new Error('the tunnel was closed');
    for (const session of this.#sessions) session.destroy(error);
    this.#options.log.write('info', 'tunnel closed', { pod: this.pod, reason: error.message });
    this.#resolveClosed(reason);
    await this.#forward[Symbol.asyncDispose]();
  }
}
