import { describe, expect, it } from 'vitest';
import { table, withSection } from './report.ts';

const check = { part: 'storm', name: 'short connections', direction: 'inbound' } as const;

describe('the table', () => {
  it('has one line for each check, and says which was wrong', () => {
    const text = table([
      { check, passed: true, text: '10 answered', seconds: 1.2 },
      { check, passed: false, text: 'a | b\nmore of the error', seconds: 0 },
    ]);
    expect(text.split('\n')).toEqual([
      '| part | what | connections |  | seen | took |',
      '|---|---|---|---|---|---|',
      '| storm | short connections | inbound | right | 10 answered | 1 s |',
      '| storm | short connections | inbound | WRONG | a \\| b | 0 s |',
    ]);
  });
});

describe('the section', () => {
  it('takes the place of the one before, and leaves the rest of the page', () => {
    const page = 'before\n<!-- load -->\nold\n<!-- end load -->\nafter\n';
    expect(withSection(page, 'new')).toBe('before\n<!-- load -->\nnew\n<!-- end load -->\nafter\n');
  });

  it.each(['no markers', '<!-- end load -->\n<!-- load -->'])('is not written into a page with %j', (page) => {
    expect(() => withSection(page, 'new')).toThrow('<!-- load -->');
  });
});
