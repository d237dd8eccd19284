import { parse } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import { JsoncText } from './jsonc.ts';

const item = { name: 'new', list: [1] };

function insert(text: string): string {
  return new JsoncText(text, 'launch.json').insertFirst(['configurations'], item);
}

/** What the text holds, comments and trailing commas allowed. */
function read(text: string): unknown {
  return parse(text, [], { allowTrailingComma: true });
}

describe('a new first item', () => {
  test('comes with the indentation, comments and trailing commas as they are', () => {
    const before = `// Mine.
{
    "version": "0.2.0", // of the file
    "configurations": [ // all of them
        // The shop.
        { "name": "old",   "odd" : [ 1,2 ], }, /* why */
    ],
}
`;
    expect(insert(before)).toBe(`// Mine.
{
    "version": "0.2.0", // of the file
    "configurations": [ // all of them
        {
            "name": "new",
            "list": [
                1
            ]
        },
        // The shop.
        { "name": "old",   "odd" : [ 1,2 ], }, /* why */
    ],
}
`);
  });

  test('has the line ends and tabs of the file', () => {
    const before = '{\r\n\t"configurations": [\r\n\t\t{ "name": "old" }\r\n\t]\r\n}';
    expect(insert(before)).toBe(
      '{\r\n\t"configurations": [\r\n\t\t{\r\n\t\t\t"name": "new",\r\n\t\t\t"list": [\r\n\t\t\t\t1\r\n\t\t\t]\r\n\t\t},\r\n' +
        '\t\t{ "name": "old" }\r\n\t]\r\n}',
    );
  });

  test.each([
    '{"configurations":[]}',
    '{"configurations":[],"a":1}',
    '{ "configurations": [{"name":"old"},{"name":"older"}] }',
    '{\n  "configurations": [\n  ]\n}\n',
    '{\n  "configurations": [ // none yet\n  ],\n}\n',
    '{\n  "configurations": [\n    // none yet\n  ]\n}\n',
    '{\n  "configurations": [ /* none\n yet */ ]\n}\n',
    '{\n  "configurations": [   \n    {"name":"old"},\n  ]\n}\n',
  ])('in %j changes nothing else', (before) => {
    const after = insert(before);
    const { configurations } = read(before) as { configurations: unknown[] };
    expect(read(after)).toEqual({ ...(read(before) as object), configurations: [item, ...configurations] });
    // What was there is still there, in its order: what is new is one piece, or that piece and a comma.
    expect(withoutOnePiece(after, before)).toBe(true);
    expect(after.endsWith('\n')).toBe(before.endsWith('\n'));
  });
});

/** Whether `before` is what remains of `after` when one piece of it is taken out. */
function withoutOnePiece(after: string, before: string): boolean {
  let same = 0;
  while (same < before.length && after[same] === before[same]) same++;
  return after.endsWith(before.slice(same));
}

describe('a new key', () => {
  const append = (text: string) => new JsoncText(text, 'launch.json').append([], 'b', { c: 1 });

  test.each([
    ['{}', '{\n  "b": {\n    "c": 1\n  }\n}'],
    ['{"a":1}', '{"a":1, "b": {\n  "c": 1\n}}'],
    ['{"a":1,}', '{"a":1, "b": {\n  "c": 1\n},}'],
    ['{\n "a": 1\n}\n', '{\n "a": 1,\n "b": {\n  "c": 1\n }\n}\n'],
    ['{\n "a": 1 // one\n}\n', '{\n "a": 1, // one\n "b": {\n  "c": 1\n }\n}\n'],
    ['{\n "a": 1, // one\n // more\n}\n', '{\n "a": 1, // one\n "b": {\n  "c": 1\n },\n // more\n}\n'],
    ['{\n\t"a": [\n\t\t1\n\t]\n}', '{\n\t"a": [\n\t\t1\n\t],\n\t"b": {\n\t\t"c": 1\n\t}\n}'],
  ])('in %j', (before, after) => {
    expect(append(before)).toBe(after);
    expect(read(after)).toEqual({ ...(read(before) as object), b: { c: 1 } });
  });
});

test('a value is replaced where it stands, its comments stay', () => {
  const before = '{\n  // why\n  "a": { "x": 1 }, // here\n  "b": 2\n}\n';
  expect(new JsoncText(before, 'launch.json').replace(['a'], { y: [] })).toBe(
    '{\n  // why\n  "a": {\n    "y": []\n  }, // here\n  "b": 2\n}\n',
  );
});

test.each([
  ['', '{\n  "a": 1\n}\n'],
  ['// only this', '// only this\n{\n  "a": 1\n}\n'],
  ['/* this */\r\n\r\n', '/* this */\r\n\r\n{\r\n  "a": 1\r\n}\r\n'],
])('a text without a value, %j, is filled', (before, after) => {
  const text = new JsoncText(before, 'launch.json');
  expect(text.isEmpty).toBe(true);
  expect(text.fill({ a: 1 })).toBe(after);
});

test.each([
  ['{\n  "a": 1\n  "b": 2\n}', 'launch.json:3:3 is not valid JSON.', 'There: comma expected.'],
  ['{\r\n  "a": tru\r\n}', 'launch.json:2:8 is not valid JSON.', 'There: invalid symbol.'],
  ['{ "a": [1, 2 }', 'launch.json:1:14 is not valid JSON.', 'There: comma expected.'],
])('what is no JSON, %j, is refused with its place', (text, what, why) => {
  expect(() => new JsoncText(text, 'launch.json')).toThrow(expect.objectContaining({ code: 'bad-value', what, why }));
});
