import { expect, test } from 'vitest';
import { Problem } from '../problem.ts';
import { begin, delegate, receivedBy, refusal, run } from './fixtures/scene.ts';
import { answerCommand, questionEvent } from './questions.ts';

const question = { about: 'port', title: 'Port 80 is in use.', text: '', choices: [{ id: 'other', label: 'Another' }] };
const extension = { remedy: () => undefined };
const { signal } = new AbortController();

test('is asked while the launch waits, and answered by its number', async () => {
  const { client, stage } = begin({ extension });
  await client.request('initialize', { adapterID: 'kubernetes-local' });
  const launched = client.request('launch', { delegate });
  const { ask } = await stage.asked.promise;
  const chosen = ask?.(question, signal);
  const dismissed = ask?.(question, signal);
  await client.waitForEvent(questionEvent, (body) => Object(body).id === 2);
  expect(client.events(questionEvent)).toEqual([
    { id: 1, ...question },
    { id: 2, ...question },
  ]);
  await client.request(answerCommand, { id: 2 });
  await client.request(answerCommand, { id: 1, choice: 'other' });
  expect([await chosen, await dismissed]).toEqual(['other', undefined]);
  expect((await refusal(client.request(answerCommand, { id: 1, choice: 'other' }))).message).toContain('Nobody asks');
  stage.ready();
  await launched;
  expect((await receivedBy(client)).map((message) => Object(message).command)).not.toContain(answerCommand);
});

test('an aborted question is asked by nobody any more', async () => {
  const { client, stage } = begin({ extension });
  await client.request('initialize', { adapterID: 'kubernetes-local' });
  void client.request('launch', { delegate }).catch(() => {});
  const { ask } = await stage.asked.promise;
  const abort = new AbortController();
  const asked = ask?.(question, abort.signal);
  abort.abort(new Error('given up'));
  await expect(asked).rejects.toThrow('given up');
  expect((await refusal(client.request(answerCommand, { id: 1 }))).message).toContain('Nobody asks');
});

test('without an extension nobody can be asked, and the answer is the debugger’s matter', async () => {
  const scene = begin();
  await run(scene);
  expect((await scene.stage.asked.promise).ask).toBeUndefined();
  await scene.client.request(answerCommand, { id: 1 });
  expect((await receivedBy(scene.client)).map((message) => Object(message).command)).toContain(answerCommand);
});

test('an error of ours offers the remedy of its code', async () => {
  const remedy = (code: string) => ({ url: `command:x?${code}`, urlLabel: 'Restore' });
  const { client, stage } = begin({ extension: { remedy } });
  await client.request('initialize', { adapterID: 'kubernetes-local' });
  const launched = client.request('launch', { delegate });
  stage.connected.reject(new Problem({ code: 'daemon-failed', what: 'It is gone.', why: '', remedy: '' }));
  stage.undone.resolve('undone');
  const error = await refusal(launched);
  expect(error.body?.error).toMatchObject({
    format: 'It is gone.',
    url: 'command:x?daemon-failed',
    urlLabel: 'Restore',
  });
});
