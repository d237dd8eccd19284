/** What a session stands for without a client: a restart that is about to come, a program that was left running. */
import type { Log } from '../diagnostics/log.ts';
import type { Guard } from './guard.ts';
import type { Keep, Kept } from './protocol.ts';

/** Nobody who restarts takes longer, and a session should not stand for somebody who changed his mind. */
const longestRestartMilliseconds = 30_000;
const lookEveryMilliseconds = 1_000;

interface Held {
  kept: Kept;
  timer?: NodeJS.Timeout;
}

export class Keeps {
  readonly #log: Log;
  readonly #over: () => void;
  readonly #held = new Set<Held>();

  /** `over` is called whenever one of them has come to its own end. */
  constructor(log: Log, over: () => void) {
    this.#log = log;
    this.#over = over;
  }

  /** Whether there is one. */
  get any(): boolean {
    return this.#held.size > 0;
  }

  /** What `status` shows. */
  get status(): Kept[] {
    return [...this.#held].map(({ kept }) => kept);
  }

  /** Adds one for a client that leaves. If no program lives, there is nothing to stand for, and none is added. */
  async add(keep: Keep, guard: Guard): Promise<void> {
    const held: Held = { kept: keep.for === 'restart' ? { for: 'restart' } : { for: 'program', pids: [] } };
    this.#held.add(held);
    if (keep.for === 'restart') {
      held.timer = setTimeout(() => this.#end(held), Math.min(keep.ms, longestRestartMilliseconds));
      return;
    }
    guard.spareProgram();
    const look = async () => {
      const pids = await guard.programs();
      held.kept = { for: 'program', pids: [...pids] };
      if (pids.length === 0) this.#end(held);
    };
    held.timer = setInterval(() => {
      look().catch((error: unknown) => this.#log.write('warn', 'the program could not be looked for', { error }));
    }, lookEveryMilliseconds);
    await look();
  }

  /** A client has come, and with it whoever was about to. */
  clientCame(): void {
    for (const held of this.#held) if (held.kept.for === 'restart') this.#drop(held);
  }

  /** Drops them all: the session ends. */
  clear(): void {
    for (const held of this.#held) this.#drop(held);
  }

  #end(held: Held): void {
    if (!this.#held.has(held)) return;
    this.#drop(held);
    this.#over();
  }

  #drop(held: Held): void {
    clearTimeout(held.timer);
    this.#held.delete(held);
  }
}
