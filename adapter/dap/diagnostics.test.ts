import { expect, test } from 'vitest';
import type { Log } from '../diagnostics/log.ts';
import { Redactor } from '../diagnostics/redactor.ts';
import { Problem } from '../problem.ts';
import { diagnosticsCommand } from './diagnostics.ts';
import { begin, delegate, receivedBy, refusal, run, type Scene } from './fixtures/scene.ts';

/** Surroundings that know something. */
function withDiagnosis(scene: Scene): Scene {
  return Object.assign(scene, {
    stage: Object.assign(scene.stage, {
      diagnose: async (format: 'json' | 'text') =>
        format === 'json' ? { format, diagnosis: { state: 'connected' } } : { format, text: 'Session' },
    }),
  });
}

test('is answered in every state, and never reaches the debugger', async () => {
  const scene = withDiagnosis(begin());
  const { client, stage } = scene;
  const expected = { format: 'json', diagnosis: { state: 'connected' } };
  expect(await client.request(diagnosticsCommand)).toEqual(expected);
  await client.request('initialize', { adapterID: 'kubernetes-local' });
  expect(await client.request(diagnosticsCommand, {})).toEqual(expected);
  const launched = client.request('launch', { delegate });
  await stage.asked.promise;
  expect(await client.request(diagnosticsCommand, { format: 'json' })).toEqual(expected);
  stage.ready();
  await launched;
  expect(await client.request(diagnosticsCommand, { format: 'text' })).toEqual({ format: 'text', text: 'Session' });
  const commands = (await receivedBy(client)).map((message) => Object(message).command);
  expect(commands).toContain('launch');
  expect(commands).not.toContain(diagnosticsCommand);
});

test('an unknown format and surroundings without a diagnosis are errors, and the session goes on', async () => {
  const scene = withDiagnosis(begin());
  await run(scene);
  const error = await refusal(scene.client.request(diagnosticsCommand, { format: 'xml' }));
  expect(error.body?.error?.format).toContain('It may be "json" or "text".');
  const failing = Object.assign(scene.stage, {
    diagnose: () => Promise.reject(new Problem({ code: 'daemon-failed', what: 'No daemon.', why: '', remedy: '' })),
  });
  expect(failing.calls).toContain('connect');
  expect((await refusal(scene.client.request(diagnosticsCommand))).body?.error?.format).toBe('No daemon.');
  await scene.client.request('threads');
});

test('each error of ours names the log, and none of the debugger', async () => {
  const log: Log = { redactor: new Redactor(), path: '/tmp/x.log', write: () => {} };
  const { client, stage } = begin({ log });
  stage.ready();
  await client.request('initialize', { adapterID: 'kubernetes-local' });
  const error = await refusal(client.request('launch', {}));
  expect(error.body?.error?.format).toBe('There is no "delegate". It is needed. Add it. Log: /tmp/x.log');
});
