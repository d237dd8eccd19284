import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readTrace, type TracePart } from './reading.ts';

const folder = mkdtempSync(join(tmpdir(), 'trace-'));
const path = join(folder, 'trace.jsonl');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function head(pid = 1): string {
  const rest = { version: '1', node: 'v24', platform: 'linux x64', options: {} };
  return JSON.stringify({ trace: 1, started: '2026-01-02T03:04:05.678Z', pid, ...rest });
}

function entry(session: number, pid = 1, changes: object = {}): string {
  const message = { seq: 1, type: 'event', event: 'x' };
  return JSON.stringify({ time: 1.5, pid, session, direction: 'from client', message, ...changes });
}

async function read(text: string): Promise<TracePart[]> {
  writeFileSync(path, text);
  const parts: TracePart[] = [];
  for await (const part of readTrace(path)) parts.push(part);
  return parts;
}

function sessions(parts: readonly TracePart[]): number[] {
  return parts.flatMap((part) => (part.kind === 'entry' ? [part.session] : []));
}

const lines = (...all: string[]) => all.map((line) => `${line}\n`).join('');

describe('sessions', () => {
  test('are counted through a file that was used by one start after another', async () => {
    const parts = await read(lines(head(), entry(1), entry(2), entry(1), head(), entry(1)));
    expect(sessions(parts)).toEqual([1, 2, 1, 3]);
  });

  test('are told apart where several processes write', async () => {
    const parts = await read(lines(head(1), entry(1, 1), head(2), entry(1, 2), entry(1, 1)));
    expect(sessions(parts)).toEqual([1, 2, 1]);
    expect(parts.map((part) => part.kind === 'entry' && part.head.pid)).toEqual([false, 1, false, 2, 1]);
  });
});

test('integers keep their digits', async () => {
  const big = entry(1).replace('"seq":1', '"seq":90071992547409931234');
  const [, part] = await read(lines(head(), big));
  expect(JSON.stringify(part)).toContain('"seq":90071992547409931234');
});

describe('a line that was cut short', () => {
  test('is told of at the end', async () => {
    const parts = await read(`${lines(head(), entry(1))}{"time":2,"pi`);
    expect(parts.at(-1)).toEqual({ kind: 'cut short', line: 3 });
  });

  test('is told of before the next start', async () => {
    const parts = await read(lines(head(), '{"time":2,"pi', head(), entry(1)));
    expect(parts.map(({ kind }) => kind)).toEqual(['head', 'cut short', 'head', 'entry']);
  });
});

describe('one clear problem', () => {
  test.each([
    ['an empty file', '', 1, /empty/],
    ['no JSON', 'Traceback\nmore\n', 1, /JSON/],
    ['no JSON and no line end', 'Traceback', 1, /JSON/],
    ['a list', '[]\n[]\n', 1, /no JSON object/],
    ['a line in the middle', lines(head(), 'x', entry(1)), 2, /JSON/],
    ['a whole line at the end', lines(head(), entry(1), 'x'), 3, /JSON/],
    ['two lines, one cut short', `${lines(head(), 'x')}y`, 2, /JSON/],
    ['no beginning', lines(entry(1)), 1, /begins a trace is missing/],
    ['the beginning of another process', lines(head(1), entry(1, 2)), 2, /begins a trace is missing/],
    ['another format', lines(head().replace('"trace":1', '"trace":2'), entry(1)), 1, /trace/],
    ['an unknown direction', lines(head(), entry(1, 1, { direction: 'from nowhere' })), 2, /direction/],
    ['no message', lines(head(), entry(1, 1, { message: 7 })), 2, /message/],
    ['session 0', lines(head(), entry(0)), 2, /session/],
    ['an end of no one', lines(head(), entry(1, 1, { direction: 'to client', end: 'x' })), 2, /direction/],
  ])('names file and line: %s', async (_name, text, line, why) => {
    const error = await read(text).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'trace-unusable', what: `Line ${line} of ${path} is no line of a trace.` });
    expect(error).toHaveProperty('why', expect.stringMatching(why));
  });

  test.each([
    ['a folder', folder, /no file/],
    ['a file that is not there', join(folder, 'none'), /ENOENT/],
    ['a device', '/dev/zero', /no file/],
  ])('tells why there is nothing to read: %s', async (_name, file, why) => {
    const error = await readTrace(file)
      .next()
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    expect(error).toMatchObject({ code: 'trace-unusable', what: `The trace ${file} cannot be read.` });
    expect(error).toHaveProperty('why', expect.stringMatching(why));
  });

  test('does not read a file without lines to its end', async () => {
    await expect(read('x'.repeat(9_000_000))).rejects.toThrow('too long');
  });
});
