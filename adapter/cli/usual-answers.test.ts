import { expect, test } from 'vitest';
import { ScriptedPrompter } from '../configure/test-shop.ts';
import { UsualAnswers } from './usual-answers.ts';

const never = new AbortController().signal;
const choices = [
  { label: 'a', value: 1 },
  { label: 'b', value: 2 },
  { label: 'Another …', value: 3 },
];

test('takes what is usual', async () => {
  const nobody = new UsualAnswers(undefined);
  expect(await nobody.choose({ title: 'Which?', choices, initial: 2 }, never)).toBe(2);
  expect(await nobody.enter({ title: 'Port?', initial: '80', check: () => undefined }, never)).toBe('80');
  expect(await nobody.wait('Reading', async () => 5, never)).toBe(5);
});

test('names the option where nobody can be asked', async () => {
  const nobody = new UsualAnswers(undefined);
  await expect(nobody.choose({ title: 'Which?', option: '--target', choices }, never)).rejects.toMatchObject({
    code: 'bad-arguments',
    what: 'Nobody can be asked: Which?',
    why: 'The answers are: a, b.',
    remedy: 'Give the option --target, or run it in a terminal.',
  });
  const check = (text: string) => (text === '' ? 'Empty.' : undefined);
  await expect(nobody.enter({ title: 'Name?', initial: '', check }, never)).rejects.toMatchObject({
    remedy: 'Run it in a terminal.',
  });
});

test('asks whoever is there what is not usual', async () => {
  const asked = new UsualAnswers(new ScriptedPrompter('b', 'x'));
  expect(await asked.choose({ title: 'Which?', choices }, never)).toBe(2);
  const check = (text: string) => (text === '' ? 'Empty.' : undefined);
  expect(await asked.enter({ title: 'Name?', initial: '', check }, never)).toBe('x');
});
