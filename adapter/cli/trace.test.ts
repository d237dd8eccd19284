/** The command as a user has it. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';

// Each starts a process.
vi.setConfig({ testTimeout: 60_000 });

const main = join(import.meta.dirname, 'main.ts');
const recorded = join(import.meta.dirname, '..', 'dap', 'fixtures', 'debugpy.trace.jsonl');
const text = readFileSync(recorded, 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'trace-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function trace(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [main, 'trace', ...args], { encoding: 'utf8' });
}

function file(content: string): string {
  const path = join(folder, 'a.trace.jsonl');
  writeFileSync(path, content);
  return path;
}

describe('trace FILE', () => {
  test('shows a line for each of its own, no wider than asked', () => {
    const { stdout, stderr, status } = trace(recorded);
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    const lines = stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(text.trimEnd().split('\n').length);
    expect(Math.max(...lines.map((line) => line.length))).toBe(160);
    expect(lines[0]).toMatch(/^kubernetes-local \d/);
    expect(lines.some((line) => / client ← +stopped breakpoint thread 1 /.test(line))).toBe(true);
    const whole = trace(recorded, '--full').stdout;
    expect(whole).toContain('"supportsRestartRequest":true}');
    expect(whole).not.toContain('…\n');
  });

  test('shows one session of several', () => {
    const path = file(text + text.replaceAll('"threadId":1', '"threadId":77'));
    const { stdout } = trace(path, '--session', '2');
    expect(stdout.match(/^kubernetes-local/gm)).toHaveLength(1);
    expect(stdout).toContain('  2  client ←             stopped breakpoint thread 77');
    expect(stdout).not.toContain('thread 1 ');
  });

  test('tells of a line that was cut short', () => {
    const { stdout, status } = trace(file(text.slice(0, -30)));
    expect(stdout).toMatch(/Line \d+ is cut short: its writer was ended, or the disk is full\.\n$/);
    expect(status).toBe(0);
  });

  test.each([
    [[recorded, '--session', '2'], 'error (bad-arguments): ', 'has no session 2.\n  Its last one is 1.'],
    [[recorded, '--session', '0'], 'error (bad-arguments): ', 'It is a number from 1.'],
    [[join(folder, 'none')], 'error (trace-unusable): ', 'ENOENT'],
    [[main], 'error (trace-unusable): ', `Line 1 of ${main} is no line of a trace.`],
  ])('says in one error what is wrong: %j', (args, code, words) => {
    const { stdout, stderr, status } = trace(...args);
    expect({ stdout, status }).toEqual({ stdout: '', status: 2 });
    expect(stderr.startsWith(code)).toBe(true);
    expect(stderr).toContain(words);
  });
});

describe('trace FILE --replay', () => {
  test('ends with 0 if all goes as recorded', () => {
    const { stdout, stderr, status } = trace(recorded, '--replay');
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout).toContain('It went as recorded.');
  });

  test('ends with 1 and shows both, if not', () => {
    const path = file(
      text
        .split('\n')
        .map((line) => (line.includes('"to client"') ? line.replace('"reason":"breakpoint"', '"reason":"step"') : line))
        .join('\n'),
    );
    const { stdout, status } = trace(path, '--replay');
    expect(status).toBe(1);
    expect(stdout).toMatch(/First difference to client, at \d+\.\d+, in body\.reason:\n {2}recorded {2}stopped step/);
    expect(stdout).toContain('\n  now       stopped breakpoint thread 1  "breakpoint"\n');
  });

  test('asks which session is meant', () => {
    const { stderr, status } = trace(file(text + text), '--replay');
    expect(status).toBe(2);
    expect(stderr).toContain('has 2 sessions.');
    expect(trace(file(text + text), '--replay', '--session', '2').status).toBe(0);
  });
});
