/** All that was measured, by what it is, at which round-trip time in ms (idle connections: at which number of them), and in which way. */

/** Ours in both directions, and what is beside it. */
export type WayName = 'outbound' | 'inbound' | 'kubectl' | 'direct';

/** What is sampled. CPU time is in seconds a GB, of the way's own processes and of those of the cluster that it passes. */
export type Quantity =
  | 'connection'
  | 'download'
  | 'upload'
  | 'download own CPU'
  | 'upload own CPU'
  | 'download cluster CPU'
  | 'upload cluster CPU'
  | 'streams download'
  | 'streams upload'
  | 'beside download'
  | 'beside upload'
  | 'beside download rate'
  | 'beside upload rate'
  | 'requests'
  | 'idle both'
  | 'idle daemon'
  | 'idle agent'
  | 'rest daemon memory'
  | 'rest agent memory'
  | 'rest agent CPU';

export class Samples {
  readonly #values = new Map<string, number[]>();

  add(quantity: Quantity, at: number, way: WayName, values: readonly number[]): void {
    const key = keyOf(quantity, at, way);
    const known = this.#values.get(key) ?? [];
    known.push(...values);
    this.#values.set(key, known);
  }

  /** In the order in which they were taken; none if the way has no such thing. */
  of(quantity: Quantity, at: number, way: WayName): readonly number[] {
    return this.#values.get(keyOf(quantity, at, way)) ?? [];
  }
}

function keyOf(quantity: Quantity, at: number, way: WayName): string {
  return `${quantity} ${at} ${way}`;
}
