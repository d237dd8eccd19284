import { describe, expect, it } from 'vitest';
import { blocksIn, type HostsBlock, withBlock, withoutBlock } from './hosts-file.ts';

const owner = { pid: 7, start: '42-abcdef01' };
const prices = { address: '127.64.0.1', names: ['prices', 'prices.shop'] };

function block(session: string, entries: HostsBlock['entries'] = [prices]) {
  return { session, owner, entries };
}

function added(text: string, session = 's1', position: 'first' | 'last' = 'last'): string {
  return withBlock(Buffer.from(text, 'latin1'), block(session), position).toString('latin1');
}

function removed(text: string, session = 's1'): string {
  return withoutBlock(Buffer.from(text, 'latin1'), session).toString('latin1');
}

describe('a block', () => {
  it('is fenced, names its owner, and comes last', () => {
    expect(added('127.0.0.1 localhost\n')).toBe(
      [
        '127.0.0.1 localhost',
        '# BEGIN kubernetes-local session=s1 pid=7 start=42-abcdef01',
        '127.64.0.1 prices prices.shop # kubernetes-local session=s1',
        '# END kubernetes-local session=s1',
        '',
      ].join('\n'),
    );
  });

  it('comes first, but after a byte order mark, where a name of the user has to be shadowed', () => {
    expect(added('\u00ef\u00bb\u00bf1.2.3.4 prices\r\n', 's1', 'first')).toBe(
      [
        '\u00ef\u00bb\u00bf# BEGIN kubernetes-local session=s1 pid=7 start=42-abcdef01',
        '127.64.0.1 prices prices.shop # kubernetes-local session=s1',
        '# END kubernetes-local session=s1',
        '1.2.3.4 prices',
        '',
      ].join('\r\n'),
    );
  });

  it('replaces the earlier one of its session', () => {
    const once = Buffer.from(added('a'));
    expect(withBlock(once, block('s1'), 'last')).toEqual(once);
  });

  it('has at most nine names a line, which is all that Windows reads', () => {
    const names = Array.from({ length: 20 }, (_, index) => `n${index}`);
    const bytes = withBlock(Buffer.from(''), block('s1', [{ address: '127.64.0.1', names }]), 'last');
    const [only] = blocksIn(bytes);
    expect(only?.entries.map((entry) => entry.names.length)).toEqual([9, 9, 2]);
    expect(only?.entries.flatMap((entry) => entry.names)).toEqual(names);
  });

  it('has its addresses as IPv6 too where that is wanted, and is listed and removed as one', () => {
    const bytes = withBlock(Buffer.from('a\n'), block('s1'), 'last', 'IPv4 and IPv6');
    expect(bytes.toString().split('\n').slice(2, 4)).toEqual([
      '127.64.0.1 prices prices.shop # kubernetes-local session=s1',
      '::ffff:127.64.0.1 prices prices.shop # kubernetes-local session=s1',
    ]);
    expect(blocksIn(bytes)).toEqual([{ session: 's1', owner, entries: [prices] }]);
    expect(withoutBlock(bytes, 's1').toString()).toBe('a\n');
  });

  it('is refused in UTF-16 and for an id that would break the fence', () => {
    expect(() => added('\u00ff\u00fe1\u0000')).toThrow(/UTF-16/);
    expect(() => added('', 'a b')).toThrow(RangeError);
  });

  it('is listed with its owner', () => {
    const text = added(added('a\n', 's1'), 's2', 'first');
    expect(blocksIn(Buffer.from(text))).toEqual([
      { session: 's2', owner, entries: [prices] },
      { session: 's1', owner, entries: [prices] },
    ]);
  });
});

