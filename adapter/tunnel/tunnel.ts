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
import { sessionOptions, workstationWindows } from '../../agent/http2.ts';
import {
  datagramTransport,
  destinationAddressHeader,
  errorHeader,
  formatAuthority,
  type Guest,
  goodbyeCode,
  guestsPath,
  parseAuthority,
  type Role,
  sourceAddressHeader,
  sourcePortHeader,
  transportHeader,
  tunnelIdLength,
} from '../../agent/protocol.ts';
import { adaptWindows } from '../../agent/receive-window.ts';
import { firstWithDatagrams, type VersionRange } from '../../agent/versions.ts';
import type { Log } from '../diagnostics/log.ts';
import { Problem } from '../problem.ts';
import { type AgentKeys, agentKeyCheck } from './agent-key-check.ts';
import { AgentUnproven, authenticate, type Identity, NoCommonVersion } from './authentication.ts';
import { DialError, failedStream } from './dial-error.ts';

/** What tunnel/ needs from the cluster: a byte stream into the pod for each element of `ports`; a port may repeat. */
export interface PortForwarder {
  forward(pod: string, ports: readonly number[], signal: AbortSignal): Promise<PortForward>;
}

/** A byte stream into a pod. Destroyed, it still sends what was written. */
interface Channel extends Duplex {
  readonly bytesRead: number;
  readonly bytesWritten: number;
}

/** When one of its channels ends, so do all. */
export interface PortForward extends AsyncDisposable {
  readonly channels: readonly Channel[];
  readonly closed: Promise<Error | undefined>;
}

/** A TCP connection from the cluster to a port of the pod. */
export interface InboundConnection {
  readonly pod: string;
  readonly port: number;
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** The address of the pod that was called; empty if the agent does not tell. */
  readonly localAddress: string;
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
   * Sends datagrams from a UDP socket of its own inside the pod, and gives those that come back; both framed as in
   * agent/datagrams.ts, so write with `sendDatagram`. A name that is not found destroys the stream with the code ENOTFOUND,
   * an agent that knows no datagrams with EPROTONOSUPPORT. A port where nobody listens is silence.
   */
  dialDatagrams(host: string, port: number): Duplex;
  /**
   * Asks the agent itself, see agent/protocol.ts; `body`: bytes follow. Undefined if the tunnel is closing. Errors are the
   * stream's.
   */
  ask(headers: OutgoingHttpHeaders, body: boolean): ClientHttp2Stream | undefined;
  /**
   * Lets these look, and nobody else, see the role `guest` in agent/protocol.ts; a new tunnel to an agent that started again
   * has none. Only the session's holder may. Rejects with Problem 'tunnel-failed' if the agent refuses the list or is gone.
   */
  setGuests(guests: readonly Guest[]): Promise<void>;
  /** Milliseconds, from the last PING. */
  readonly roundTripTime: number | undefined;
  /** Whether the agent has been heard of lately; a tunnel of which this is false may be dead. */
  readonly answering: boolean;
  /** There is reason to doubt that it works: asks the agent at once, and closes if it is silent for 6 s. */
  check(): void;
  /** Resolves when the tunnel is gone: with the reason, or undefined if it was disposed of here. Never rejects. */
  readonly closed: Promise<Error | undefined>;
  /** Streams of both directions, open now, so far, and ended by the end of the tunnel; and the bytes on the wire including the tunnel's own. */
  readonly statistics: { streams: number; opened: number; lost: number; bytesIn: number; bytesOut: number };
}

export interface TunnelOptions {
  readonly forwarder: PortForwarder;
  readonly pod: string;
  readonly tunnelPort: number;
  readonly privateKey: KeyObject;
  readonly session: string;
  /** Default holder. A guest has the outbound connection only, and `privateKey` is the guest's own. */
  readonly role?: 'holder' | 'guest';
  /** Where the pod's agent is known from. */
  readonly agentKeys: AgentKeys;
  onInbound(connection: InboundConnection): void;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Milliseconds of a heartbeat's tick; for tests. */
  readonly heartbeatTick?: number;
  /** Milliseconds for which a key that is not the agent's is looked for in the log again; for tests. */
  readonly keyPatience?: number;
  /** Of the protocol, that we speak; for tests. */
  readonly versions?: VersionRange;
}

/** How long an agent may be silent when it is asked, in milliseconds; its own PINGs come every 5 s. */
const checkLimit = 6_000;
/** Limit for the greeting and the first PING, in milliseconds. */
const openLimit = 15_000;

/**
 * Connects to the agent of a pod. The signal ends only the opening. Rejects with Problem 'tunnel-failed', with 'agent-unproven'
 * if what answers is not the agent that runs there, with the Problems of `agentKeys`, or with the signal's reason.
 */
