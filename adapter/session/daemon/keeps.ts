/** What a session stands for without a client: a restart that is about to come, a program left running, the user's wish. */
import type { Log } from '../../diagnostics/log.ts';
import type { Keep, Kept } from '../protocol.ts';
import type { Guard } from './guard.ts';

/** Nobody who restarts takes longer, and a session should not stand for somebody who changed his mind. */
const longestRestartMilliseconds = 30_000;
/** Longer is a workload that somebody has forgotten. */
const longestHoldMilliseconds = 7 * 24 * 3_600_000;
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
    if (keep.for === 'restart') {
      this.#addFor(Math.min(keep.ms, longestRestartMilliseconds), { for: 'restart' });
      return;
    }
    if (keep.for === 'hold') {
      this.hold(keep.ms);
      return;
    }
    const held: Held = { kept: { for: 'program', pids: [] } };
    this.#held.add(held);
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

  /** Holds the session for so many milliseconds from now, whatever was said before. */
  hold(ms: number): void {
    this.dropHold();
    const time = Math.min(ms, longestHoldMilliseconds);
    this.#addFor(time, { for: 'hold', until: new Date(Date.now() + time).toISOString() });
  }

  /** Whether the user wants the session to stand without a client. */
  get isHeld(): boolean {
    return this.status.some((kept) => kept.for === 'hold');
  }

  dropHold(): void {
    for (const held of this.#held) if (held.kept.for === 'hold') this.#drop(held);
  }

  #addFor(ms: number, kept: Kept): void {
    const held: Held = { kept };
    this.#held.add(held);
    held.timer = setTimeout(() => this.#end(held), ms);
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
