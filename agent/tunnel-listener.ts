/**
 * The agent's end of the tunnel: accepts connections on the loopback of the pod, lets only the session's daemon in, and
 * holds the one tunnel there is.
 */
import { createPublicKey, type KeyObject, randomBytes, verify } from 'node:crypto';
import http2, { type ClientHttp2Session, type Http2Session, type ServerHttp2Session } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { dial } from './dialler.ts';
import { FileServer } from './files.ts';
import { startHeartbeat } from './heartbeat.ts';
import { agentWindows, openSessionWindow, sessionOptions } from './http2.ts';
import type { AgentLog } from './log.ts';
import {
  type Answer,
  answerLength,
  decodeAnswer,
  encodeHello,
  type FilesConfiguration,
  type Role,
  signedBytes,
  status,
} from './protocol.ts';
import { readExactly } from './read.ts';

/** A connection that says nothing is dropped after this many milliseconds. */
const authenticationLimit = 10_000;
/** Connections that have not proved themselves yet; others in the pod could open them without end. */
const unprovenLimit = 32;

type Sessions = { outbound?: ServerHttp2Session; inbound?: ClientHttp2Session };

interface Tunnel extends Sessions {
  readonly id: Buffer;
}

export interface TunnelListenerOptions {
  readonly session: string;
  readonly publicKey: string;
  /** What of the pod's files the daemon may ask for. */
  readonly files: FilesConfiguration | undefined;
  readonly log: AgentLog;
  /** Both connections of a tunnel stand. Called again for each new tunnel, after `onLost` of the one before. */
  onLive(inbound: ClientHttp2Session): void;
  /** A tunnel that was live is gone. */
  onLost(): void;
  readonly heartbeatTick?: number;
}

export class TunnelListener {
  readonly server: Server;
  readonly #options: TunnelListenerOptions;
  readonly #publicKey: KeyObject;
  readonly #unproven = new Set<Socket>();
  readonly #files: FileServer;
  #tunnel: Tunnel | undefined;
  #live = false;

  constructor(options: TunnelListenerOptions) {
    this.#options = options;
    this.#files = new FileServer(options.files, options.log);
    this.#publicKey = createPublicKey({ key: Buffer.from(options.publicKey, 'base64'), format: 'der', type: 'spki' });
    if (this.#publicKey.asymmetricKeyType !== 'ed25519') throw new Error('publicKey is not an Ed25519 key');
    this.server = createServer({ noDelay: true }, (socket) => void this.#accept(socket));
  }

  /** Asks the daemon to open no more streams, waits at most `limit` milliseconds for the open ones, then drops all. */
  async close(limit: number): Promise<void> {
    this.server.close();
    for (const socket of this.#unproven) socket.destroy();
    const { outbound, inbound } = this.#tunnel ?? {};
    const sessions: Http2Session[] = [outbound, inbound].filter((session) => session !== undefined);
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, limit);
    });
    await Promise.race([
      Promise.all(sessions.map((session) => new Promise<void>((done) => session.close(done)))),
      timeout,
    ]);
    clearTimeout(timer);
    this.#drop('the agent is stopping');
  }

  async #accept(socket: Socket): Promise<void> {
    socket.on('error', () => {});
    if (this.#unproven.size >= unprovenLimit) {
      socket.destroy();
      return;
    }
    this.#unproven.add(socket);
    try {
      const nonce = randomBytes(32);
      socket.write(encodeHello(nonce));
      const bytes = await readExactly(socket, answerLength, AbortSignal.timeout(authenticationLimit));
      const answer = decodeAnswer(bytes);
      const verdict = typeof answer === 'number' ? answer : this.#verdict(answer, nonce);
      if (typeof answer === 'number' || verdict !== status.accepted) {
        this.#options.log('warn', 'tunnel connection refused', { status: verdict });
        socket.end(Buffer.of(verdict));
        return;
      }
      this.#admit(socket, answer);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.log('info', 'tunnel connection dropped', { reason });
      socket.destroy();
    } finally {
      this.#unproven.delete(socket);
    }
  }

  #verdict(answer: Answer, nonce: Buffer): number {
    const { session } = this.#options;
    const signed = signedBytes(session, answer.role, answer.tunnelId, nonce);
    return verify(null, signed, this.#publicKey, answer.signature) ? status.accepted : status.signatureRefused;
  }

  #admit(socket: Socket, answer: Answer): void {
    if (this.#tunnel !== undefined && !this.#tunnel.id.equals(answer.tunnelId))
      this.#drop('a newer tunnel replaces it');
    if (this.#tunnel?.[answer.role] !== undefined) throw new Error('this tunnel has such a connection already');
    socket.write(Buffer.of(status.accepted));
    const tunnel: Tunnel = this.#tunnel ?? { id: Buffer.from(answer.tunnelId) };
    this.#tunnel = tunnel;
    if (answer.role === 'outbound') {
      const session = http2.performServerHandshake(socket, sessionOptions(agentWindows));
      session.on('stream', (stream, headers) => {
        if (headers[':method'] === 'CONNECT') dial(stream, headers, this.#options.log);
        else this.#files.answer(stream, headers);
      });
      tunnel.outbound = session;
      this.#watch(session, socket, tunnel, answer.role);
    } else {
      const session = http2.connect('http://workstation', {
        ...sessionOptions(agentWindows),
        createConnection: () => socket,
      });
      tunnel.inbound = session;
      this.#watch(session, socket, tunnel, answer.role);
    }
    if (tunnel.outbound !== undefined && tunnel.inbound !== undefined && !this.#live) {
      this.#live = true;
      this.#options.log('info', 'tunnel connected');
      this.#options.onLive(tunnel.inbound);
    }
  }

  #watch(session: Http2Session, socket: Socket, tunnel: Tunnel, role: Role): void {
    let reason = 'the connection closed';
    openSessionWindow(session, agentWindows);
    const heartbeat = startHeartbeat({
      session,
      bytesReceived: () => socket.bytesRead,
      onDead: () => {
        reason = 'the workstation is silent';
        session.destroy(new Error(reason));
      },
      ...(this.#options.heartbeatTick === undefined ? {} : { tick: this.#options.heartbeatTick }),
    });
    session.on('error', (error) => {
      reason = error.message;
    });
    session.once('close', () => {
      heartbeat[Symbol.dispose]();
      if (this.#tunnel === tunnel && tunnel[role] === session) this.#drop(reason);
    });
  }

  #drop(reason: string): void {
    const tunnel = this.#tunnel;
    if (tunnel === undefined) return;
    this.#tunnel = undefined;
    tunnel.outbound?.destroy(new Error(reason));
    tunnel.inbound?.destroy(new Error(reason));
    if (!this.#live) return;
    this.#live = false;
    this.#options.log('info', 'tunnel lost', { reason });
    this.#options.onLost();
  }
}
