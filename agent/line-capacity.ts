/** How much has to be under way on a line to fill it: what it carries in a round trip. Used by both ends of the tunnel. */

/** The line below an HTTP/2 session. */
export interface Line {
  /** All bytes that ever arrived. */
  bytesReceived(): number;
  /** Milliseconds of the last answered PING. */
  roundTripTime(): number | undefined;
}

/** What may be under way on a line without length, in bytes: as much as passes while each process of the road has its turn. */
const roadWindow = 4 * 1024 * 1024;
/** Node gives a window back only when half of it is used. */
const windowsForFullLine = 2;
/** What is left of a rate a second later: half after 34 s. What a line carries changes seldom; finding it out costs some round trips. */
const fading = 0.98;
/** Bytes a millisecond, below which a PING waits for nothing. */
const idleRate = 1_000;

export class LineCapacity {
  readonly #line: Line;
  readonly #now: () => number;
  #at: number;
  #received = 0;
  /** Bytes a millisecond. */
  #rate = 0;
  /** Milliseconds, while nothing waits on the line. */
  #length = 0;
  #answer: number | undefined;
  #isIdle = true;

  /** `now`: a clock in milliseconds; for tests. */
  constructor(line: Line, now: () => number = () => performance.now()) {
    this.#line = line;
    this.#now = now;
    this.#at = now();
  }

  /** Called again and again, some times a second. */
  look(): void {
    const elapsed = this.#now() - this.#at;
    if (elapsed <= 0) return;
    const total = this.#line.bytesReceived();
    const rate = (total - this.#received) / elapsed;
    this.#at += elapsed;
    this.#received = total;
    // A sender that pauses does not make the line slower.
    this.#rate = Math.max(rate, this.#rate * fading ** (elapsed / 1000));
    const answer = this.#line.roundTripTime();
    // Beside a transfer a PING waits behind it, and says only that the line is not longer than that.
    if (answer !== undefined && answer !== this.#answer) {
      this.#answer = answer;
      if (this.#isIdle || answer < this.#length) this.#length = answer;
    }
    this.#isIdle = rate < idleRate;
  }

  /** The receive window that fills the line and little more, in bytes; `most` at most. */
  window(most: number): number {
    return Math.round(Math.min(most, roadWindow + windowsForFullLine * this.#rate * this.#length));
  }
}
