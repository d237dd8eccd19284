import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { isRaw, type Raw } from '../message.ts';
import { Channel } from './channel.ts';

vi.setConfig({ testTimeout: 60_000 });

/** A channel whose far end is two streams of the test. */
function open(output = new PassThrough()) {
  const input = new PassThrough();
  const channel = new Channel(input, output);
  const messages: Raw[] = [];
  const errors: Error[] = [];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  channel.listen({
    message: (message) => messages.push(message),
    unreadable: (error) => errors.push(error),
    broken: (error) => errors.push(error),
    end: resolve,
  });
  return { input, output, channel, messages, errors, ended };
}

test.each([
  ['as the specification writes it', 'Content-Length: 7\r\n\r\n{"a":1}'],
  ['without a blank', 'Content-Length:7\r\n\r\n{"a":1}'],
  ['in lower case', 'content-length: 7\r\n\r\n{"a":1}'],
  ['among others', 'Content-Type: x/y; charset=utf-8\r\nContent-Length: 7\r\nX-Other:\r\n\r\n{"a":1}'],
])('reads a header %s', async (_name, text) => {
  const { input, messages, ended } = open();
  for (const byte of Buffer.from(text)) input.write(Buffer.of(byte));
  input.end();
  await ended;
  expect(messages).toEqual([{ a: 1 }]);
});

test('reads on after something that is not JSON, or no object', async () => {
  const { input, messages, errors, ended } = open();
  input.end('Content-Length: 3\r\n\r\n{a}Content-Length: 2\r\n\r\n[]Content-Length: 7\r\n\r\n{"a":1}');
  await ended;
  expect(messages).toEqual([{ a: 1 }]);
  expect(errors).toHaveLength(2);
});

test('handles all messages before it reports the end', async () => {
  const { input, messages, ended } = open();
  const count = 500;
  input.end('Content-Length: 7\r\n\r\n{"a":1}'.repeat(count));
  await ended;
  expect(messages).toHaveLength(count);
});

test('writes strictly, with its own numbers, in order, in bytes', async () => {
  const { channel, output } = open();
  expect(channel.send({ seq: 77, type: 'event', event: 'ü' })).toBe(1);
  expect(channel.send({ type: 'event', event: 'b' })).toBe(2);
  await channel.flushed();
  expect(String(output.read())).toBe(
    'Content-Length: 37\r\n\r\n{"seq":1,"type":"event","event":"ü"}' +
      'Content-Length: 36\r\n\r\n{"type":"event","event":"b","seq":2}',
  );
});

test('what is changed after sending does not show', async () => {
  const { channel, output } = open();
  const body = { text: 'before' };
  channel.send({ type: 'event', event: 'a', body });
  body.text = 'after';
  await channel.flushed();
  expect(String(output.read())).toContain('before');
});

test('keeps integers that a double cannot hold, and numbers that it can', async () => {
  const near = open();
  const text = '{"big":12345678901234567890,"list":[-98765432109876543210],"real":1.5,"text":": 12345678901234567890"}';
  near.input.end(`Content-Length: ${text.length}\r\n\r\n${text}`);
  await near.ended;
  const [message] = near.messages;
  near.channel.send(message ?? {});
  await near.channel.flushed();
  expect(String(near.output.read())).toContain(text.slice(0, -1));
  expect(message?.real).toBe(1.5);
});

test('carries 50 MB both ways', async () => {
  const from = open();
  const to = open();
  from.output.pipe(to.input);
  const content = 'x'.repeat(50 * 1024 * 1024);
  from.channel.send({ type: 'response', body: { content } });
  from.channel.send({ type: 'event', event: 'after' });
  await from.channel.flushed();
  from.output.end();
  await to.ended;
  const [first, second] = to.messages;
  expect(isRaw(first?.body) && first.body.content === content).toBe(true);
  expect(second?.event).toBe('after');
});

test('stops reading the source while the far end does not take what is sent, and reads on when it does', async () => {
  const stuck = new PassThrough({ highWaterMark: 1 });
  const far = open(stuck);
  const near = open();
  far.channel.send({ body: 'x'.repeat(17 * 1024 * 1024) });
  far.channel.throttle(near.channel);
  expect(near.input.isPaused()).toBe(true);
  stuck.resume();
  await far.channel.flushed();
  await setImmediate();
  expect(near.input.isPaused()).toBe(false);
  near.input.end('Content-Length: 7\r\n\r\n{"a":1}');
  await near.ended;
  expect(near.messages).toEqual([{ a: 1 }]);
});

test('reports once that the far end is gone and throws nothing', async () => {
  const { channel, output, errors } = open();
  output.destroy();
  channel.send({ type: 'event', event: 'a' });
  channel.send({ type: 'event', event: 'b' });
  await channel.flushed();
  expect(errors).toHaveLength(1);
  channel.send({ type: 'event', event: 'c' });
  await channel.flushed();
  expect(errors).toHaveLength(1);
});

test('reads on after rubbish and wrong lengths, and says what they were', async () => {
  const { input, messages, errors, ended } = open();
  input.end('Hello.\nContent-Length: 40\r\n\r\n{"a":0}Content-Length: 7\r\n\r\n{"a":1}Content-Length: 5\r\n\r\n{"');
  await ended;
  expect(messages).toEqual([{ a: 1 }]);
  expect(errors.map(({ message }) => message.slice(0, 9))).toEqual(['Hello.\n', 'A message', 'Content-L']);
});

test('answers a request, and hands on a failure in place of a response, that is nested too deep', async () => {
  const { input, output, messages, errors, ended } = open();
  for (const big of ['1', '12345678901234567890']) {
    const deep = '['.repeat(20_000) + big + ']'.repeat(20_000);
    const request = `{"seq":7,"type":"request","command":"a","arguments":${deep}}`;
    const response = `{"seq":8,"type":"response","request_seq":9,"success":true,"body":${deep}}`;
    for (const text of [request, response]) input.write(`Content-Length: ${text.length}\r\n\r\n${text}`);
  }
  input.end();
  await ended;
  const message = 'A message is nested more than 500 levels deep.';
  const failure = { seq: 8, type: 'response', request_seq: 9, success: false, message };
  expect(messages).toEqual([failure, failure]);
  expect(errors).toHaveLength(4);
  expect(String(output.read())).toContain(
    `"request_seq":7,"command":"a","success":false,"message":"${message}","seq":1}`,
  );
});

test('handles no message inside send, and what one brings about before the next', async () => {
  const wire = new PassThrough();
  const sender = new Channel(new PassThrough(), wire);
  const receiver = new Channel(wire, new PassThrough());
  const story: string[] = [];
  receiver.listen({
    message: ({ event }) => {
      story.push(String(event));
      void Promise.resolve()
        .then(() => {})
        .then(() => story.push(`after ${event}`));
    },
    unreadable: () => {},
    broken: () => {},
    end: () => {},
  });
  await setImmediate();
  sender.send({ type: 'event', event: 'a' });
  sender.send({ type: 'event', event: 'b' });
  story.push('sent');
  await receiver.settled();
  expect(story).toEqual(['sent', 'a', 'after a', 'b', 'after b']);
});
