/** What a session has to free at its end, in reverse order; Node 22 has no AsyncDisposableStack. */
export class Resources {
  readonly #free: (() => void | PromiseLike<void>)[] = [];

  /** `free` is called by the next `free`, before all that were deferred earlier. */
  defer(free: () => void | PromiseLike<void>): void {
    this.#free.push(free);
  }

  /** Frees all of them, one after the other, also when one fails; afterwards more may be deferred. Rejects with the first failure. */
  async free(): Promise<void> {
    const failures: unknown[] = [];
    for (const free of this.#free.splice(0).reverse()) {
      try {
        await free();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