describe('removing', () => {
  it.each([
    '',
    'a',
    'a\n',
    'a\r\n',
    'a\r',
    '\r',
    '\n',
    '\n\n',
    '\u00ef\u00bb\u00bf',
    '\u00ef\u00bb\u00bfa',
    'a\nb\r\nc',
    '#\u00e9\t',
  ])('brings %j back', (text) => {
    expect(removed(added(text))).toBe(text);
    expect(removed(added(text, 's1', 'first'))).toBe(text);
  });

  it('brings the missing last newline back when an earlier block goes first', () => {
    const both = added(added('a', 's1'), 's2');
    expect(removed(removed(both, 's1'), 's2')).toBe('a');
    expect(removed(removed(both, 's2'), 's1')).toBe('a');
  });

  it('keeps the added newline when lines of the user follow it', () => {
    expect(removed(`${added('a')}b\n`)).toBe('a\nb\n');
    expect(removed(added('a').replace('# BEGIN', 'b\n# BEGIN'))).toBe('a\nb\n');
  });

  it('keeps a line that the user wrote inside the fence', () => {
    expect(removed(added('a\n').replace('# END', '1.2.3.4 mine\n# END'))).toBe('a\n1.2.3.4 mine\n');
  });

  it('swallows nothing after a fence that has no end, and finds what is ours', () => {
    const broken = added('a\n').replace(/# END.*\n/, '127.64.9.9 mine\n9.9.9.9 other\n');
    expect(removed(broken)).toBe('a\n127.64.9.9 mine\n9.9.9.9 other\n');
  });

  it('finds what is ours after a fence that has no beginning', () => {
    expect(removed(added('a\n').replace(/# BEGIN.*\n/, 'b\n'))).toBe('a\nb\n');
  });

  it('works after an editor changed all line ends', () => {
    expect(removed(added('a').replaceAll('\n', '\r\n'))).toBe('a');
  });

  it('leaves other sessions and lines that only look like ours', () => {
    const text = added('# BEGIN kubernetes-local session=s1 mine\n1.1.1.1 x # kubernetes-local session=s1\n', 's10');
    expect(removed(text)).toBe(text);
  });
});

/** mulberry32: a small generator with a seed, so that a failure can be repeated. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const pieces = [
  '127.0.0.1 localhost',
  '',
  ' ',
  '\t# c',
  '::1 a b',
  '\u00fc',
  '\r',
  '# BEGIN kubernetes-local session=',
  '# END',
  '\u0000',
];
const ends = ['\n', '\r\n', '\n', ''];

function randomFile(pick: (below: number) => number): string {
  const lines = Array.from({ length: pick(6) }, () => `${pieces[pick(pieces.length)]}${ends[pick(3)]}`);
  // The last line differs from the others: had the user deleted one of two equal lines, nobody could tell which.
  const last = pick(4) === 0 ? '' : `last ${pieces[pick(pieces.length)]}${ends[pick(ends.length)]}`;
  return `${pick(5) === 0 ? '\u00ef\u00bb\u00bf' : ''}${lines.join('')}${last}`;
}

const isOurs = (line: string) => /kubernetes-local session=s\d/.test(line);
const split = (text: string) => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** What a user does to the file while blocks are in it: the same to the file without them. */
function userEdit(pick: (below: number) => number, file: string, plain: string): { file: string; plain: string } {
  const lines = split(file);
  const own = lines.flatMap((line, index) => (isOurs(line) ? [] : [index]));
  const plainLines = split(plain);
  const chosen = pick(own.length + 1);
  const inserted = `9.9.9.${pick(255)} user\n`;
  if (chosen === own.length) {
    // At the end, by an editor that ends the line before it if it sees that it has no end.
    const seen = (lines[own.at(-1) ?? -1] ?? '').slice((plainLines.at(-1) ?? '').length) || '\n';
    const append = (text: string, end: string) => `${text}${text === '' || text.endsWith('\n') ? '' : end}${inserted}`;
    return { file: append(file, '\n'), plain: append(plain, seen) };
  }
  const at = own[chosen] ?? 0;
  // A line that came after ours and went again leaves no trace, so only the first lines are ever deleted.
  if (pick(2) === 0 || lines[at]?.endsWith(' user\n')) {
    lines.splice(at, 0, inserted);
    plainLines.splice(chosen, 0, inserted);
  } else {
    lines.splice(at, 1);
    plainLines.splice(chosen, 1);
  }
  return { file: lines.join(''), plain: plainLines.join('') };
}

describe('any file', () => {
  it('comes back byte for byte, whatever sessions and the user do in between', () => {
    let edits = 0;
    for (let seed = 1; seed <= 3_000; seed++) {
      const pick = random(seed);
      let plain = randomFile(pick);
      let file = plain;
      const open = new Set<string>();
      for (let step = pick(10); step > 0; step--) {
        const session = `s${pick(4)}`;
        const act = pick(3);
        if (act === 0) {
          file = added(file, session, pick(2) === 0 ? 'first' : 'last');
          open.add(session);
        } else if (act === 1) {
          file = removed(file, session);
          open.delete(session);
        } else if (!plain.startsWith('\u00ef')) {
          ({ file, plain } = userEdit(pick, file, plain));
          edits++;
        }
        expect(new Set(blocksIn(Buffer.from(file, 'latin1')).map((it) => it.session)), `seed ${seed}`).toEqual(open);
      }
      for (const session of [...open].sort(() => pick(3) - 1)) file = removed(file, session);
      expect(file, `seed ${seed}`).toBe(plain);
    }
    expect(edits).toBeGreaterThan(1_000);
  });
});
