import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Requests } from './requests.ts';
import { reasonIn, translateEvent } from './translate.ts';
import { Channel } from './wire/channel.ts';

/** JSON can make objects that cannot be made numbers or text. */
const neither = { toString: 1, valueOf: 1 };

test('a progress of no request that anybody made is one of none', () => {
  const requests = new Requests(new Channel(new PassThrough(), new PassThrough()));
  for (const requestId of [neither, [], null, '7', 7]) {
    const event = { type: 'event', event: 'progressStart', body: { progressId: 'a', requestId } } as const;
    expect(translateEvent(event, requests).body).toEqual({ progressId: 'a' });
  }
  expect(requests.sentAs(neither)).toBeUndefined();
});

test('a refusal of a strange form is told as it came', () => {
  expect(reasonIn({ message: neither })).toBe('{"toString":1,"valueOf":1}');
  const error = { format: 'No {what}, {other}.', variables: { what: neither } };
  expect(reasonIn({ body: { error } })).toBe('No {"toString":1,"valueOf":1}, {other}.');
});
