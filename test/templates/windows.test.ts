import { describe, expect, test } from 'vitest';
import { readPkgdef, windowsWords } from './windows.ts';

describe('a command line of Windows', () => {
  test.each([
    ['a  b', ['a', 'b']],
    ['"C:\\Program Files\\a b.js" run', ['C:\\Program Files\\a b.js', 'run']],
    ['--x="a b"c d', ['--x=a bc', 'd']],
    ['"say \\"hi\\"" \\\\server', ['say "hi"', '\\\\server']],
    ['', []],
  ])('%s', (line, words) => {
    expect(windowsWords(line)).toEqual(words);
  });
});

describe('a pkgdef', () => {
  test('has sections with texts and numbers', () => {
    const text = '; a\n[$RootKey$\\b]\n"c"="d\\"e\\""\n\n"f"=dword:0000001f\n[g]\n';
    expect(readPkgdef(text)).toEqual(
      new Map([
        [
          '$RootKey$\\b',
          new Map<string, string | number>([
            ['c', 'd"e"'],
            ['f', 31],
          ]),
        ],
        ['g', new Map()],
      ]),
    );
  });

  test.each(['"a"="b"', '[a]\n"b"="c" ; d', '[a]\n"b"=dword:1', '[a]\n"b"="c"d"'])('%s is refused', (text) => {
    expect(() => readPkgdef(text)).toThrow('is no line of a pkgdef');
  });
});
