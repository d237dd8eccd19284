/**
 * Where the time of a connect or disconnect goes: a tree of steps by the monotonic clock, of which some run side by side.
 * It is always taken; the log has it, and `--timings` shows it.
 */
import { z } from 'zod';

/** One step: when it began, counted from the beginning of the whole, and how long it took. Milliseconds. */
export interface Timing {
  readonly name: string;
  readonly start: number;
  readonly duration: number;
  /** It ended with an error, or had not ended when the whole did. */
  readonly failed?: boolean | undefined;
  readonly steps: readonly Timing[];
}

export const timingSchema: z.ZodType<Timing> = z.object({
  name: z.string(),
  start: z.number(),
  duration: z.number(),
  failed: z.boolean().optional(),
  get steps() {
    return z.array(timingSchema);
  },
});

/** A step that is being timed, and those within it. */
export class Step {
  readonly #name: string;
  readonly #begun: number;
  readonly #now: () => number;
  readonly #steps: (Step | { readonly at: number; readonly timing: Timing })[] = [];
  #ended: number | undefined;
  #failed = false;

  /** `now`: milliseconds of a clock that nobody sets; for tests. */
  constructor(name: string, now: () => number = () => performance.now(), begun = now()) {
    this.#name = name;
    this.#now = now;
    this.#begun = begun;
  }

  /** Times what is done. Once this step has ended, nothing is added to it: what comes later is no part of it. */
  async time<T>(name: string, act: (step: Step) => T | PromiseLike<T>): Promise<T> {
    const step = this.begin(name);
    try {
      return await act(step);
    } catch (error) {
      step.#failed = true;
      throw error;
    } finally {
      step.end();
    }
  }

  /** A step within this one, from now or `begun` on until its `end`. */
  begin(name: string, begun?: number): Step {
    const step = new Step(name, this.#now, begun);
    if (this.#ended === undefined) this.#steps.push(step);
    return step;
  }

  /** What another process has timed, which began with this step. */
  attach(timing: Timing): void {
    if (this.#ended === undefined) this.#steps.push({ at: this.#begun, timing });
  }

  /** The first time counts. */
  end(): void {
    this.#ended ??= this.#now();
  }

  /** The tree as it is now. */
  get timing(): Timing {
    return this.#from(this.#begun);
  }

  #from(origin: number): Timing {
    const { name, start, duration, failed } = {
      name: this.#name,
      start: round(this.#begun - origin),
      duration: round((this.#ended ?? this.#now()) - this.#begun),
      failed: this.#failed || this.#ended === undefined,
    };
    const steps = this.#steps.map((each) =>
      each instanceof Step ? each.#from(origin) : shifted(each.timing, each.at - origin),
    );
    return { name, start, duration, ...(failed && { failed }), steps };
  }
}

/** The tree as a list, each step with those around it: `the undo › the old pods`. */
export function flatSteps(timing: Timing): readonly Omit<Timing, 'steps'>[] {
  return timing.steps.flatMap((step) => {
    const { steps: _, ...itself } = step;
    return [itself, ...flatSteps(step).map((each) => ({ ...each, name: `${step.name} › ${each.name}` }))];
  });
}

function shifted(timing: Timing, by: number): Timing {
  const steps = timing.steps.map((step) => shifted(step, by));
  return { ...timing, start: round(timing.start + by), steps };
}

function round(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
