import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FileLog } from './log.ts';
import { logFiles, removeOldLogs } from './log-rotation.ts';
import { ProcessLog } from './process-log.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubernetes-local-rotation-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const messages = (path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as { message: string }).message);

describe('a log', () => {
  it('has three files at most, and loses the oldest lines', () => {
    const path = join(folder, 'session.log');
    using log = new FileLog(path, 'test', { largest: 1_000 });
    for (let line = 0; line < 100; line++) log.write('info', `line ${line}`);
    const files = logFiles(path);
    expect(files).toEqual([path, `${path}.1`, `${path}.2`]);
    expect(readdirSync(folder)).toHaveLength(3);
    const all = files.toReversed().flatMap(messages);
    expect(all.at(-1)).toBe('line 99');
    expect(all).toEqual(Array.from({ length: all.length }, (_, index) => `line ${100 - all.length + index}`));
    for (const file of files) {
      expect(statSync(file).size).toBeLessThan(1_200);
      expect(statSync(file).mode & 0o777).toBe(0o600);
    }
  });

  it('is shared by processes: all of them go on in the new file', () => {
    const path = join(folder, 'session.log');
    using first = new FileLog(path, 'first', { largest: 1_000 });
    using second = new FileLog(path, 'second', { largest: 1_000 });
    for (let line = 0; line < 15; line++) {
      first.write('info', `first ${line}`);
      second.write('info', `second ${line}`);
    }
    const all = logFiles(path).toReversed().flatMap(messages);
    const expected = Array.from({ length: 15 }, (_, line) => [`first ${line}`, `second ${line}`]).flat();
    expect(all).toEqual(expected.slice(-all.length));
    expect(all.length).toBeGreaterThan(10);
  });

  it('is not written through a link', () => {
    const other = join(folder, 'other');
    writeFileSync(other, '');
    symlinkSync(other, join(folder, 'session.log'));
    expect(() => new FileLog(join(folder, 'session.log'), 'test')).toThrow();
  });
});

describe('old logs', () => {
  const day = 24 * 60 * 60;
  function aged(name: string, days: number): void {
    writeFileSync(join(folder, name), 'x');
    const time = Date.now() / 1000 - days * day;
    utimesSync(join(folder, name), time, time);
  }

  it('go after 14 days with all their files, but not the one in use, and nothing else', () => {
    for (const name of ['old.log', 'old.log.1', 'mine.log', 'notes.txt']) aged(name, 15);
    aged('new.log', 13);
    aged('new.log.1', 20);
    removeOldLogs(folder, join(folder, 'mine.log'));
    expect(readdirSync(folder).sort()).toEqual(['mine.log', 'new.log', 'new.log.1', 'notes.txt']);
  });

  it('go beyond 50 sessions, the oldest first', () => {
    for (let index = 0; index < 60; index++) aged(`session-${index}.log`, index / 10);
    removeOldLogs(folder, join(folder, 'session-55.log'));
    const left = readdirSync(folder);
    expect(left).toHaveLength(50);
    expect(left).toContain('session-48.log');
    expect(left).not.toContain('session-49.log');
    expect(left).toContain('session-55.log');
  });
});

describe('the log of a process', () => {
  it('goes on in the log of its session, with the secrets that it knew', () => {
    const [first, session] = [join(folder, 'first.log'), join(folder, 'session.log')];
    using log = new ProcessLog('test', () => first);
    expect(log.path).toBeUndefined();
    log.redactor.add('hunter2');
    log.write('info', 'one hunter2');
    expect(log.path).toBe(first);
    log.moveTo(session);
    log.write('info', 'two hunter2');
    expect([log.path, messages(first), messages(session)]).toEqual([session, ['one «redacted»'], ['two «redacted»']]);
  });

  it('makes no file before something is written, and none where none can be', () => {
    using quiet = new ProcessLog('test', () => join(folder, 'quiet.log'));
    expect(readdirSync(folder)).toEqual([]);
    quiet.moveTo(join(folder, 'quiet.log'));
    using without = new ProcessLog('test', () => {
      throw new Error('no folder');
    });
    without.write('info', 'lost');
    expect(without.path).toBeUndefined();
  });
});
