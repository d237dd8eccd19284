/**
 * Keeps a replay in step with its recording: which messages may be played, since all was sent that had been sent before
 * them; and whether what is sent is what was sent then.
 */

import { within } from '../../within.ts';
import { progressId } from '../connecting.ts';
import { field, type Raw } from '../message.ts';
import type { TraceEntry } from '../trace/format.ts';
import { difference } from './comparison.ts';

/** What is not as it was recorded; without `recorded` it is new, without `now` it did not come. */
export interface Difference {
  readonly direction: TraceEntry['direction'];
  readonly recorded?: TraceEntry;
  readonly now?: Raw;
  /** The keys in both messages that lead to where it begins. */
  readonly place?: readonly string[];
}

type Sent = 'to client' | 'to debugger';

interface Expected {
  readonly index: number;
  readonly message: Raw;
  /** Said by the cluster, or by the process of the debugger beside DAP: nobody says it in a replay. */
  readonly ofOthers: boolean;
}

/** How far to look for a message that was sent too early, or whose predecessors were not. */
const horizon = 100;

class Side {
  readonly expected: readonly Expected[];
  /** Those before it have come, or will not. */
  at = 0;
  compared = 0;
  /** Our numbers: then → now. */
  readonly numbers = new Map<number, number>();

  constructor(expected: readonly Expected[]) {
    this.expected = expected;
  }

  /** The first that must come still. */
  get next(): Expected | undefined {
    let { at } = this;
    while (this.expected[at]?.ofOthers) at++;
    return this.expected[at];
  }
}

export class Timeline {
  readonly differences = new Map<TraceEntry['direction'], Difference>();
  readonly #entries: readonly TraceEntry[];
  readonly #inputs: readonly number[];
  readonly #sides: Readonly<Record<Sent, Side>>;
  /** Whether the end of the session was recorded. */
  readonly #whole: boolean;
  readonly #waiting = new Set<() => void>();
  #handled = 0;
  #over = false;

