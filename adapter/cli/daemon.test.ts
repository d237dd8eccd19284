import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const main = join(import.meta.dirname, 'main.ts');

const startAhead = () => {
  const state = mkdtempSync(join(tmpdir(), 'daemon-ahead-'));
  onTestFinished(() => rmSync(state, { recursive: true }));
  const child = spawn(process.execPath, [main, 'daemon'], {
    env: { ...process.env, KUBERNETES_LOCAL_STATE: state },
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, exited: once(child, 'exit'), left: () => readdirSync(state, { recursive: true }) };
};

test('a daemon that is started ahead and not needed ends and leaves nothing', async () => {
  const { child, exited, left } = startAhead();
  child.stdin?.end();
  expect(await exited).toEqual([0, null]);
  expect(left()).toEqual([]);
});

test('what is no key makes no session', async () => {
  const { child, exited, left } = startAhead();
  child.stdin?.end('../../elsewhere\n');
  expect(await exited).toEqual([0, null]);
  expect(left()).toEqual([]);
});

test('a key makes it the daemon of that session', async () => {
  const { child, exited, left } = startAhead();
  child.stdin?.end('0123456789abcdef\n');
  const announced = child.stdio[3];
  if (!announced) throw new Error('no pipe');
  expect(String((await once(announced, 'data'))[0])).toBe('{"kind":"ready"}\n');
  expect(left()).toContain('sessions/0123456789abcdef/token');
  child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});
