import { describe, expect, test } from 'vitest';
import { propertyList, readJson, readJsonc, readLisp, readLuaTable, readXml, withoutComments } from './formats.ts';

describe('JSON', () => {
  test('may have comments only where its program reads them', () => {
    expect(readJsonc('{ "a": "//", // b\n "c": 1 }')).toEqual({ a: '//', c: 1 });
    expect(() => readJson('{ "a": 1 // b\n }')).toThrow('Line 1');
  });

  test('has no comma at an end', () => {
    expect(() => readJsonc('{\n"a": 1,\n}')).toThrow('Line 3');
  });
});

describe('Lua', () => {
  test('tables are read', () => {
    const text = 'local x = {}\nlocal all = {\n  { a = "x = y", b = { ["80"] = 1, }, }, -- c\n}\n';
    expect(readLuaTable(text, 'all')).toEqual([{ a: 'x = y', b: { '80': 1 } }]);
  });

  test('comments are removed, texts stay', () => {
    expect(withoutComments('a = "--", -- b\n', '--')).toBe('a = "--", \n');
  });
});

describe('XML', () => {
  test('is read with its attributes', () => {
    const text = `<?xml version="1.0"?>\n<!-- <- a --><a b='{ "c":\n1 }'><d e="&lt;&#65;&quot;"/></a>\n`;
    expect(readXml(text)).toEqual({
      name: 'a',
      attributes: { b: '{ "c": 1 }' },
      children: [{ name: 'd', attributes: { e: '<A"' }, children: [] }],
    });
  });

  test.each(['<a>', '<a></b>', '<a b=c/>', '<a/><b/>', '<!-- -- --><a/>', '<a b="<"/>'])('%s is refused', (text) => {
    expect(() => readXml(text)).toThrow('not well-formed');
  });
});

describe('Lisp', () => {
  test('property lists are read', () => {
    const text = '; a\n(f "b" (list :c "d\\"" ; e\n :g (list :h t :i 5000 :j (expand-file-name "~/k"))))';
    const [call] = readLisp(text);
    expect(Array.isArray(call) && propertyList(call[2] ?? '')).toEqual({
      c: 'd"',
      g: { h: true, i: 5000, j: '~/k' },
    });
  });

  test.each(['(', ')', '(a "b)'])('%s is refused', (text) => {
    expect(() => readLisp(text)).toThrow('not well-formed');
  });
});
