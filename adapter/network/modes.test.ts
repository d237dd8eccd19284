import { expect, test } from 'vitest';
import { autoOrder, type Circumstances, explainChoice } from './modes.ts';

const order = (circumstances: Partial<Circumstances>) =>
  autoOrder({ platform: 'linux', startsProgram: true, elevation: undefined, pasta: true, ...circumstances }).map(
    ({ mode }) => mode,
  );

test.each<[string, Partial<Circumstances>, readonly string[]]>([
  ['root', { elevation: 'direct' }, ['hosts', 'namespace', 'env']],
  ['sudo without a question', { elevation: 'sudo', pasta: false }, ['hosts', 'namespace', 'env']],
  ['a dialog, and pasta', { elevation: 'graphical' }, ['namespace', 'hosts', 'env']],
  ['nothing but pasta', {}, ['namespace', 'hosts', 'env']],
  ['a dialog, and no pasta', { elevation: 'graphical', pasta: false }, ['hosts', 'namespace', 'env']],
  ['a program that the user starts', { startsProgram: false }, ['hosts', 'env']],
  ['macOS', { platform: 'darwin', elevation: 'graphical' }, ['hosts', 'env']],
  ['Windows as administrator', { platform: 'win32', elevation: 'direct' }, ['hosts', 'env']],
])('auto with %s', (_, circumstances, expected) => {
  expect(order(circumstances)).toEqual(expected);
});

test('says what was taken, why, and what was not possible before it', () => {
  const refused = [{ mode: 'hosts' as const, why: 'You refused it.' }];
  expect(explainChoice({ mode: 'env', reason: 'it needs nothing of this computer' }, refused)).toBe(
    'Network mode env, because it needs nothing of this computer. Mode hosts is not possible: You refused it.',
  );
});