  constructor(entries: readonly TraceEntry[]) {
    this.#entries = entries;
    this.#inputs = entries.flatMap(({ direction }, index) => (direction.startsWith('from') ? [index] : []));
    this.#whole = entries.some((entry) => isLast(entry));
    this.#sides = {
      'to client': new Side(expectedIn(entries, 'to client')),
      'to debugger': new Side(expectedIn(entries, 'to debugger')),
    };
  }

  /** What is played, in its order. */
  get inputs(): readonly number[] {
    return this.#inputs;
  }

  /** How many messages were compared, and how many are nobody's in a replay. */
  get counts(): Readonly<Record<Sent, number>> & { readonly leftOut: number } {
    const sides = Object.values(this.#sides);
    const others = sides.flatMap(({ expected }) => expected.filter(({ ofOthers }) => ofOthers)).length;
    return {
      'to client': this.#sides['to client'].compared,
      'to debugger': this.#sides['to debugger'].compared,
      leftOut: others,
    };
  }

  /** The entry that the client is to be sent next. */
  get position(): number {
    return this.#sides['to client'].next?.index ?? this.#entries.length;
  }

  /** One more input was taken. */
  handled(): void {
    this.#handled++;
    this.#changed();
  }

  /** The session ended: nothing more will come. */
  end(): void {
    this.#over = true;
    this.#changed();
  }

  /** A message was sent; masked as those of the recording are. */
  sent(direction: Sent, message: Raw): void {
    const side = this.#sides[direction];
    // What follows the last entry of a recording that breaks off, nobody came to write down.
    if (!this.#whole && this.handledBefore(this.#entries.length) && side.next === undefined) return;
    let at = side.at;
    while (side.expected[at]?.ofOthers && !isSame(side.expected[at], message)) at++;
    const expected = side.expected[at];
    if (isSame(expected, message)) this.#pair(side, at, message);
    else {
      this.#differs(direction, expected, message);
      const ahead = side.expected.findIndex((one, index) => index > at && index < at + horizon && isSame(one, message));
      if (ahead !== -1) this.#pair(side, ahead, message);
      else if (expected !== undefined && kind(expected.message) === kind(message)) this.#pair(side, at, message);
    }
    this.#changed();
  }

  /** Whether all inputs before this entry were taken. */
  handledBefore(index: number): boolean {
    return (this.#inputs[this.#handled] ?? Number.POSITIVE_INFINITY) >= index;
  }

  /** Whether all that was sent before this entry has been sent again. */
  sentBefore(index: number): boolean {
    return Object.values(this.#sides).every(({ next }) => next === undefined || next.index >= index);
  }

  /** Resolves with whether the condition holds: false after `ms`, or if the session ends without it. */
  until(condition: () => boolean, ms?: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const look = () => {
      if (condition()) resolve(true);
      else if (this.#over) resolve(false);
    };
    this.#waiting.add(look);
    look();
    const held = ms === undefined ? promise : within(ms, promise, false);
    return held.finally(() => this.#waiting.delete(look));
  }

  /** A recorded input in the numbers of this replay. */
  inOwnNumbers({ direction }: TraceEntry, message: Raw): Raw {
    if (message.type !== 'response') return message;
    const { numbers } = this.#sides[direction === 'from client' ? 'to client' : 'to debugger'];
    return { ...message, request_seq: numbers.get(Number(message.request_seq)) ?? message.request_seq };
  }

  /** What must come still will not, and what is behind it cannot. */
  giveUp(): void {
    const stuck = this.#inputs[this.#handled];
    for (const direction of ['to client', 'to debugger'] as const) {
      const { next } = this.#sides[direction];
      if (next !== undefined && next.index < (stuck ?? this.#entries.length)) this.#differs(direction, next);
    }
    const entry = stuck === undefined ? undefined : this.#entries[stuck];
    // Only if nothing that was sent explains it.
    if (entry !== undefined && this.differences.size === 0) {
      this.differences.set(entry.direction, { direction: entry.direction, recorded: entry });
    }
  }

  #pair(side: Side, at: number, message: Raw): void {
    side.numbers.set(Number(side.expected[at]?.message.seq), Number(message.seq));
    side.at = at + 1;
    side.compared++;
  }

  #differs(direction: Sent, expected: Expected | undefined, now?: Raw): void {
    if (this.differences.has(direction)) return;
    const recorded = expected && this.#entries[expected.index];
    const place = expected && now && kind(expected.message) === kind(now) && difference(expected.message, now);
    this.differences.set(direction, {
      direction,
      ...(recorded && { recorded }),
      ...(now && { now }),
      ...(place && { place }),
    });
  }

  #changed(): void {
    for (const look of [...this.#waiting]) look();
  }
}

function expectedIn(entries: readonly TraceEntry[], direction: Sent): readonly Expected[] {
  const fromDebugger = new Map<string, number>();
  return entries.flatMap((entry, index) => {
    if (!('message' in entry)) return [];
    const { message } = entry;
    const output = message.event === 'output' ? JSON.stringify(message.body) : undefined;
    const said = output === undefined ? 0 : (fromDebugger.get(output) ?? 0);
    if (output !== undefined && entry.direction === 'from debugger') fromDebugger.set(output, said + 1);
    if (entry.direction !== direction) return [];
    if (said > 0 && output !== undefined) fromDebugger.set(output, said - 1);
    const ofOthers = direction === 'to client' && ((output !== undefined && said === 0) || isOurProgress(message));
    return [{ index, message, ofOthers }];
  });
}

function isLast(entry: TraceEntry): boolean {
  if ('end' in entry) return entry.direction === 'from client';
  const { direction, message } = entry;
  return direction === 'to client' && message.type === 'response' && message.command === 'disconnect';
}

function isOurProgress({ event, body }: Raw): boolean {
  return event === 'progressUpdate' && field(body, 'progressId') === progressId;
}

function isSame(expected: Expected | undefined, now: Raw): boolean {
  if (expected === undefined) return false;
  // How the end of a debugger is put into words depends on who was the debugger.
  const { ofOthers, message } = expected;
  if (ofOthers && kind(message) === kind(now)) {
    return field(message.body, 'category') === field(now.body, 'category');
  }
  return difference(message, now) === undefined;
}

function kind({ type, command, event }: Raw): string {
  return JSON.stringify([type, command, event]);
}
