import { describe, expect, it } from 'vitest';
import { restoredText } from './restored-text.ts';

describe('restoredText', () => {
  it('has the results without the progress', () => {
    const lines = [
      'Undoing service/cart in shop of e2e, begun 2026-11-28T11:46:13.327Z',
      'The original is ready in 0 of 2 pods of deployment/cart (cart-68f: not ready yet) …',
      'warning: The hosts file was changed meanwhile.',
      'Undone.',
    ];
    expect(restoredText(lines)).toBe(
      'Undoing service/cart in shop of e2e, begun 2026-11-28T11:46:13.327Z. warning: The hosts file was changed meanwhile. Undone.',
    );
  });

  it('says so where nothing was left', () => {
    expect(restoredText([])).toBe('Nothing was left behind.');
  });
});
