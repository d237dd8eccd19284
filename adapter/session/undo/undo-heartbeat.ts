/** Keeps a Lease alive while its session is undone: an undo that takes long must not look dead to others. */

export class UndoHeartbeat implements AsyncDisposable {
  readonly #ended = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #beat: Promise<void> | undefined;

  /** `beat` is called every `milliseconds`; what it rejects with is no matter, for the undo itself tells what is wrong. */
  constructor(beat: (signal: AbortSignal) => Promise<void>, milliseconds: number) {
    const { signal } = this.#ended;
    this.#timer = setInterval(() => {
      // While the cluster is away one that waits is enough.
      this.#beat ??= beat(signal)
        .catch(() => {})
        .finally(() => {
          this.#beat = undefined;
        });
    }, milliseconds);
  }

  /** Resolves when no heartbeat is under way any more: afterwards the Lease may be deleted. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#ended.abort();
    await this.#beat;
  }
}
