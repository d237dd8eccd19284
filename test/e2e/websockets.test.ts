/** The tunnel over websockets, on the real cluster, behind something that lets no SPDY pass: as `tunnel-load`, shortened once more. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStage, type Stage } from '../load/stage.ts';
import { trafficChecks } from '../load/traffic.ts';
import { type WithoutSpdy, withoutSpdy } from '../stage/without-spdy.ts';

const size = { bytesEachWay: 50_000_000, connections: 200, stalled: 16, protocols: 0 };
const seed = 'websockets';

let road: WithoutSpdy;
let stage: Stage;
beforeAll(async () => {
  const through = async (kubeconfig: string): Promise<WithoutSpdy> => {
    road = await withoutSpdy(kubeconfig);
    return road;
  };
  stage = await openStage({ namespace: 'e2e-websockets', protocols: false, say: () => {}, through });
});
afterAll(() => stage?.[Symbol.asyncDispose]());

describe('over websockets all is right:', () => {
  it.each(trafficChecks)('$name, $direction', async ({ run }) => {
    expect(await run({ stage, size, seed, say: () => {} })).not.toBe('');
  });

  it('and SPDY was tried first; an agent that does not listen yet is tried again', () => {
    expect(road.portForwards.refused).toBeGreaterThanOrEqual(2);
    expect(road.portForwards.websockets).toBeGreaterThanOrEqual(2);
  });

  it('and nothing is left behind', async () => {
    await expect(stage.end()).resolves.toBe(undefined);
  });
});
