import { expect, it } from 'vitest';
import { formatMap } from './formatted-map.ts';

it('writes entries as Go’s %q does, sorted', () => {
  expect(formatMap({ b: '2', a: '1', 'a.b/c': 'x', B: '' })).toBe('B=""\na="1"\na.b/c="x"\nb="2"');
  expect(formatMap({})).toBe('');
});

it.each([
  ['two\nlines\t"quoted" \\ grün', '"two\\nlines\\t\\"quoted\\" \\\\ grün"'],
  ['\x00\x07\b\f\v\r\x1b\x7f', '"\\x00\\a\\b\\f\\v\\r\\x1b\\x7f"'],
  ['日本 ☃ 😀', '"日本 ☃ 😀"'],
  ['\u00a0\u200b\ufeff\u2028', '"\\u00a0\\u200b\\ufeff\\u2028"'],
  ['\u{e0001}', '"\\U000e0001"'],
])('quotes %j', (text, quoted) => {
  expect(formatMap({ k: text })).toBe(`k=${quoted}`);
});
