import { expect, test } from 'vitest';
import type { Raw } from '../message.ts';
import type { TraceMessage } from './format.ts';
import { TraceText } from './text.ts';

const wide = Number.POSITIVE_INFINITY;

function at(time: number, direction: TraceMessage['direction'], message: Raw): TraceMessage {
  return { time, pid: 1, session: 1, direction, message: { ...message } };
}

function shown(entries: readonly TraceMessage[], width = wide): string[] {
  const text = new TraceText(width);
  return entries.map((entry) => text.entry(3, entry));
}

const request = { seq: 7, type: 'request', command: 'launch', arguments: { program: 'main.py' } };

test('a start is told with all that a bug report needs', () => {
  const head = {
    trace: 1,
    started: '2026-01-02T03:04:05.678Z',
    version: '1.2.3',
    node: 'v24.0.0',
    platform: 'linux x64',
    pid: 5,
    options: { port: 0 },
  } as const;
  expect(new TraceText(wide).head(head)).toBe(
    'kubernetes-local 1.2.3, Node v24.0.0, linux x64, process 5, started 2026-01-02T03:04:05.678Z, options {"port":0}',
  );
});

test('the debug adapter stands between client and debugger, and each answer tells how long it took', () => {
  const answer = { type: 'response', request_seq: 7, success: true, command: 'launch' };
  expect(
    shown([
      at(12, 'from client', request),
      at(13, 'to debugger', { ...request, seq: 2 }),
      at(20.5, 'from debugger', { ...answer, request_seq: 2, body: { a: 1 } }),
      at(1012, 'to client', answer),
      at(1013, 'to client', answer),
    ]),
  ).toEqual([
    '    0.012  3  client →             launch #7  {"program":"main.py"}',
    '    0.013  3         → debugger    launch #2  {"program":"main.py"}',
    '    0.021  3         ← debugger    launch answered #2 (7.5 ms)  {"a":1}',
    '    1.012  3  client ←             launch answered #7 (1000 ms)',
    '    1.013  3  client ←             launch answered #7',
  ]);
});

test('requests of the debugger have their answers too, though numbers are the same', () => {
  const [, , answer] = shown([
    at(1, 'from client', request),
    at(2, 'to client', { ...request, command: 'runInTerminal' }),
    at(4, 'from client', { type: 'response', request_seq: 7, success: true }),
  ]);
  expect(answer).toContain('runInTerminal answered #7 (2.0 ms)');
});

test.each([
  [{ type: 'response', request_seq: '7', command: 'launch', success: false }, 'launch answered #7 failed'],
  [
    {
      type: 'response',
      request_seq: 7,
      command: 'launch',
      success: false,
      message: 'no',
      body: { error: { format: 'No {a}.', variables: { a: 'way' } } },
    },
    'launch answered #7 failed: No way.',
  ],
  [
    { type: 'event', event: 'stopped', body: { reason: 'breakpoint', threadId: 1, allThreadsStopped: true } },
    'stopped breakpoint thread 1  {"allThreadsStopped":true}',
  ],
  [{ type: 'event', event: 'output', body: { category: 'stdout', output: 'a\nb' } }, 'output stdout  "a\\nb"'],
  [{ type: 'event', event: 'terminated' }, 'terminated'],
  [{ type: 'event', event: 'odd', body: [1] }, 'odd  [1]'],
  [{ type: 'request', seq: 1, command: 'threads', arguments: {} }, 'threads #1'],
  [{ '«unreadable»': 'x' }, 'no message of the protocol  {"«unreadable»":"x"}'],
])('%j is told in words', (message, words) => {
  expect(shown([at(1, 'from debugger', message)])).toEqual([`    0.001  3         ← debugger    ${words}`]);
});

test('an end is told with its reason', () => {
  const end = { time: 1, pid: 1, session: 1, direction: 'from client', end: 'It closed.' } as const;
  expect(new TraceText(wide).entry(2, end)).toBe('    0.001  2  client →             gone: It closed.');
});

test('a line is as wide as the terminal, and the terminal obeys nothing in it', () => {
  const nasty = { ...request, command: '\u001b[2J\u009b\u202elaunch\n' };
  expect(shown([at(1, 'from client', nasty)])[0]).toContain(
    'client →             \\u{1b}[2J\\u{9b}\\u{202e}launch\\n #7',
  );
  const [line = ''] = shown([at(1, 'from client', request)], 50);
  expect(line).toHaveLength(50);
  expect(line.endsWith('…')).toBe(true);
});
