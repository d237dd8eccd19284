/** The comparison finds what it is to find, and nothing else. */
import { describe, expect, test } from 'vitest';
import type { Raw } from '../../../adapter/dap/message.ts';
import { received, traceOf } from './trace.ts';

const stopped = (threadId: number, reason = 'step') => ({
  type: 'event',
  event: 'stopped',
  body: { reason, threadId },
});
const printed = (output: string, category = 'stdout') => ({
  type: 'event',
  event: 'output',
  body: { category, output },
});
const answer = (command: string, body: Raw = {}) => ({
  type: 'response',
  request_seq: 1,
  command,
  success: true,
  body,
});

describe('traces differ by', () => {
  const messages = [answer('next'), stopped(1), answer('threads', { threads: [{ id: 1 }] }), printed('a'), stopped(2)];
  test.each<[string, readonly Raw[]]>([
    ['a changed field', messages.with(1, stopped(1, 'pause'))],
    ['a field inside of a list', messages.with(2, answer('threads', { threads: [{ id: 2 }] }))],
    ['a missing event', messages.slice(0, -1)],
    ['an event that came twice', [...messages, stopped(2)]],
    ['a swapped order', [stopped(1), answer('next'), ...messages.slice(2)]],
    ['other output', messages.with(3, printed('b'))],
    ['output of another category', messages.with(3, printed('a', 'stderr'))],
  ])('%s', (_what, others) => {
    expect(traceOf(others, {})).not.toEqual(traceOf(messages, {}));
  });
});

describe('what differs from run to run is', () => {
  test('the way that output is cut into events', () => {
    expect(traceOf([printed('a'), stopped(1), printed('b')], {})).toEqual(traceOf([stopped(1), printed('ab')], {}));
  });

  test('numbers and parts of texts, as long as equal ones stay equal', () => {
    const runToRun = { numbers: ['threadId'], texts: [/(?<=pid )\d+/g] };
    const trace = (...[a, b]: [number, number]) => traceOf([stopped(a), printed(`pid ${b} of 7`)], runToRun);
    expect(trace(10, 10)).toEqual(trace(20, 20));
    expect(trace(10, 20)).toEqual(trace(20, 10));
    expect(trace(10, 10)).not.toEqual(trace(10, 20));
    expect(traceOf([printed('pid 1 of 7')], runToRun)).not.toEqual(traceOf([printed('pid 1 of 8')], runToRun));
  });

  test('the place of some messages, but not their order', () => {
    const [one, two, other] = [stopped(1), stopped(2), answer('next')];
    const apart = { apart: ['stopped'] };
    expect(traceOf([one, other, two], apart)).toEqual(traceOf([one, two, other], apart));
    expect(traceOf([two, one, other], apart)).not.toEqual(traceOf([one, two, other], apart));
    const unordered = { unordered: ['stopped'] };
    expect(traceOf([two, other, one], unordered)).toEqual(traceOf([one, two, other], unordered));
    expect(traceOf([two, other], unordered)).not.toEqual(traceOf([one, two, other], unordered));
  });

  test('whether some are there at all', () => {
    const runToRun = { maybe: [/"stopped"/], maybePrinted: [/^hello\n/] };
    const rest = [answer('next'), printed('bye')];
    expect(traceOf([stopped(1), printed('hello\n'), ...rest], runToRun)).toEqual(traceOf(rest, runToRun));
    expect(traceOf([stopped(1)], runToRun)).not.toEqual(traceOf(rest, runToRun));
  });
});

test('requests are counted from 1, whatever else was sent', () => {
  const sent = (seq: number, type: string, command: string) => ({
    direction: 'sent' as const,
    message: { seq, type, command },
  });
  const response = { type: 'response', request_seq: 9, command: 'launch' };
  const transcript = [
    sent(4, 'request', 'initialize'),
    sent(5, 'response', 'startDebugging'),
    sent(9, 'request', 'launch'),
    { direction: 'received' as const, message: { ...response, seq: 77 } },
  ];
  expect(received(transcript)).toEqual({
    asked: ['initialize', 'launch'],
    messages: [{ ...response, request_seq: 2 }],
  });
});
