import { expect, test } from 'vitest';
import { describeTiming } from './timings-view.ts';

test('each step has a line, in the order of their beginnings, and a bar where it lies in the whole', () => {
  const lines = describeTiming({
    name: 'connect',
    start: 0,
    duration: 2400,
    steps: [
      {
        name: 'rollout',
        start: 1200,
        duration: 1200,
        steps: [{ name: 'tunnel', start: 1500, duration: 1, steps: [] }],
      },
      { name: 'rights', start: 0, duration: 600, failed: true, steps: [] },
    ],
  });
  expect(lines).toEqual([
    '  start      for',
    ' 0.00 s   2.40 s  ████████████████████████  connect',
    ' 0.00 s   0.60 s  ██████··················    rights (not completed)',
    ' 1.20 s   1.20 s  ············████████████    rollout',
    ' 1.50 s   0.00 s  ···············█········      tunnel',
  ]);
});
