/**
 * The agent's end of the tunnel: accepts connections on the loopback of the pod, lets in only those whose key it knows, and
 * holds the one tunnel of the session's daemon. Guests are beside it, see guest-connections.ts.
 */
import { randomBytes } from 'node:crypto';
import http2, {
  type ClientHttp2Session,
  type Http2Session,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { Dialler } from './dialler.ts';
import { FileServer } from './files.ts';
import { GuestConnections } from './guest-connections.ts';
import { answerGuestList, isGuestList } from './guest-list.ts';
import { agentWindows, sessionOptions } from './http2.ts';
import type { AgentIdentity } from './identity.ts';
import type { KeyRing } from './key-ring.ts';
import { type DialLimits, guestDials, holderDials, Limit, mostUnproven } from './limits.ts';
import { type Loss, watchSession } from './liveness.ts';
import type { AgentLog } from './log.ts';
import {
  type Answer,
  answerRestLength,
  decodeAnswer,
  encodeHello,
  type FilesConfiguration,
  type Greeting,
  type Guest,
  type Hello,
  nonceLength,
  type Role,
  signedBytes,
  status,
} from './protocol.ts';
import { readExactly } from './read.ts';
import { speaks, type VersionRange } from './versions.ts';

/** A connection that says nothing is dropped after this many milliseconds. */
const authenticationLimit = 10_000;

type HolderRole = Exclude<Role, 'guest'>;
type Sessions = { outbound?: ServerHttp2Session; inbound?: ClientHttp2Session };

interface Tunnel extends Sessions {
  readonly id: Buffer;
}

export interface TunnelListenerOptions {
  readonly session: string;
  readonly identity: AgentIdentity;
  readonly keys: KeyRing;
  /** What of the pod's files the daemon may ask for. */
  readonly files: FilesConfiguration | undefined;
  readonly log: AgentLog;
  /** Both connections of a tunnel stand. Called again for each new tunnel, after `onLost` of the one before. */
  onLive(inbound: ClientHttp2Session): void;
  /** A tunnel that was live is gone; `orderly`: the daemon said that it goes. */
  onLost(orderly: boolean): void;
  /** Of the protocol, that it speaks. */
  readonly versions: VersionRange;
  readonly heartbeatTick?: number;
  /** As in DiallerOptions; for tests. */
  readonly datagramIdle?: number;
  /** Of the holder; for tests. */
  readonly dialLimits?: DialLimits;
}

/** What there is at the moment. */
export interface TunnelCounts extends DialLimits {
  readonly unproven: number;
  readonly guests: number;
}

export class TunnelListener {
  readonly server: Server;
  readonly #options: TunnelListenerOptions;
  readonly #unproven = new Set<Socket>();
  readonly #unprovenLimit: Limit;
  readonly #files: FileServer;
  readonly #guests: GuestConnections;
  readonly #dials: Dialler;
  readonly #guestDials: Dialler;
  #tunnel: Tunnel | undefined;
  #live = false;

  constructor(options: TunnelListenerOptions) {
    this.#options = options;
    const { files, log, heartbeatTick, datagramIdle, dialLimits = holderDials } = options;
    const idle = datagramIdle === undefined ? {} : { datagramIdle };
    this.#dials = new Dialler({ log, limits: dialLimits, ...idle });
    this.#guestDials = new Dialler({ log, limits: guestDials, ...idle });
    this.#files = new FileServer(files, log);
    this.#guests = new GuestConnections({
      log,
      onRequest: (stream, headers) => this.#serve(stream, headers, false),
      ...(heartbeatTick === undefined ? {} : { heartbeatTick }),
    });
    this.#unprovenLimit = new Limit(mostUnproven, (most) =>
      log('warn', 'tunnel connection refused', { reason: `${most} others have not proved themselves yet` }),
    );
    this.server = createServer({ noDelay: true }, (socket) => void this.#accept(socket));
  }

  get counts(): TunnelCounts {
    const [own, guests] = [this.#dials.counts, this.#guestDials.counts];
    return {
      unproven: this.#unproven.size,
      guests: this.#guests.sessions.length,
      dialling: own.dialling + guests.dialling,
      datagrams: own.datagrams + guests.datagrams,
    };
  }

  /** Asks the daemon to open no more streams, waits at most `limit` milliseconds for the open ones, then drops all. */
  async close(limit: number): Promise<void> {
    this.server.close();
    for (const socket of this.#unproven) socket.destroy();
    const { outbound, inbound } = this.#tunnel ?? {};
    const all: (Http2Session | undefined)[] = [outbound, inbound, ...this.#guests.sessions];
    const sessions = all.filter((session) => session !== undefined);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limit);
    });
    await Promise.race([
      Promise.all(sessions.map((session) => new Promise<void>((done) => session.close(done)))),
      timeout,
    ]);
    clearTimeout(timer);
    this.#guests.keepOnly([]);
    this.#drop('the agent is stopping', false);
  }

  async #accept(socket: Socket): Promise<void> {
    socket.on('error', () => {});
    if (this.#unprovenLimit.reached(this.#unproven.size)) {
      socket.destroy();
      return;
    }
    this.#unproven.add(socket);
    try {
      const { identity, versions } = this.#options;
      const hello: Hello = { versions, agentKey: identity.publicKey, nonce: randomBytes(nonceLength) };
      socket.write(encodeHello(hello));
      const signal = AbortSignal.timeout(authenticationLimit);
      const version = (await readExactly(socket, 1, signal)).readUInt8(0);
      if (!speaks(versions, version)) return this.#refuse(socket, status.versionUnknown);
      const answer = decodeAnswer(version, await readExactly(socket, answerRestLength, signal));
      if (answer === undefined) return this.#refuse(socket, status.malformed);
      const greeting = this.#greeting(hello, answer);
      const signer = this.#options.keys.signer(answer.role, signedBytes('daemon', greeting), answer.signature);
      if (signer === undefined) return this.#refuse(socket, status.signatureRefused);
      this.#admit(socket, answer, greeting, signer);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log('info', 'tunnel connection dropped', { reason });
      socket.destroy();
    } finally {
      this.#unproven.delete(socket);
    }
  }

  #refuse(socket: Socket, verdict: number): void {
    this.#options.log('warn', 'tunnel connection refused', { status: verdict });
    socket.end(Buffer.of(verdict));
  }

  #greeting(hello: Hello, { version, role, tunnelId, nonce }: Answer): Greeting {
    return { version, session: this.#options.session, role, tunnelId, hello, daemonNonce: nonce };
  }

  #admit(socket: Socket, { role, tunnelId }: Answer, greeting: Greeting, signer: 'holder' | Guest): void {
    const proof = Buffer.concat([
      Buffer.of(status.accepted),
      this.#options.identity.sign(signedBytes('agent', greeting)),
    ]);
    if (role === 'guest' || signer !== 'holder') {
      if (role !== 'guest' || signer === 'holder') throw new Error('this key may not have this role');
      socket.write(proof);
      this.#guests.admit(socket, signer);
      return;
    }
    if (this.#tunnel !== undefined && !this.#tunnel.id.equals(tunnelId)) {
      this.#drop('a newer tunnel replaces it', false);
    }
    if (this.#tunnel?.[role] !== undefined) throw new Error('this tunnel has such a connection already');
    socket.write(proof);
    this.#open(socket, role, tunnelId);
  }

  #open(socket: Socket, role: HolderRole, tunnelId: Buffer): void {
    const tunnel: Tunnel = this.#tunnel ?? { id: Buffer.from(tunnelId) };
    this.#tunnel = tunnel;
    if (role === 'outbound') {
      const session = http2.performServerHandshake(socket, sessionOptions(agentWindows));
      session.on('stream', (stream, headers) => this.#serve(stream, headers, true));
      tunnel.outbound = session;
      this.#watch(session, socket, tunnel, role);
    } else {
      const session = http2.connect('http://workstation', {
        ...sessionOptions(agentWindows),
        createConnection: () => socket,
      });
      tunnel.inbound = session;
      this.#watch(session, socket, tunnel, role);
    }
    if (tunnel.outbound !== undefined && tunnel.inbound !== undefined && !this.#live) {
      this.#live = true;
      this.#options.log('info', 'tunnel connected');
      this.#options.onLive(tunnel.inbound);
    }
  }

  /** Answers one request of an outbound connection. */
  #serve(stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders, isHolder: boolean): void {
    const { keys, log } = this.#options;
    if (headers[':method'] === 'CONNECT') (isHolder ? this.#dials : this.#guestDials).dial(stream, headers);
    else if (isHolder && isGuestList(headers)) {
      answerGuestList(stream, keys, () => this.#guests.keepOnly(keys.guests), log);
    } else this.#files.answer(stream, headers, isHolder);
  }

  #watch(session: Http2Session, socket: Socket, tunnel: Tunnel, role: HolderRole): void {
    const onGone = ({ reason, orderly }: Loss): void => {
      if (this.#tunnel === tunnel && tunnel[role] === session) this.#drop(reason, orderly);
    };
    watchSession(session, socket, onGone, this.#options.heartbeatTick);
  }

  #drop(reason: string, orderly: boolean): void {
    const tunnel = this.#tunnel;
    if (tunnel === undefined) return;
    this.#tunnel = undefined;
    tunnel.outbound?.destroy(new Error(reason));
    tunnel.inbound?.destroy(new Error(reason));
    if (!this.#live) return;
    this.#live = false;
    this.#options.log('info', 'tunnel lost', { reason, orderly });
    this.#options.onLost(orderly);
  }
}
