import { expect, test } from 'vitest';
import { flatSteps, Step, type Timing, timingSchema } from './timings.ts';

/** A clock that somebody sets, and a step that began at 100 of it. */
function scene() {
  const clock = { now: 100 };
  return { clock, whole: new Step('connect', () => clock.now) };
}

test('steps that run side by side keep their own beginnings and ends', async () => {
  const { clock, whole } = scene();
  const gate = Promise.withResolvers<void>();
  const slow = whole.time('slow', async (step) => {
    clock.now = 110;
    await step.time('inner', () => gate.promise);
  });
  const quick = whole.time('quick', () => {
    clock.now = 130;
  });
  await quick;
  clock.now = 150;
  gate.resolve();
  await slow;
  whole.end();
  expect(whole.timing).toEqual({
    name: 'connect',
    start: 0,
    duration: 50,
    steps: [
      { name: 'slow', start: 0, duration: 50, steps: [{ name: 'inner', start: 10, duration: 40, steps: [] }] },
      { name: 'quick', start: 10, duration: 20, steps: [] },
    ],
  });
});

test('a step that failed, or had not ended, says so; its error goes on', async () => {
  const { whole } = scene();
  await expect(whole.time('rights', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  whole.begin('rollout');
  whole.end();
  expect(whole.timing.steps.map(({ name, failed }) => [name, failed])).toEqual([
    ['rights', true],
    ['rollout', true],
  ]);
});

test('what begins after the end is no part of it', async () => {
  const { whole } = scene();
  whole.end();
  expect(await whole.time('a tunnel that is opened again', () => 'open')).toBe('open');
  whole.attach({ name: 'late', start: 0, duration: 1, steps: [] });
  expect(whole.timing.steps).toEqual([]);
});

test('what another process timed is put where it began', () => {
  const { clock, whole } = scene();
  clock.now = 120;
  const building = whole.begin('the session is built');
  clock.now = 180;
  building.attach({
    name: 'rights',
    start: 5,
    duration: 10,
    steps: [{ name: 'one', start: 6, duration: 1, steps: [] }],
  });
  building.end();
  whole.end();
  const [built] = whole.timing.steps;
  expect(built?.steps).toEqual([
    { name: 'rights', start: 25, duration: 10, steps: [{ name: 'one', start: 26, duration: 1, steps: [] }] },
  ]);
});

test('it goes through JSON and its schema, and becomes a list for the log', () => {
  const timing: Timing = {
    name: 'disconnect',
    start: 0,
    duration: 9,
    steps: [{ name: 'undo', start: 1, duration: 8, steps: [{ name: 'Lease', start: 2, duration: 3, steps: [] }] }],
  };
  expect(timingSchema.parse(JSON.parse(JSON.stringify(timing)))).toEqual(timing);
  expect(flatSteps(timing)).toEqual([
    { name: 'undo', start: 1, duration: 8 },
    { name: 'undo › Lease', start: 2, duration: 3 },
  ]);
});
