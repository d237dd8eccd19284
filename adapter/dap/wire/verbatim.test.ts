import { expect, test } from 'vitest';
import type { Raw } from '../message.ts';
import { readVerbatim, UnreadBody, writeVerbatim } from './verbatim.ts';

const long = 'x'.repeat(20_000);
const head = '{"seq":1,"type":"response","request_seq":2,"command":"source","success":true,"body":';
/** Numbers that no double holds, escapes, and blanks where others have none. */
const body = `{ "content": "\\u00fc\\"}${long}",  "big":123456789012345678901, "real":1.50}`;

function written(message: Raw | undefined): string | undefined {
  return message && writeVerbatim(message)?.map(String).join('');
}

test('writes the body as it was read, under the fields of now', () => {
  const message = readVerbatim(Buffer.from(`${head}${body}} \n`));
  expect(message).toMatchObject({ seq: 1, body: { real: 1.5 } });
  expect(written({ ...message, seq: 7, extra: 'ü' })).toBe(
    `{"seq":7,"type":"response","request_seq":2,"command":"source","success":true,"extra":"ü","body":${body}}`,
  );
});

test('but not one that was changed', () => {
  const message = readVerbatim(Buffer.from(`${head}${body}}`));
  expect(written({ ...message, body: { ...Object(message?.body) } })).toBeUndefined();
});

test.each([
  ['that are small', `${head}{"a":1}}`],
  ['whose body is not last', `${head}${body},"seq":3}`],
  ['whose body is no object', `${head}"${long}"}`],
  ['that are not JSON', `${head}{"content":"${long}}}`],
  ['with something behind them', `${head}${body}}}`],
  ['whose body is deeper inside', `{"type":"response","command":"source","x":{"body":${body}}}`],
  ['that are changed on their way', `{"type":"response","command":"setBreakpoints","body":${body}}`],
  ['that are events of other kinds', `{"type":"event","event":"stopped","body":${body}}`],
])('leaves messages %s to others', (_name, json) => {
  expect(readVerbatim(Buffer.from(json))).toBeUndefined();
});

test('leaves what is no UTF-8 to others', () => {
  const bytes = Buffer.from(`${head}${body}}`);
  bytes[bytes.indexOf('xxx')] = 0xff;
  expect(readVerbatim(bytes)).toBeUndefined();
});

test('does not read a very large body, and yet can tell what is in it', () => {
  const text = `{"content":"${'x'.repeat(2_000_000)}","real":1.5}`;
  const message = readVerbatim(Buffer.from(`${head}${text}}`));
  expect(message?.body).toBeInstanceOf(UnreadBody);
  expect(JSON.stringify(message?.body)).toBe(text);
  expect(written({ ...message, seq: 7 })).toContain(`"seq":7,"type":"response"`);
  expect(written({ ...message, seq: 7 })?.endsWith(`"body":${text}}`)).toBe(true);
});

test.each([
  ['of a failure', `${head.replace('true', 'false')}{"content":"${'x'.repeat(2_000_000)}"}}`],
  ['that does not begin or end as one', `${head}{"content":"${'x'.repeat(2_000_000)}"`],
])('reads a very large body %s', (_name, json) => {
  expect(readVerbatim(Buffer.from(json))?.body).not.toBeInstanceOf(UnreadBody);
});
