/** For tests: an agent in this process, a port-forward over loopback that can fall silent, and small TCP servers. */
import { createCipheriv, createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { type Agent, type AgentOptions, startAgent } from '../../agent/agent.ts';
import {
  configurationVersion,
  type FilesConfiguration,
  helloHeadLength,
  helloRestLength,
  protocolVersion,
  signatureLength,
} from '../../agent/protocol.ts';
import type { VersionRange } from '../../agent/versions.ts';
import { silentLog } from '../diagnostics/log.ts';
import type { AgentKeys } from './agent-key-check.ts';
import {
  type InboundConnection,
  openTunnel,
  type PortForward,
  type PortForwarder,
  type Tunnel,
  type TunnelOptions,
} from './tunnel.ts';

/** A forward through a relay in between, so that a test can cut either direction without closing anything. */
export class LoopbackForwarder implements PortForwarder, AsyncDisposable {
  readonly forwards: PortForward[] = [];
  readonly #relays: { near: Socket; far: Socket }[] = [];
  readonly #server: Server;
  readonly #target: () => number;
  #refuses = false;
  /** Of what the agent says on new connections only the bytes before HTTP/2 arrive. */
  greetingOnly = false;
  /** How many forwards were refused. */
  refused = 0;

  constructor(target: () => number) {
    this.#target = target;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (near) => {
      const far = connect({ port: this.#target(), host: '127.0.0.1', noDelay: true });
      this.#relays.push({ near, far });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        from.on('error', () => {}).once('close', () => to.destroy());
        if (from === far && this.greetingOnly) passFirst(from, to, bytesBeforeHttp2);
        else from.pipe(to);
      }
    });
  }

  async forward(_pod: string, ports: readonly number[]): Promise<PortForward> {
    if (this.#refuses) {
      this.refused += 1;
      throw new Error('there is no road to the pod');
    }
    if (!this.#server.listening) await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    const channels = ports.map(() => connect({ port: portOf(this.#server), host: '127.0.0.1', noDelay: true }));
    const { promise: closed, resolve } = Promise.withResolvers<Error | undefined>();
    const forward: PortForward = {
      channels,
      closed,
      [Symbol.asyncDispose]: async () => {
        for (const channel of channels) channel.destroy();
        resolve(undefined);
      },
    };
    this.forwards.push(forward);
    return forward;
  }

  /** Nothing passes any more in one direction, as with a cable pulled. */
  silence(direction: 'to the agent' | 'from the agent'): void {
    for (const { near, far } of this.#relays) {
      const [from, to] = direction === 'to the agent' ? [near, far] : [far, near];
      from.unpipe(to);
      from.pause();
    }
  }

  /** What was held back since `silence` passes, and what comes then. */
  resume(direction: 'to the agent' | 'from the agent'): void {
    for (const { near, far } of this.#relays) {
      const [from, to] = direction === 'to the agent' ? [near, far] : [far, near];
      from.pipe(to);
    }
  }

  /** From now on there is no new forward, or there is again. */
  refuse(does: boolean): void {
    this.#refuses = does;
  }

  /** Breaks what is open now, without a word of goodbye from either end. */
  break(): void {
    for (const { near, far } of this.#relays.splice(0)) for (const socket of [near, far]) socket.destroy();
    for (const forward of this.forwards.splice(0)) for (const channel of forward.channels) channel.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { near, far } of this.#relays) for (const socket of [near, far]) socket.destroy();
    this.#server.close();
  }
}

/** From the agent: hello, verdict and proof. */
const bytesBeforeHttp2 = helloHeadLength + helloRestLength(protocolVersion) + 1 + signatureLength;

function passFirst(from: Socket, to: Socket, count: number): void {
  let left = count;
  from.on('data', (chunk: Buffer) => {
    to.write(chunk.subarray(0, left));
    left -= Math.min(left, chunk.length);
  });
}

export interface TestBed extends AsyncDisposable {
  readonly agent: Agent;
  readonly forwarder: LoopbackForwarder;
  /** By which the two ends know each other. */
  readonly identity: Pick<TunnelOptions, 'tunnelPort' | 'privateKey' | 'session' | 'agentKeys'>;
  /** Resolves when the agent logs this message; counts from the start of the bed. */
  logged(message: string): Promise<Readonly<Record<string, unknown>>>;
  /** How often the agent has logged this message. */
  count(message: string): number;
  open(options?: {
    onInbound?: (connection: InboundConnection) => void;
    privateKey?: KeyObject;
    session?: string;
    role?: 'holder' | 'guest';
    agentKeys?: AgentKeys;
    keyPatience?: number;
    forwarder?: PortForwarder;
    signal?: AbortSignal;
    versions?: VersionRange;
  }): Promise<Tunnel>;
}

export type BedOptions = Omit<AgentOptions, 'log'> & { readonly files?: FilesConfiguration };

/** Starts an agent with one inbound port and gives what is needed to connect to it. */
export async function startTestBed(given: BedOptions = {}): Promise<TestBed> {
  const { files, heartbeatTick, ...agentOptions } = given;
  const options = heartbeatTick === undefined ? {} : { heartbeatTick };
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const messages: [string, Readonly<Record<string, unknown>>][] = [];
  let wake: (() => void)[] = [];
  const agent = await startAgent(
    {
      version: configurationVersion,
      session: 'test',
      publicKey: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      tunnelPort: 0,
      healthPort: 0,
      ports: [0],
      ...(files !== undefined && { files }),
    },
    {
      ...options,
      ...agentOptions,
      log: (_level, message, details = {}) => {
        messages.push([message, details]);
        const waiting = wake;
        wake = [];
        for (const resume of waiting) resume();
      },
    },
  );
  const forwarder = new LoopbackForwarder(() => agent.tunnelPort);
  const tunnels: Tunnel[] = [];
  const identity = {
    tunnelPort: agent.tunnelPort,
    privateKey,
    session: 'test',
    agentKeys: { keyOf: async () => agent.publicKey },
  };
  return {
    agent,
    forwarder,
    identity,
    count: (wanted) => messages.filter(([message]) => message === wanted).length,
    logged: async (wanted) => {
      for (;;) {
        const found = messages.find(([message]) => message === wanted);
        if (found !== undefined) return found[1];
        await new Promise<void>((resolve) => wake.push(resolve));
      }
    },
    open: async (given = {}) => {
      const tunnel = await openTunnel({
        ...identity,
        forwarder,
        pod: 'cart-1',
        onInbound: ({ stream }) => stream.destroy(),
        signal: new AbortController().signal,
        log: silentLog,
        ...options,
        ...given,
      });
      tunnels.push(tunnel);
      return tunnel;
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(tunnels.map((tunnel) => tunnel[Symbol.asyncDispose]()));
      await agent.close();
      await forwarder[Symbol.asyncDispose]();
    },
  };
}

const portOf = (server: Server): number => {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the server does not listen');
  return address.port;
};

/** A TCP server on loopback that allows half-open connections; disposing drops its connections. */
export async function startServer(
  onConnection: (socket: Socket) => void,
): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => {});
    onConnection(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: portOf(server),
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

export const startEchoServer = () => startServer((socket) => void socket.pipe(socket));

/** Connects like a client of the cluster or the workstation would. */
export const connectTo = (port: number): Socket =>
  connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true }).on('error', () => {});

