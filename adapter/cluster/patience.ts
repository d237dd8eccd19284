/** How long the same thing has been going on. */

export class Patience {
  readonly #since = new Map<string, number>();
  readonly #clock: () => number;

  /** `clock` gives milliseconds. */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Whether this state, first seen earlier, has lasted so many milliseconds. */
  isOver(state: string, milliseconds: number): boolean {
    const now = this.#clock();
    const since = this.#since.get(state) ?? now;
    this.#since.set(state, since);
    return now - since >= milliseconds;
  }
}
