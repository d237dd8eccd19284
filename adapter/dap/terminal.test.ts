import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { field, isRaw, type Request } from './message.ts';
import { TerminalFiles } from './terminal.ts';

vi.setConfig({ testTimeout: 60_000 });

const files = new TerminalFiles();
afterEach(() => files[Symbol.dispose]());

function request(args: object): Request {
  return { seq: 1, type: 'request', command: 'runInTerminal', arguments: args };
}

function lineOf(message: unknown): [string, ...string[]] {
  const args = field(field(message, 'arguments'), 'args');
  if (!Array.isArray(args) || args.length === 0) throw new Error('There is no command line.');
  return args.map(String) as [string, ...string[]];
}

const show =
  'process.stdout.write(JSON.stringify([process.env.NEW, process.env.OLD, process.cwd(), process.argv.slice(1)]))';

test('the program gets its environment, folder and arguments, and the files are gone', () => {
  const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'terminal-')));
  const [program, ...args] = lineOf(
    files.conceal(
      request({ args: [process.execPath, '-e', show, 'a b', '$c'], cwd, env: { NEW: 'it’s "new"\n', OLD: null } }),
    ),
  );
  const folder = dirname(args.find((one) => one.endsWith('launch.mjs')) ?? '');
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o600, 0o600]);
  const output = execFileSync(program, args, { env: { ...process.env, OLD: 'old' }, encoding: 'utf8' });
  expect(JSON.parse(output)).toEqual(['it’s "new"\n', null, cwd, ['a b', '$c']]);
  expect(existsSync(folder)).toBe(false);
  rmSync(cwd, { recursive: true });
});

test('a program on PATH is found, and its exit code is the launcher’s', async () => {
  const [program, ...args] = lineOf(files.conceal(request({ args: ['sh', '-c', 'exit $CODE'], env: { CODE: '7' } })));
  const [code] = await once(spawn(program, args), 'exit');
  expect(code).toBe(7);
});

test('the program takes the launcher’s place, so that its pid is the one the debugger knows', async () => {
  const [program, ...args] = lineOf(files.conceal(request({ args: ['sh', '-c', 'echo $$'], env: { A: 'b' } })));
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [text] = await once(child.stdout, 'data');
  expect(Number(text)).toBe(child.pid);
});

test('a request without environment variables is left as it is', () => {
  for (const args of [{ args: ['a'] }, { args: ['a'], env: {} }, { args: ['a'], env: null }]) {
    const message = request(args);
    expect(files.conceal(message)).toBe(message);
  }
});

test('nothing is left of what was never run', () => {
  const own = new TerminalFiles();
  const message = own.conceal(request({ args: ['a'], env: { A: 'b' } }));
  expect(isRaw(message.arguments)).toBe(true);
  const folder = dirname(lineOf(message).find((one) => one.endsWith('launch.mjs')) ?? '');
  expect(existsSync(folder)).toBe(true);
  own[Symbol.dispose]();
  expect(existsSync(folder)).toBe(false);
});

test('a program is led to its place, with and without an environment', () => {
  const place = { prefix: ['/usr/bin/env', 'NEW=inside'], dialSocket: '/nowhere' };
  const bare = files.conceal(request({ args: [process.execPath, '-e', show, 'a b'] }), place);
  expect(lineOf(bare)).toEqual(['/usr/bin/env', 'NEW=inside', process.execPath, '-e', show, 'a b']);
  const args = [process.execPath, '-e', show, 'a b'];
  const [program, ...rest] = lineOf(files.conceal(request({ args, env: { OLD: 'secret' } }), place));
  expect(rest.join()).not.toContain('secret');
  const output = execFileSync(program, rest, { encoding: 'utf8' });
  expect(JSON.parse(output)).toEqual(['inside', 'secret', process.cwd(), ['a b']]);
});
