/**
 * Who is served at a port of this computer, which all of its users can reach: a debug session starts programs as the
 * user of this process.
 * - Where the system tells whose connection it is (Linux), that user and root are served.
 * - Elsewhere the first connection is served, and each further one shows a token that is good for one use; of a server
 *   that stays, the first one does too.
 * A child session shows the token of its parent instead (children.ts).
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Socket } from 'node:net';
import { peerUser } from '../../network/ports/socket-table.ts';
import { Problem } from '../../problem.ts';
import { ticketKey } from '../children.ts';
import { field } from '../message.ts';

/** Whose connection it is: this process's user's (or root's), somebody else's, nobody's any more, or nobody can tell. */
type Peer = 'own' | 'stranger' | 'gone' | 'unknown';

export interface Peers {
  /** Whether the system tells whose connection it is. */
  readonly told: boolean;
  of(socket: Socket): Promise<Peer>;
}

/** Those who come to a TCP port of ours. */
export const tcpPeers: Peers = {
  told: process.platform === 'linux',
  async of({ remoteAddress, remotePort, localAddress, localPort }) {
    if (!remoteAddress || !remotePort || !localAddress || !localPort) return 'gone';
    const far = { address: remoteAddress, port: remotePort };
    const uid = await peerUser(far, { address: localAddress, port: localPort });
    if (typeof uid !== 'number') return uid;
    return uid === 0 || uid === process.getuid?.() ? 'own' : 'stranger';
  },
};

export class Admission {
  readonly #tokenFromTheFirst: boolean;
  readonly #say: (token: string) => void;
  #token: Buffer | undefined;
  #seen = 0;

  /** `say` is told each token, one at a time: the next one when one was used. */
  constructor({ tokenFromTheFirst, say }: { tokenFromTheFirst: boolean; say(token: string): void }) {
    this.#tokenFromTheFirst = tokenFromTheFirst;
    this.#say = say;
  }

  /** Counts a connection of which nobody can tell whose it is; returns `ServeOptions.admit` for its session. */
  next(): ((args: unknown) => void) | undefined {
    if (this.#token === undefined) this.offer();
    const free = ++this.#seen === 1 && !this.#tokenFromTheFirst;
    return free ? undefined : (args) => this.#check(args);
  }

  /** Makes a token and says it. */
  offer(): void {
    const token = randomBytes(24).toString('base64url');
    this.#token = Buffer.from(token);
    this.#say(token);
  }

  #check(args: unknown): void {
    const given = Buffer.from(String(field(field(args, ticketKey), 'token') ?? ''));
    const wanted = this.#token;
    if (wanted === undefined || given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      throw new Problem({
        code: 'session-refused',
        what: 'This debug adapter does not serve this session.',
        why: 'It cannot tell whose connection this is, and the launch configuration does not show the token it asks for.',
        remedy: `Add "${ticketKey}": { "token": "…" } with the last token that the server printed, or start another server.`,
      });
    }
    this.offer();
  }
}
