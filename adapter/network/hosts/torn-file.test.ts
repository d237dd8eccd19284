import { describe, expect, it } from 'vitest';
import { decodeOverwriting, encodeOverwriting, firstDifference, mend } from './torn-file.ts';

const bytes = (text: string) => Buffer.from(text);

/** Every state of the file while `after` is written over `before`, from the front to the back. */
function states(before: string, after: string): string[] {
  const partly = Array.from(
    { length: after.length + 1 },
    (_, written) => after.slice(0, written) + before.slice(written),
  );
  return [...partly, after];
}

const cases = [
  ['127.0.0.1 localhost\n', '127.0.0.1 localhost\n# BEGIN\n127.64.0.1 a\n# END\n'],
  ['127.0.0.1 localhost\n# BEGIN\n127.64.0.1 a\n# END\n', '127.0.0.1 localhost\n'],
  ['1.2.3.4 a\n1.2.3.5 b\n', '# BEGIN\n127.64.0.1 a\n# END\n1.2.3.4 a\n1.2.3.5 b\n'],
  ['# BEGIN\n127.64.0.1 a\n# END\n1.2.3.4 a\n1.2.3.5 b\n', '1.2.3.4 a\n1.2.3.5 b\n'],
  ['aaaa', 'aaaaaaaa'],
  ['aaaaaaaa', 'aaaa'],
  ['abab', 'baba'],
  ['', 'x\n'],
  ['x\n', ''],
] as const;

describe('mend', () => {
  it.each(cases)('%j to %j: each state on the way becomes the old or the new content', (before, after) => {
    for (const state of states(before, after)) {
      const mended = mend(bytes(state), { before: bytes(before), after: bytes(after) });
      expect([before, after]).toContain((mended ?? state).toString());
    }
  });

  it.each(cases)('%j to %j: what somebody appended since is kept', (before, after) => {
    const line = '9.9.9.9 zz\n';
    for (const state of states(before, after).filter((one) => one.length >= before.length)) {
      const mended = mend(bytes(state + line), { before: bytes(before), after: bytes(after) });
      const result = (mended ?? state + line).toString();
      expect(result.endsWith(line)).toBe(true);
      // A piece of a block that cannot be told from what somebody else appended stays; a line of the user's is never lost.
      const isWhole = result === before + line || result === after + line;
      if (!isWhole) expect(result.startsWith(before) && after.startsWith(before)).toBe(true);
    }
  });

  it.each([
    ['a\nb\n', 'x\ny\n', 'a\nc\n'],
    ['a\nb\n', 'x\ny\n', ''],
    ['a\nb\n', 'x\ny\n', 'somebody wrote all of it anew\n'],
    ['a\nb\n# END\n', 'a\nb\n', 'a\nb\nc\nc\nc\n'],
  ])('%j to %j: leaves %j alone, which is somebody else’s', (before, after, state) => {
    expect(mend(bytes(state), { before: bytes(before), after: bytes(after) })).toBeUndefined();
  });
});

describe('what is saved', () => {
  it('comes back', () => {
    const overwriting = { before: Buffer.from([0, 255, 10, 13]), after: bytes('kubernetes-local overwriting 1 1\n') };
    expect(decodeOverwriting(encodeOverwriting(overwriting))).toEqual(overwriting);
  });

  it.each(['', 'x', 'kubernetes-local overwriting 4 4\nshort', '\n', 'kubernetes-local overwriting 1 1\nabc'])(
    'is not taken from %j',
    (text) => {
      expect(decodeOverwriting(bytes(text))).toBeUndefined();
    },
  );
});

it.each([
  ['', '', 0],
  ['a', '', 0],
  ['abc', 'abd', 2],
  ['abc', 'abcd', 3],
  [`${'x'.repeat(9_000)}a`, `${'x'.repeat(9_000)}b`, 9_000],
])('contents differ first where they do', (a, b, at) => {
  expect(firstDifference(bytes(a), bytes(b))).toBe(at);
});
