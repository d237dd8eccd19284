import { expect, test } from 'vitest';
import { elisp, lua, quotedElisp, tomlText, xmlAttribute } from './written-text.ts';

const value = { a: 'x "y" \\ \n\u0001', '8080': 1, 'b-c': [true, null, { d: false }], e: {}, end: [] };

test('Lua', () => {
  expect(lua(value, '')).toBe(`{
  ["8080"] = 1,
  a = "x \\"y\\" \\\\ \\n\\u{0001}",
  ["b-c"] = {
    true,
    nil,
    {
      d = false,
    },
  },
  e = {},
  ["end"] = {},
}`);
});

test('Emacs Lisp, as an expression', () => {
  expect(elisp(value, '')).toBe(`(list
 :8080 1
 :a "x \\"y\\" \\\\ \\n\\u0001"
 :b-c (vector t nil (list
   :d :json-false))
 :e (list
  )
 :end (vector ))`);
});

test('Emacs Lisp, as data', () => {
  expect(quotedElisp({ a: ['x', { b: 1, c: 'y' }] }, '')).toBe('(:a ["x" (:b 1\n   :c "y")])');
});

test('TOML and XML', () => {
  expect(tomlText('a "b" \\ \x7f')).toBe('"a \\"b\\" \\\\ \\u007F"');
  expect(xmlAttribute(`<a b='c' & "d">`)).toBe('&lt;a b=&apos;c&apos; &amp; "d"&gt;');
});
