/** Who shares this session: its agents admit their keys, its user is told, and nobody else gets in. */
import { createPublicKey } from 'node:crypto';
import { type Guest, guestLimit } from '../../../agent/protocol.ts';
import type { LeaseGuest } from '../../cluster/lease.ts';
import type { Log } from '../../diagnostics/log.ts';
import type { Tunnel } from '../../tunnel/tunnel.ts';
import type { Notice } from '../protocol.ts';

export interface GuestsOptions {
  /** The tunnels that stand now. */
  tunnels(): readonly Pick<Tunnel, 'pod' | 'setGuests'>[];
  /** This session's own key, which is no guest's: base64 of its SPKI DER form. */
  readonly ownKey: string;
  notice(notice: Notice): void;
  readonly log: Log;
}

export class Guests {
  readonly #options: GuestsOptions;
  #guests: readonly LeaseGuest[] = [];

  constructor(options: GuestsOptions) {
    this.#options = options;
  }

  /** `boris on desk` */
  get names(): readonly string[] {
    return this.#guests.map(({ holder }) => holder);
  }

  /** Takes what the Lease says. Anybody who may write the Lease may write nonsense: one bad key must not keep the others out. */
  set(listed: readonly LeaseGuest[]): void {
    const before = this.#guests;
    const admitted = new Map<string, LeaseGuest>();
    for (const guest of listed) {
      const key = ed25519(guest.publicKey);
      if (key === undefined || key === this.#options.ownKey || admitted.size === guestLimit) continue;
      if (!admitted.has(key)) admitted.set(key, { ...guest, publicKey: key });
    }
    this.#guests = [...admitted.values()];
    const isIn = (list: readonly LeaseGuest[], one: LeaseGuest) =>
      list.some(({ publicKey }) => publicKey === one.publicKey);
    const came = this.#guests.filter((guest) => !isIn(before, guest));
    const left = before.filter((guest) => !isIn(this.#guests, guest));
    if (came.length + left.length === 0) return;
    for (const { holder } of came) {
      const text = `${holder} shares your session: their program has the environment and files of the workload and reaches what it reaches. It gets no requests.`;
      this.#options.notice({ level: 'info', text });
    }
    for (const { holder } of left)
      this.#options.notice({ level: 'info', text: `${holder} no longer shares your session.` });
    for (const tunnel of this.#options.tunnels()) this.admitAt(tunnel);
  }

  /** Names the guests to an agent; a new one knows none. */
  admitAt(tunnel: Pick<Tunnel, 'pod' | 'setGuests'>): void {
    const guests: readonly Guest[] = this.#guests.map(({ publicKey, holder }) => ({ publicKey, name: holder }));
    tunnel.setGuests(guests).catch((error: unknown) => {
      // The next tunnel to that agent tells it again.
      this.#options.log.write('warn', 'an agent does not know who shares the session', { pod: tunnel.pod, error });
    });
  }

  /** Whether a new agent has to be told anything. */
  get any(): boolean {
    return this.#guests.length > 0;
  }
}

/** The key in the one form that the agent compares; undefined if it is none. */
function ed25519(base64: string): string | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519'
      ? key.export({ format: 'der', type: 'spki' }).toString('base64')
      : undefined;
  } catch {
    return undefined;
  }
}
