import { describe, expect, test } from 'vitest';
import { type Ask, answerQuestion, askThrough, consentAs, type Question } from './ask.ts';

const { signal } = new AbortController();
const question = { text: 'Port 80 is in use.', choices: [{ answer: 'cancel' as const, text: 'Cancel.' }] };
const heldQuestion = { text: 'Anna has it.', choices: [{ answer: 'share' as const, text: 'Share it.' }] };
const user: Ask = {
  consent: async (text) => (text === 'please' ? 'granted' : 'refused'),
  port: async ({ choices }) => choices[0]?.answer ?? 'impossible',
  held: async ({ choices }) => choices[0]?.answer ?? 'impossible',
};
/** A question that travels, as over the socket. */
const far = askThrough(async (asked: Question) => answerQuestion(user, JSON.parse(JSON.stringify(asked)), signal));

describe('a question', () => {
  test('gets the answer of the user at the other end', async () => {
    expect(await far.consent('please', signal)).toBe('granted');
    expect(await far.consent('now', signal)).toBe('refused');
    expect(await far.port(question, signal)).toBe('cancel');
    expect(await far.held(heldQuestion, signal)).toBe('share');
  });

  test.each([
    ['that does not arrive', () => Promise.reject(new Error('gone'))],
    ['with an answer that is none', async () => 'maybe'],
  ])('%s counts as one that nobody can answer', async (_, send) => {
    expect(await askThrough(send).consent('please', signal)).toBe('impossible');
    expect(await askThrough(send).port(question, signal)).toBe('impossible');
    expect(await askThrough(send).held(heldQuestion, signal)).toBe('impossible');
  });

  test('ends with the session', async () => {
    const ended = AbortSignal.abort(new Error('ended'));
    const waiting = askThrough(() => Promise.reject(new Error('gone')));
    await expect(waiting.consent('please', ended)).rejects.toThrow('ended');
  });

  test('that is not known is refused', async () => {
    await expect(answerQuestion(user, { about: 'the weather' }, signal)).rejects.toThrow();
  });
});

test.each([
  ['ask', 'granted'],
  ['allow', 'granted'],
  ['never', 'refused'],
] as const)('"elevate": "%s" means that consent is %s', async (elevate, consent) => {
  expect(await consentAs(elevate, user).call(undefined, 'please', signal)).toBe(consent);
});

test('an answer beforehand spares the question', async () => {
  const nobody = { consent: () => Promise.reject(new Error('was asked')) };
  expect(await consentAs('allow', nobody)('please', signal)).toBe('granted');
  expect(await consentAs('never', nobody)('please', signal)).toBe('refused');
});
