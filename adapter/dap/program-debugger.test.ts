/** Debuggers that are the process of their program (rdbg): their end is the program's, and nobody tells it. */
import { expect, test } from 'vitest';
import { begin, run, story } from './fixtures/scene.ts';

test('its exit is the end of the program, and no failure', async () => {
  const scene = begin({ profile: { isProgram: true } });
  await run(scene);
  scene.client.send('exit');
  await scene.client.waitForEvent('terminated');
  expect(JSON.stringify(scene.client.events('output'))).not.toContain('unexpectedly');
  expect(scene.stage.calls).toContain('disconnect');
  await scene.client.request('disconnect');
  expect(await scene.code).toBe(0);
  expect(story(scene.client).filter((one) => one === 'terminated')).toHaveLength(1);
});

test('one that was killed is told as for any debugger', async () => {
  const scene = begin({ profile: { isProgram: true } });
  await run(scene);
  scene.client.send('die');
  await scene.client.waitForEvent<{ output: string }>('output', ({ output }) =>
    output.includes('It was ended by SIGKILL.'),
  );
  await scene.client.waitForEvent('terminated');
  await scene.client.request('disconnect');
  expect(await scene.code).not.toBe(0);
});
