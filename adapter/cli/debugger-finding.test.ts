import { expect, it } from 'vitest';
import { fake } from '../dap/fixtures/scene.ts';
import { Problem } from '../problem.ts';
import { debuggerFinding } from './debugger-finding.ts';

const { signal } = new AbortController();
const refusing = (code: 'delegate-missing' | 'missing-key') =>
  fake([], {
    check: () => Promise.reject(new Problem({ code, what: 'No fake.', why: 'It is not on PATH.', remedy: 'Get it.' })),
  });

it('names a debugger that is there, and where it comes from', async () => {
  const { finding, problem } = await debuggerFinding('fake', signal, () => fake([]));
  expect(finding).toMatchObject({ subject: 'debugger fake', outcome: 'ok', text: expect.stringContaining('(test)') });
  expect(problem).toBeUndefined();
});

it('says what installs one that is missing', async () => {
  const { finding, problem } = await debuggerFinding('fake', signal, () => refusing('delegate-missing'));
  expect(finding).toMatchObject({ outcome: 'not possible', text: 'No fake. It is not on PATH.', remedy: 'Get it.' });
  expect(problem?.exitCode).toBe(6);
});

it('is no judge where only a launch configuration tells the rest', async () => {
  const { finding, problem } = await debuggerFinding('fake', signal, () => refusing('missing-key'));
  expect(finding.outcome).toBe('limited');
  expect(problem).toBeUndefined();
});
