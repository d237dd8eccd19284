/** One thing that is looked at, and how much of it. */
import type { Direction, Stage } from './stage.ts';

export const parts = ['bytes', 'storm', 'slow', 'protocols'] as const;
export type Part = (typeof parts)[number];

/** How much is done. */
interface Size {
  /** In bytes: to the cluster, and as much from it. */
  readonly bytesEachWay: number;
  /** Short connections of each direction. */
  readonly connections: number;
  /** Connections of each direction and side whose reader stops. */
  readonly stalled: number;
  /** What the real programs do, as a factor. */
  readonly protocols: number;
}

export interface Run {
  readonly stage: Stage;
  readonly size: Size;
  /** All data and sizes follow from it. */
  readonly seed: string;
  readonly say: (text: string) => void;
}

export interface Check {
  readonly part: Part;
  readonly name: string;
  readonly direction: Direction['name'] | 'both';
  /** Resolves with what has been seen, in words; an Error if anything was not right. */
  run(run: Run): Promise<string>;
}

/** The same check in both directions. */
export function eachWay(
  part: Part,
  name: string,
  look: (direction: Direction, run: Run) => Promise<string>,
): readonly Check[] {
  return [0, 1].map((index) => ({
    part,
    name,
    direction: index === 0 ? 'outbound' : 'inbound',
    run: (run) => look(run.stage.directions[index === 0 ? 0 : 1], run),
  }));
}

/** A number as people write it. */
export function shown(value: number | string | undefined, digits = 0): string {
  return typeof value === 'number'
    ? value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits })
    : String(value);
}
