import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { environmentList, environmentObject, environmentWithoutNull, withEnvironmentFiles } from './environment.ts';

const pod = { A: 'pod', B: 'pod', C: 'a=b' };

test('as an object, what the user writes wins, also null', () => {
  expect(environmentObject({ env: { B: 'own', C: null, D: 'own' } }, pod)).toEqual({
    A: 'pod',
    B: 'own',
    C: null,
    D: 'own',
  });
  expect(environmentObject({ environment: { A: 'own' }, env: { A: 'no' } }, pod, 'environment')).toMatchObject({
    A: 'own',
  });
  expect(environmentObject({ env: 'nonsense' }, pod)).toEqual(pod);
});

test('for those who refuse null, it only keeps away what comes from the pod', () => {
  expect(environmentWithoutNull({ env: { B: null, D: 'own' } }, pod)).toEqual({ A: 'pod', C: 'a=b', D: 'own' });
});

test('as a list, what the user writes wins, as a list or as an object', () => {
  expect(environmentList({ env: ['B=own', 'D'] }, pod)).toEqual(['A=pod', 'C=a=b', 'B=own', 'D']);
  expect(environmentList({ env: { B: 'own', C: null } }, pod)).toEqual(['A=pod', 'B=own']);
  expect(environmentList({}, pod)).toEqual(['A=pod', 'B=pod', 'C=a=b']);
});

test('envFile is the user’s own too; of several the last wins', () => {
  const folder = mkdtempSync(join(tmpdir(), 'environment-'));
  try {
    writeFileSync(join(folder, 'one.env'), '# a comment\nA=file\nB="two words"\n');
    writeFileSync(join(folder, 'two.env'), 'A=second\n');
    expect(withEnvironmentFiles({ envFile: join(folder, 'one.env') }, pod)).toEqual({
      A: 'file',
      B: 'two words',
      C: 'a=b',
    });
    const envFile = ['one.env', 'two.env'];
    expect(withEnvironmentFiles({ envFile, cwd: folder }, pod)).toMatchObject({ A: 'second', B: 'two words' });
    expect(withEnvironmentFiles({ envFile: '' }, pod)).toEqual(pod);
    expect(() => withEnvironmentFiles({ envFile: 'none.env', cwd: folder }, pod)).toThrow(
      `"envFile" of the delegate, ${join(folder, 'none.env')}, cannot be read. ENOENT`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
