/** Data, connections and stopped readers in both directions: the checks of `npm run load`, shortened. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStage, type Stage } from '../load/stage.ts';
import { trafficChecks } from '../load/traffic.ts';

const size = { bytesEachWay: 200_000_000, connections: 1000, stalled: 64, protocols: 0 };
const seed = 'tunnel';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ namespace: 'e2e-tunnel-load', protocols: false, say: () => {} });
});
afterAll(() => stage?.[Symbol.asyncDispose]());

describe('under load all is right:', () => {
  it.each(trafficChecks)('$name, $direction', async ({ run }) => {
    expect(await run({ stage, size, seed, say: () => {} })).not.toBe('');
  });

  it('and nothing is left behind', async () => {
    await expect(stage.end()).resolves.toBe(undefined);
  });
});
