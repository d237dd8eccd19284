/**
 * When a Lease has been silent for so long that its session is given up. Two clocks must agree: by the API server's the
 * last renewal is long ago, and this process itself has seen no renewal for as long as a living session never is silent.
 * So neither the clock of this pod's node nor one of the workstation's can make a living session look dead.
 */
import type { Lease } from '../cluster/objects.ts';
import { isReaper } from '../cluster/reaper-identity.ts';

interface Seen {
  readonly renewal: string;
  /** By the monotonic clock of this process. */
  readonly since: number;
}

export class Silence {
  readonly #delay: number;
  readonly #seen = new Map<string, Seen>();

  /** `delay`: seconds after a Lease has expired. */
  constructor(delay: number) {
    this.#delay = delay;
  }

  /**
   * Looks at a Lease that was read just now; whether it is given up. `now` is the API server's time of the same answer,
   * `monotonic` this process's own; both in milliseconds.
   */
  isOver({ metadata, spec }: Lease, now: number, monotonic: number): boolean {
    const renewal = `${spec.holderIdentity} ${spec.renewTime}`;
    const known = this.#seen.get(metadata.uid);
    const seen = known?.renewal === renewal ? known : { renewal, since: monotonic };
    this.#seen.set(metadata.uid, seen);
    const duration = spec.leaseDurationSeconds * 1000;
    const renewed = Date.parse(spec.renewTime);
    if (Number.isNaN(renewed)) return false;
    // A reaper that ended in the middle of its work has waited already.
    const delay = isReaper(spec.holderIdentity) ? 0 : this.#delay * 1000;
    return now > renewed + duration + delay && monotonic - seen.since >= duration;
  }

  /** Forgets Leases that are gone. */
  keep(leases: readonly Lease[]): void {
    const present = new Set(leases.map(({ metadata }) => metadata.uid));
    for (const uid of this.#seen.keys()) if (!present.has(uid)) this.#seen.delete(uid);
  }
}
