/** Whether the agent can carry traffic now, and waiting until it can. */

export class Readiness {
  #ready = false;
  readonly #waiting = new Set<() => void>();

  get ready(): boolean {
    return this.#ready;
  }

  set(ready: boolean): void {
    this.#ready = ready;
    if (!ready) return;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Resolves with whether the agent is ready, at once if it is, else as soon as it is or after `limit` milliseconds. */
  wait(limit: number): Promise<boolean> {
    if (this.#ready) return Promise.resolve(true);
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        resolve(true);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(wake);
        resolve(this.#ready);
      }, limit);
      timer.unref();
      this.#waiting.add(wake);
    });
  }
}
