/** The time of the API server, as its answers tell it: leases must not depend on each workstation's clock. */
import { elapsed } from '../elapsed.ts';

/** A header of whole seconds says no more than a clock that is this near to it. */
const sameMilliseconds = 1_500;

/** What the clock is read from; for tests. */
export interface TimeSource {
  /** The workstation's clock, which can be set at any time. */
  wall(): number;
  /** Goes on evenly. */
  elapsed(): number;
}

export class ServerClock {
  readonly #source: TimeSource;
  #known: { readonly server: number; readonly at: number } | undefined;

  constructor(source: TimeSource = { wall: Date.now, elapsed }) {
    this.#source = source;
  }

  /** An answer had this Date header. */
  heard(header: string | undefined): void {
    const date = Date.parse(header ?? '');
    if (Number.isNaN(date)) return;
    // On average half a second has passed since.
    const server = date + 500;
    const wall = this.#source.wall();
    const isSame = Math.abs(server - wall) < sameMilliseconds;
    this.#known = { server: isSame ? wall : server, at: this.#source.elapsed() };
  }

  /** Its time now; until the first answer, the workstation's. */
  now(): Date {
    const known = this.#known;
    if (known === undefined) return new Date(this.#source.wall());
    return new Date(known.server + this.#source.elapsed() - known.at);
  }
}
