/** Real debug adapters that are none, or not for long: one clear error, the end of the session, and the undo. */
import { describe, expect, test } from 'vitest';
import { begin, delegate, refusal, run } from './fixtures/scene.ts';

/** Launches a debugger that cannot be used; resolves with the one error that the user sees. */
async function error(words: readonly string[], timing = {}): Promise<string> {
  const scene = begin({ words, timing });
  const { client, stage } = scene;
  stage.undone.resolve('undone');
  await client.request('initialize', {});
  const { body } = await refusal(client.request('launch', { delegate }));
  await client.waitForEvent('terminated');
  expect(body?.error?.showUser).toBe(true);
  // The cluster was never touched, for the debugger was known not to work.
  expect(stage.calls).not.toContain('connect');
  await client.request('disconnect');
  expect(await scene.code).not.toBe(0);
  const failed = client.transcript.filter(({ message }) => message.type === 'response' && message.success === false);
  expect(failed).toHaveLength(1);
  return String(body?.error?.format);
}

describe('a debugger', () => {
  test('that writes something else than DAP is shown with what it wrote', async () => {
    const text = await error(['rubbish', 'never-initialize'], { afterRubbish: 1 });
    expect(text).toContain('It wrote something else than DAP messages.');
    expect(text).toContain('no module named fake');
  });

  test('that writes a banner and then DAP is used', async () => {
    const scene = begin({ words: ['rubbish'] });
    await run(scene);
    expect(await scene.client.request('echo')).toMatchObject({ command: 'echo' });
  });

  test('that never answers initialize is given up', async () => {
    expect(await error(['never-initialize'], { initialize: 500 })).toContain('It did not answer.');
  });

  test('that ends at once is shown with its last words', async () => {
    const text = await error(['die-at-start']);
    expect(text).toContain('It ended with exit code 3.');
    expect(text).toContain('the interpreter is broken');
  });
});
