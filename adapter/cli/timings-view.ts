/** How the timing of a connect or disconnect is shown: a line for each step, with a bar that shows what ran side by side. */
import type { Timing } from '../session/timings.ts';

const barWidth = 24;

/** Lines such as `0.31 s  0.12 s  ···██···  rights`: when the step began, how long it took, and where it lies in the whole. */
export function describeTiming(timing: Timing): readonly string[] {
  const end = Math.max(timing.duration, 1);
  const lines = (step: Timing, depth: number): readonly string[] => [
    [seconds(step.start), seconds(step.duration), bar(step, end), `${'  '.repeat(depth)}${named(step)}`].join('  '),
    ...[...step.steps].sort((a, b) => a.start - b.start).flatMap((each) => lines(each, depth + 1)),
  ];
  return ['  start      for', ...lines(timing, 0)];
}

function named({ name, failed }: Timing): string {
  return failed ? `${name} (not completed)` : name;
}

function bar({ start, duration }: Timing, end: number): string {
  const from = Math.min(barWidth - 1, Math.floor((start / end) * barWidth));
  const to = Math.min(barWidth, Math.max(from + 1, Math.round(((start + duration) / end) * barWidth)));
  return `${'·'.repeat(from)}${'█'.repeat(to - from)}${'·'.repeat(barWidth - to)}`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2).padStart(5)} s`;
}
