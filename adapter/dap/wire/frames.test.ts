import { expect, test } from 'vitest';
import { Frames } from './frames.ts';

/** All bodies, and the rubbish as one text; read in one piece, and byte by byte. */
function read(text: string | Buffer) {
  const bytes = Buffer.from(text);
  const [whole, single] = [[bytes], [...bytes].map((byte) => Buffer.of(byte))].map((chunks) => {
    const frames = new Frames();
    const bodies: string[] = [];
    let rubbish = '';
    for (const chunk of chunks) {
      frames.push(chunk);
      for (let frame = frames.next(); frame !== undefined; frame = frames.next()) {
        if ('rubbish' in frame) rubbish += frame.rubbish;
        else bodies.push(frame.body.toString());
      }
    }
    return { bodies, rubbish, rest: frames.rest() };
  });
  expect(single).toEqual(whole);
  return whole;
}

test.each([
  ['one after the other', 'Content-Length: 2\r\n\r\nabContent-Length: 1\r\n\r\nc'],
  ['with line feeds alone', 'Content-Length: 2\n\nabContent-Length: 1\n\nc'],
  [
    'with two lengths, of which the last counts',
    'Content-Length: 9\r\nContent-Length: 2\r\n\r\nabcontent-length:1\r\n\r\nc',
  ],
  ['with a body of nothing', 'Content-Length: 2\r\n\r\nabContent-Length: 0\r\n\r\nContent-Length: 1\r\n\r\nc'],
])('reads messages %s', (_name, text) => {
  const { bodies = [], rubbish, rest } = read(text) ?? {};
  expect(bodies.filter(Boolean)).toEqual(['ab', 'c']);
  expect([rubbish, rest]).toEqual(['', '']);
});

const next = 'Content-Length: 2\r\n\r\nab';
test.each([
  ['a banner', 'Hello.\n', 'Hello.\n'],
  ['text without an end', 'Hello. ', 'Hello. \n'],
  ['text like a header', 'warning: no way\r\n\r\n', 'warning: no way\r\n'],
  ['a header without a length', 'Content-Type: x\r\n\r\n', 'Content-Type: x\r\n'],
  ['a length that is none', 'Content-Length: x\r\n\r\n', 'Content-Length: x\r\n'],
  ['a negative length', 'Content-Length: -5\r\n\r\n', 'Content-Length: -5\r\n'],
  ['a length that nobody can keep', 'Content-Length: 99999999999\r\n\r\n', 'Content-Length: 99999999999\r\n'],
  ['the rest of a message that was longer than it said', '"}', '"}\n'],
])('skips and reports %s', (_name, text, reported) => {
  expect(read(text + next)).toEqual({ bodies: ['ab'], rubbish: reported, rest: '' });
});

test('skips a line of any length, and keeps little of it', () => {
  const frames = new Frames();
  for (let count = 0; count < 10; count++) {
    frames.push(Buffer.from('x'.repeat(100_000)));
    const frame = frames.next();
    expect(frame && 'rubbish' in frame && frame.rubbish.length).toBe(2000);
    expect(frames.next()).toBeUndefined();
  }
  frames.push(Buffer.from(next));
  expect(frames.next()).toEqual({ rubbish: `${'x'.repeat(64)}\n` });
  expect(frames.next()).toEqual({ body: Buffer.from('ab') });
});

test('reads on at a header inside a body whose length was wrong', () => {
  const frames = new Frames();
  frames.push(Buffer.from(`Content-Length: 30\r\n\r\n{}${next}Content-Length: 1\r\n\r\nc`));
  const first = frames.next();
  if (first === undefined || !('body' in first)) throw new Error('There is no body.');
  frames.reread(first.body);
  expect(frames.next()).toEqual({ body: Buffer.from('ab') });
  expect(frames.next()).toEqual({ body: Buffer.from('c') });
});

test('says what is left at the end', () => {
  expect(read('Segmentation fault')?.rest).toBe('Segmentation fault');
  expect(read('Content-Length: 7\r\n\r\n{"a"')?.rest).toBe('Content-Length: 7\n\n{"a"');
});