export async function openTunnel(options: TunnelOptions): Promise<Tunnel> {
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal, AbortSignal.timeout(openLimit)]);
  try {
    // Read while the port-forward is being opened: the greeting waits for neither longer than for the other.
    const isAgentKey = agentKeyCheck(options.agentKeys, options.pod, signal, options.keyPatience);
    const ports = options.role === 'guest' ? [options.tunnelPort] : [options.tunnelPort, options.tunnelPort];
    const forward = await options.forwarder.forward(options.pod, ports, signal);
    try {
      return await connect(options, forward, isAgentKey, signal);
    } catch (error) {
      await forward[Symbol.asyncDispose]();
      throw error;
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof Problem) throw error;
    if (error instanceof AgentUnproven) throw unproven(options.pod, error);
    const late = signal.aborted && !(error instanceof NoCommonVersion);
    throw new Problem(
      {
        code: 'tunnel-failed',
        what: `There is no tunnel to the pod ${options.pod}.`,
        why: late ? `It did not answer within ${openLimit / 1000} s.` : describe(error),
        remedy: error instanceof NoCommonVersion ? remedyOf(error) : lookAtLog,
      },
      { cause: error },
    );
  } finally {
    failed.abort();
  }
}

const lookAtLog = 'Look at the log of the agent in that pod with "kubectl logs".';

const remedyOf = ({ agentIsNewer }: NoCommonVersion): string =>
  agentIsNewer
    ? 'Use the version of kubernetes-local that goes with the agent’s image, or a newer one.'
    : 'Use the agent’s image that goes with this version of kubernetes-local; see --agent-image.';

const unproven = (pod: string, error: AgentUnproven): Problem =>
  new Problem(
    {
      code: 'agent-unproven',
      what: `What answers in the pod ${pod} is not the agent of this session.`,
      why: describe(error),
      remedy: 'Something else in that pod took the agent’s port. Look who may change the pod before you start again.',
    },
    { cause: error },
  );

const describe = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  return message.endsWith('.') ? message : `${message}.`;
};

