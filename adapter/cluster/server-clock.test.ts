import { expect, test } from 'vitest';
import { ServerClock } from './server-clock.ts';

const noon = Date.parse('2026-03-01T12:00:00Z');
const header = (time: number) => new Date(time).toUTCString();

const setUp = () => {
  const source = { wallNow: noon, elapsedNow: 5_000 };
  const clock = new ServerClock({ wall: () => source.wallNow, elapsed: () => source.elapsedNow });
  const pass = (milliseconds: number) => {
    source.wallNow += milliseconds;
    source.elapsedNow += milliseconds;
  };
  return { clock, source, pass };
};

test('is the workstation’s own until the server has spoken, and while the two agree', () => {
  const { clock, pass } = setUp();
  expect(clock.now().getTime()).toBe(noon);
  clock.heard(header(noon - 1_000));
  pass(2_345);
  expect(clock.now().getTime()).toBe(noon + 2_345);
});

test('is the server’s where they differ', () => {
  const { clock, pass } = setUp();
  clock.heard(header(noon + 3_600_000));
  pass(1_000);
  expect(clock.now().getTime()).toBe(noon + 3_600_000 + 500 + 1_000);
});

test.each([-7_200_000, 7_200_000])('does not care that the workstation’s clock is set by %s ms', (jump) => {
  const { clock, source, pass } = setUp();
  clock.heard(header(noon));
  pass(10_000);
  source.wallNow += jump;
  expect(clock.now().getTime()).toBe(noon + 10_000);
  clock.heard(header(noon + 10_000));
  expect(clock.now().getTime()).toBe(noon + 10_500);
});

test('leaves out what is no date', () => {
  const { clock } = setUp();
  clock.heard('soon');
  clock.heard(undefined);
  expect(clock.now().getTime()).toBe(noon);
});
