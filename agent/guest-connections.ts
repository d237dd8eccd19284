/** The connections of the session's guests: beside the holder's tunnel, one for each guest. */
import http2, { type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { agentWindows, sessionOptions } from './http2.ts';
import { type Loss, watchSession } from './liveness.ts';
import type { AgentLog } from './log.ts';
import type { Guest } from './protocol.ts';

export interface GuestConnectionsOptions {
  readonly log: AgentLog;
  onRequest(stream: ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void;
  readonly heartbeatTick?: number;
}

export class GuestConnections {
  readonly #options: GuestConnectionsOptions;
  readonly #sessions = new Map<string, ServerHttp2Session>();

  constructor(options: GuestConnectionsOptions) {
    this.#options = options;
  }

  /** All that are open. */
  get sessions(): readonly ServerHttp2Session[] {
    return [...this.#sessions.values()];
  }

  /** Serves a guest who has proved it; a connection that this guest had before ends. */
  admit(socket: Socket, { publicKey, name }: Guest): void {
    const { log, onRequest, heartbeatTick } = this.#options;
    this.#drop(publicKey, 'a newer connection of the same guest replaces it');
    const session = http2.performServerHandshake(socket, sessionOptions(agentWindows));
    session.on('stream', onRequest);
    this.#sessions.set(publicKey, session);
    log('info', 'guest connected', { guest: name });
    const onGone = ({ reason }: Loss): void => {
      if (this.#sessions.get(publicKey) === session) this.#sessions.delete(publicKey);
      log('info', 'guest gone', { guest: name, reason });
    };
    watchSession(session, socket, onGone, heartbeatTick);
  }

  /** Ends the connections of all who are not among these. */
  keepOnly(guests: readonly Guest[]): void {
    const keys = new Set(guests.map(({ publicKey }) => publicKey));
    for (const key of this.#sessions.keys()) if (!keys.has(key)) this.#drop(key, 'the holder ends it');
  }

  #drop(publicKey: string, reason: string): void {
    const session = this.#sessions.get(publicKey);
    this.#sessions.delete(publicKey);
    session?.destroy(new Error(reason));
  }
}
