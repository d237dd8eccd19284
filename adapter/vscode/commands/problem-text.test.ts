import { describe, expect, it } from 'vitest';
import { problemText } from './problem-text.ts';

const problem = {
  code: 'target-missing',
  what: 'There is no Service "crat".',
  why: 'Namespace shop has: cart',
  remedy: 'Did you mean "cart"?',
} as const;

describe('problemText', () => {
  it('has the reason and the advice beneath the message of a dialog', () => {
    expect(problemText(problem, true)).toMatchObject({
      message: 'There is no Service "crat".',
      detail: 'Namespace shop has: cart\n\nDid you mean "cart"?',
      remedies: [{ command: 'configure' }],
    });
    expect(problemText({ ...problem, why: '' }, true).detail).toBe('Did you mean "cart"?');
  });

  it('is one paragraph at the edge of the window', () => {
    expect(problemText(problem, false)).toMatchObject({
      message: 'There is no Service "crat". Namespace shop has: cart. Did you mean "cart"?',
      detail: '',
    });
  });

  it('has no button where only the text helps', () => {
    expect(problemText({ ...problem, code: 'quota-exceeded' }, true).remedies).toEqual([]);
  });
});
