/**
 * How much of anything the agent has at a time: it shares the limits of the container that it replaces, and what one peer
 * uses up is missing for the others. How many bytes wait is in http2.ts and datagrams.ts.
 */

/** Connections to the tunnel port that have not proved themselves; anybody in the pod can open them. */
export const mostUnproven = 32;
/** Connections to the container's ports that wait for a tunnel. */
export const mostHeld = 4_096;

export interface DialLimits {
  /** TCP connections that are being opened. */
  readonly dialling: number;
  /** UDP sockets, each with a stream. */
  readonly datagrams: number;
}

export const holderDials: DialLimits = { dialling: 8_192, datagrams: 4_096 };
/** Of all guests together. */
export const guestDials: DialLimits = { dialling: 512, datagrams: 256 };

/** Whether there are too many of something; calls `tell` when it begins, and again only after they were half as many. */
export class Limit {
  readonly #most: number;
  readonly #tell: (most: number) => void;
  #told = false;

  constructor(most: number, tell: (most: number) => void) {
    this.#most = most;
    this.#tell = tell;
  }

  /** `count`: how many there are before one more. */
  reached(count: number): boolean {
    if (count <= this.#most / 2) this.#told = false;
    if (count < this.#most) return false;
    if (!this.#told) this.#tell(this.#most);
    this.#told = true;
    return true;
  }
}
