/** What our debug adapter adds to the real one: time of a round trip, time of a large message, and memory. */
import { benchRoundTrips } from './dap-round-trips.ts';
import { openSides } from './dap-sides.ts';
import { benchLargeMessage, benchMemory } from './dap-volume.ts';
import type { Measure } from './measure.ts';

export async function benchDap(runs: number, say: (text: string) => void): Promise<readonly Measure[]> {
  await using sides = await openSides();
  return [
    ...(await benchRoundTrips(sides, runs, say)),
    ...(await benchLargeMessage(sides, runs, say)),
    ...(await benchMemory(sides, say)),
  ];
}