/** Gives each chunk to `take` until the stream's end; rejects if it closes before. The other direction stays open. */
function readAll(stream: Readable, take: (chunk: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.on('data', take).resume();
    stream.once('end', resolve);
    stream.once('error', reject);
    stream.once('close', () => reject(new Error('closed before its end')));
  });
}

/** All that arrives until the end of the stream, as text. */
export async function readText(stream: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  await readAll(stream, (chunk) => chunks.push(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

/** The SHA-256 of all that arrives until the end of the stream. */
export async function readHash(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  await readAll(stream, (chunk) => hash.update(chunk));
  return hash.digest('hex');
}

/** How many bytes arrive until the end of the stream. */
export async function readLength(stream: Readable): Promise<number> {
  let length = 0;
  await readAll(stream, (chunk) => {
    length += chunk.length;
  });
  return length;
}

/** How a stream ends: with the code of its error, or 'closed'. */
export function fate(stream: Duplex): Promise<string> {
  stream.resume();
  return new Promise((resolve) => {
    stream.once('error', (error) => resolve('code' in error ? String(error.code) : error.message));
    stream.once('close', () => resolve('closed'));
  });
}

/** Random bytes, the same for the same seed, in chunks of many sizes; and their SHA-256. */
export function randomData(seed: number, length: number): { chunks: Buffer[]; hash: string } {
  const bytes = createCipheriv('aes-128-ctr', Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(length));
  const chunks: Buffer[] = [];
  for (let start = 0, index = 0; start < length; index += 1) {
    const size = 1 + ((bytes[index] ?? 0) * 997 + (bytes[index + 1] ?? 0));
    chunks.push(bytes.subarray(start, start + size));
    start += size;
  }
  return { chunks, hash: createHash('sha256').update(bytes).digest('hex') };
}
