import { expect, it } from 'vitest';
import type { PortAnswer } from '../../network/ports/resolve-conflict.ts';
import { Problem } from '../../problem.ts';
import type { Ask } from './ask.ts';
import { windowQuestions } from './cancelled-question.ts';

const { signal } = new AbortController();
const question = { text: 'Port 80 is in use.', choices: [{ answer: 'cancel' as const, text: 'Cancel.' }] };
const heldQuestion = { text: 'Anna has it.', choices: [{ answer: 'cancel' as const, text: 'Cancel.' }] };
const problem = (code: 'port-in-use' | 'target-held' | 'cluster-unreachable') =>
  new Problem({ code, what: 'It failed.', why: '', remedy: '' });

async function answered(...answers: readonly PortAnswer[]) {
  const left = [...answers];
  const ask: Ask = {
    consent: async () => 'granted',
    port: async () => left.shift() ?? 'impossible',
    held: async () => 'cancel',
  };
  const questions = windowQuestions(ask);
  for (const answer of answers) expect(await questions.ask.port(question, signal)).toBe(answer);
  return questions;
}

it('a port that stays in use because the user cancelled is no failure to be told', async () => {
  const inUse = problem('port-in-use');
  expect((await answered('cancel')).failure(inUse)).toMatchObject({ code: 'cancelled', cause: inUse });
});

it('nor is a target that stays held because the user cancelled', async () => {
  const { ask, failure } = await answered();
  expect(await ask.held(heldQuestion, signal)).toBe('cancel');
  expect(failure(problem('target-held'))).toMatchObject({ code: 'cancelled' });
  const inUse = problem('port-in-use');
  expect(failure(inUse)).toBe(inUse);
});

it.each([[], ['impossible'], ['stop'], ['cancel', 'other-port']] as const)(
  'after %s it is told as it is',
  async (...answers) => {
    const inUse = problem('port-in-use');
    expect((await answered(...answers)).failure(inUse)).toBe(inUse);
  },
);

it('any other failure is told as it is', async () => {
  const other = problem('cluster-unreachable');
  expect((await answered('cancel')).failure(other)).toBe(other);
});
