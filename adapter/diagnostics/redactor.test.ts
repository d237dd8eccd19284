import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Redactor } from './redactor.ts';

const secret = 'p@ss "wörd"/x+y=1&z';

function redactor(...secrets: readonly string[]): Redactor {
  const made = new Redactor();
  for (const each of secrets) made.add(each);
  return made;
}

describe('a secret is masked', () => {
  const encoded = Buffer.from(secret);
  it.each([
    ['as it is', `a ${secret} b`],
    ['in JSON', JSON.stringify({ value: secret })],
    ['in JSON in JSON', JSON.stringify(JSON.stringify({ value: secret }))],
    ['as a part of a path', `/v1/${encodeURIComponent(secret)}/x`],
    ['as a part of a path, small letters', encodeURIComponent(secret).replace(/%../g, (code) => code.toLowerCase())],
    ['in a query', new URLSearchParams({ q: secret }).toString()],
    ['in hexadecimal digits', encoded.toString('hex')],
    ['in large hexadecimal digits', encoded.toString('hex').toUpperCase()],
    ['as base64', encoded.toString('base64')],
    ['as base64url', encoded.toString('base64url')],
    ['within base64, as of user:password', Buffer.from(`u:${secret}`).toString('base64')],
    ['within base64, one byte later', Buffer.from(`us:${secret}!`).toString('base64')],
    ['within base64, two bytes later', Buffer.from(`use:${secret}`).toString('base64')],
  ])('%s', (_how, text) => {
    const redacted = redactor(secret).redact(text);
    expect(redacted).toContain('«redacted»');
    // Nothing of it is left but the digits of base64 that stand for its neighbours too.
    expect(redacted.replace('«redacted»', '').length).toBeLessThan(text.length - secret.length + 4);
  });

  it('line by line', () => {
    const one = redactor('first line\r\nsecond line\n\n  third line');
    expect(one.redact('second line|third line|first line')).toBe('«redacted»|«redacted»|«redacted»');
  });

  it('the longest first', () => {
    expect(redactor('abcd', 'abcdefgh').redact('abcdefgh abcd')).toBe('«redacted» «redacted»');
  });

  it('also in a file of a megabyte', () => {
    const lines = Array.from({ length: 20_000 }, () => randomBytes(32).toString('base64'));
    const one = redactor(lines.join('\n'));
    expect(one.redact(`a ${lines[0]} b ${lines.at(-1)} c`)).toBe('a «redacted» b «redacted» c');
    expect(redactor('x'.repeat(1_000_000)).redact('x'.repeat(1_000_000))).toBe('«redacted»');
  });

  it('not if it has fewer than four characters, in no form', () => {
    const text = `abc ${Buffer.from('abc').toString('hex')} ${Buffer.from('abc').toString('base64')}`;
    expect(redactor('abc', '', ' x ').redact(text)).toBe(text);
  });
});

describe('data', () => {
  it('stays well-formed whatever the secrets are', () => {
    const data = { port: 5432, on: true, text: 'on 5432: true', true: ['5432'] };
    const redacted = redactor('5432', 'true').redactData(data);
    expect(JSON.parse(JSON.stringify(redacted))).toEqual({
      port: 5432,
      on: true,
      text: 'on «redacted»: «redacted»',
      '«redacted»': ['«redacted»'],
    });
  });

  it('tells of an error what it has, its cause too, and of a circle not for ever', () => {
    const cause = Object.assign(new Error('refused hunter2'), { code: 'ECONNREFUSED' });
    const circle: Record<string, unknown> = {};
    circle.self = circle;
    const data = redactor('hunter2').redactData({ error: new Error('no hunter2', { cause }), circle });
    expect(JSON.stringify(data)).not.toContain('hunter2');
    expect(data).toMatchObject({
      error: {
        name: 'Error',
        message: 'no «redacted»',
        cause: { code: 'ECONNREFUSED', message: 'refused «redacted»' },
      },
    });
  });
});