async function connect(
  options: TunnelOptions,
  forward: PortForward,
  isAgentKey: (key: Buffer) => Promise<boolean>,
  signal: AbortSignal,
): Promise<Tunnel> {
  const [outbound, inbound] = forward.channels;
  if (outbound === undefined) throw new Error('the port-forward has too few channels');
  const { session, privateKey, role = 'holder', versions } = options;
  if (role === 'holder' && inbound === undefined) throw new Error('the port-forward has too few channels');
  const tunnelId = randomBytes(tunnelIdLength);
  const identity: Identity = { session, privateKey, tunnelId, ...(versions && { versions }) };
  const guard = (): void => {};
  for (const channel of forward.channels) channel.on('error', guard);
  const greet = (channel: Duplex, as: Role) => authenticate(channel, as, identity, isAgentKey, signal);
  const [version] = await Promise.race([
    Promise.all([
      greet(outbound, role === 'guest' ? 'guest' : 'outbound'),
      inbound === undefined ? undefined : greet(inbound, 'inbound'),
    ]),
    forward.closed.then((reason): never => {
      throw reason ?? new Error('the port-forward closed');
    }),
  ]);
  const tunnel = new AgentTunnel(options, version, forward, outbound, inbound);
  try {
    await tunnel.answered(signal);
    options.log.write('info', 'tunnel opened', { pod: options.pod, version });
    return tunnel;
  } catch (error) {
    // No goodbye: the agent is to wait for the next attempt.
    await tunnel.abandon(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

const guestsRefused = (pod: string, why: string): Problem =>
  new Problem({
    code: 'tunnel-failed',
    what: `The agent in the pod ${pod} does not know the session's guests.`,
    why,
    remedy: lookAtLog,
  });

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
  readonly #version: number;
  readonly #forward: PortForward;
  readonly #channels: readonly Channel[];
  readonly #outbound: ClientHttp2Session;
  readonly #sessions: readonly Http2Session[];
  readonly #heartbeats: readonly Heartbeat[];
  readonly #resolveClosed: (reason: Error | undefined) => void;
  #streams = 0;
  #opened = 0;
  #lost = 0;
  #disposed: Promise<void> | undefined;

  constructor(
    options: TunnelOptions,
    version: number,
    forward: PortForward,
    outbound: Channel,
    inbound: Channel | undefined,
  ) {
    this.pod = options.pod;
    this.#options = options;
    this.#version = version;
    this.#forward = forward;
    ({ promise: this.closed, resolve: this.#resolveClosed } = Promise.withResolvers<Error | undefined>());
    this.#outbound = http2.connect('http://pod', {
      ...sessionOptions(workstationWindows),
      createConnection: () => outbound,
    });
    const sides: [Http2Session, Channel][] = [[this.#outbound, outbound]];
    if (inbound !== undefined) {
      const session = http2.performServerHandshake(inbound, sessionOptions(workstationWindows));
      session.on('stream', (stream, headers) => this.#accept(stream, headers));
      sides.push([session, inbound]);
    }
    this.#channels = sides.map(([, channel]) => channel);
    this.#sessions = sides.map(([session]) => session);
    this.#heartbeats = sides.map(([session, channel]) => this.#watch(session, channel));
    void forward.closed.then((reason) => this.#end(reason ?? new Error('the port-forward closed')));
  }

  get roundTripTime(): number | undefined {
    return this.#heartbeats[0]?.roundTripTime;
  }

  get answering(): boolean {
    return this.#heartbeats.every((heartbeat) => heartbeat.answering);
  }

  check(): void {
    for (const heartbeat of this.#heartbeats) heartbeat.check(checkLimit);
  }

  get statistics(): Tunnel['statistics'] {
    const sum = (count: (channel: Channel) => number): number =>
      this.#channels.reduce((total, channel) => total + count(channel), 0);
    return {
      streams: this.#streams,
      opened: this.#opened,
      lost: this.#lost,
      bytesIn: sum(({ bytesRead }) => bytesRead),
      bytesOut: sum(({ bytesWritten }) => bytesWritten),
    };
  }

  /** Resolves when the agent has answered on both sessions. */
  async answered(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#sessions.map((session) => firstPing(session, signal)));
  }

  /** Closes it as one that was lost. */
  abandon(reason: Error): Promise<void> {
    return this.#end(reason);
  }

  dial(host: string, port: number): Duplex {
    return this.#connect(host, port, {});
  }

  dialDatagrams(host: string, port: number): Duplex {
    // An older agent would take it for TCP.
    if (this.#version < firstWithDatagrams) return failedStream(new DialError('EPROTONOSUPPORT', host, port));
    return this.#connect(host, port, { [transportHeader]: datagramTransport });
  }

  #connect(host: string, port: number, headers: OutgoingHttpHeaders): Duplex {
    if (this.#outbound.closed || this.#outbound.destroyed) {
      return failedStream(new DialError('ECONNREFUSED', host, port));
    }
    const stream = this.#outbound.request(
      { ':method': 'CONNECT', ':authority': formatAuthority(host, port), ...headers },
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

  setGuests(guests: readonly Guest[]): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const fail = (why: string): void => reject(guestsRefused(this.pod, why));
    const stream = this.ask({ ':method': 'POST', ':path': guestsPath }, true);
    if (stream === undefined) fail('The tunnel is closing.');
    stream?.once('response', (headers) => {
      stream.resume();
      if (headers[':status'] === 200) resolve();
      else fail(`The agent refused the list of guests (${headers[errorHeader] ?? headers[':status']}).`);
    });
    stream?.once('close', () => fail('The tunnel closed before the agent answered.'));
    stream?.end(JSON.stringify(guests));
    return promise;
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
    const localAddress = headers[destinationAddressHeader];
    stream.respond({ ':status': 200 });
    this.#count(stream);
    this.#options.onInbound({
      pod: this.pod,
      port: address.port,
      remoteAddress: typeof remoteAddress === 'string' ? remoteAddress : '',
      remotePort: Number(headers[sourcePortHeader] ?? 0),
      localAddress: typeof localAddress === 'string' ? localAddress : '',
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
      if (this.#disposed === undefined && this.#sessions.some(({ destroyed }) => destroyed)) this.#lost += 1;
    });
  }

  #watch(session: Http2Session, channel: Channel): Heartbeat {
    let reason = new Error('the agent closed the tunnel');
    session.on('error', (error) => {
      reason = new Error(`the agent closed the tunnel (${error.message})`, { cause: error });
    });
    session.once('close', () => void this.#end(reason));
    const bytesReceived = () => channel.bytesRead;
    const heartbeat = startHeartbeat({
      session,
      bytesReceived,
      onDead: () => void this.#end(new Error('the agent does not answer any more')),
      ...(this.#options.heartbeatTick === undefined ? {} : { tick: this.#options.heartbeatTick }),
    });
    adaptWindows(session, workstationWindows, { bytesReceived, roundTripTime: () => heartbeat.roundTripTime });
    return heartbeat;
  }

  #end(reason: Error | undefined): Promise<void> {
    this.#disposed ??= this.#close(reason);
    return this.#disposed;
  }

  async #close(reason: Error | undefined): Promise<void> {
    // They close later than whoever waits for the tunnel's end is told of it.
    this.#lost += this.#streams;
    for (const heartbeat of this.#heartbeats) heartbeat[Symbol.dispose]();
    const error = reason ?? new Error('the tunnel was closed');
    // After a goodbye the agent waits for no other tunnel.
    const code = reason === undefined ? goodbyeCode : http2.constants.NGHTTP2_INTERNAL_ERROR;
    for (const session of this.#sessions) session.destroy(error, code);
    this.#options.log.write('info', 'tunnel closed', { pod: this.pod, reason: error.message });
    this.#resolveClosed(reason);
    await this.#forward[Symbol.asyncDispose]();
  }
}
