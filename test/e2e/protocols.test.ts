/** Real programs through the tunnel in both directions: the checks of `npm run load -- protocols`, shortened. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { protocolChecks } from '../load/protocols.ts';
import { openStage, type Stage } from '../load/stage.ts';

const size = { bytesEachWay: 0, connections: 0, stalled: 0, protocols: 0.05 };
const seed = 'protocols';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ namespace: 'e2e-protocols', protocols: true, say: () => {} });
});
afterAll(() => stage?.[Symbol.asyncDispose]());

describe('a session carries', () => {
  it.each(protocolChecks)('$name, $direction', async ({ run }) => {
    expect(await run({ stage, size, seed, say: () => {} })).not.toBe('');
  });

  it('and leaves nothing behind', async () => {
    await expect(stage.end()).resolves.toBe(undefined);
  });
});
