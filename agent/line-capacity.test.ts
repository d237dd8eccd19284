import { expect, test } from 'vitest';
import { LineCapacity } from './line-capacity.ts';

const mebi = 1024 * 1024;
const most = 64 * mebi;

/** A line whose clock, bytes and PINGs the test moves. */
function lineOf() {
  const line = { clock: 0, bytes: 0, ping: undefined as number | undefined };
  const capacity = new LineCapacity(
    { bytesReceived: () => line.bytes, roundTripTime: () => line.ping },
    () => line.clock,
  );
  return {
    line,
    /** So many milliseconds pass, with so many bytes in each. */
    pass: (milliseconds: number, rate: number) => {
      for (let passed = 0; passed < milliseconds; passed += 100) {
        line.clock += 100;
        line.bytes += rate * 100;
        capacity.look();
      }
      return capacity.window(most);
    },
  };
}

test('a line of which nothing is known may have a little under way', () => {
  expect(lineOf().pass(100, 0)).toBe(4 * mebi);
});

test('a line without length stays there, however much it carries', () => {
  const { line, pass } = lineOf();
  line.ping = 0.5;
  expect(pass(5_000, 300_000)).toBeLessThan(4.5 * mebi);
});

test('a long line may have twice under way what it carries in a round trip, up to the limit', () => {
  const { line, pass } = lineOf();
  line.ping = 80;
  expect(pass(1_000, 100_000)).toBe(4 * mebi + 2 * 80 * 100_000);
  expect(pass(1_000, 1_000_000)).toBe(most);
});

test('a PING that waits behind a transfer does not make the line longer, one that does not wait does', () => {
  const { line, pass } = lineOf();
  line.ping = 20;
  const before = pass(1_000, 100_000);
  line.ping = 500;
  expect(pass(1_000, 100_000)).toBe(before);
  pass(30_000, 0);
  line.ping = 40;
  pass(100, 0);
  expect(pass(1_000, 100_000)).toBe(4 * mebi + 2 * 40 * 100_000);
});

test('what a line carries is forgotten slowly', () => {
  const { line, pass } = lineOf();
  line.ping = 80;
  const before = pass(1_000, 100_000);
  expect(pass(10_000, 0)).toBeGreaterThan(before * 0.75);
  expect(pass(300_000, 0)).toBeLessThan(4.1 * mebi);
});
