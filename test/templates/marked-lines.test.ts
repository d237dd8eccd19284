import { describe, expect, test } from 'vitest';
import { changed, markedLines, switchedOn } from './marked-lines.ts';

const text = '// Change what is marked "<- change": a.py\n"a.py", // <- change\n"b.py", // why\n';

test('a line that speaks of the mark is not marked', () => {
  expect(markedLines(text, '//')).toEqual(['"a.py", // <- change']);
});

describe('changing', () => {
  test('leaves all other lines alone', () => {
    expect(changed(text, '//', { 'a.py': 'c.py' })).toBe(text.replace('"a.py"', '"c.py"'));
  });

  test('of what no marked line has is an error', () => {
    expect(() => changed(text, '//', { 'b.py': 'c.py' })).toThrow('No marked line has b.py.');
  });
});

test('commented keys are switched on, prose is not', () => {
  expect(switchedOn('// prose: no\n  // "a": 1, // why\n  -- b = 2\n', '//')).toBe(
    '// prose: no\n  "a": 1, // why\n  -- b = 2\n',
  );
  expect(switchedOn('-- no prose = yes, or so\n  -- b = 2\n', '--')).toBe('-- no prose = yes, or so\n  b = 2\n');
  expect(switchedOn(';; Prose\n  ;; :b 2 ; why\n', ';')).toBe(';; Prose\n  :b 2 ; why\n');
});
